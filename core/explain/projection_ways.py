"""PCA, UMAP and t-SNE behind one face: generators that tell how far they are and can be closed.

UMAP (McInnes, Healy and Melville, arXiv 1802.03426) is that of umap-learn, t-SNE (van der Maaten
and Hinton, JMLR 9, 2008) that of openTSNE. Both get exact neighbours and start from PCA, so that
they keep the large shape (Kobak and Linderman, Nature Biotechnology 39, 2021) and depend on
nothing but features and seed. Importing them takes seconds: only the compute process does.
"""

import queue
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeAlias, TypeVar

import numpy as np

from .nearest import Floats, directions, nearest
from .projection import Doubles, Flat, Flattening, flatten_by_pca, principal

T = TypeVar("T")
Tell: TypeAlias = Callable[[int, int], None]

DIMS = 50
"""Principal components that UMAP and t-SNE look at."""

FEWEST = 5
"""Points below which there are no neighbourhoods to keep."""

UMAP_NEIGHBOURS = 15
UMAP_A, UMAP_B = 1.576943, 0.895061
"""The curve of UMAP's distances in the plane for `min_dist` 0.1 and `spread` 1."""

EPOCHS_OF_FEW, EPOCHS_OF_MANY, MANY = 500, 200, 10_000
PERPLEXITY = 30.0
EARLY, LATE = 250, 500
EXAGGERATION = 12.0
POINTS_A_PULL = 50
"""Few points pulled together so hard at first would fall into one and never part again."""

START_WIDTH = 1e-4
ITERATIONS_A_LOOK = 8
SEARCHING = 0.2
"""Share of the progress that goes to the search for neighbours."""

STEPS = 100
LOOK_EVERY_S = 0.2


def flatten(
    features: np.ndarray[Any, Any], way: str, seed: int = 0, start: Floats | None = None
) -> Flattening:
    """Bring features into the plane.

    Parameters
    ----------
    features
        (point, width), of any float type.
    way
        `pca`, `umap` or `tsne`.
    start
        (point, 2) where the points begin, for UMAP and t-SNE; None takes PCA's picture.
    """
    if way == "pca" or len(features) < FEWEST:
        return (yield from flatten_by_pca(features))
    if way not in ("umap", "tsne"):
        raise ValueError(f"there is no way {way!r} into the plane")
    rows, _ = principal(directions(features), min(DIMS, features.shape[1]))
    begin = _begin(rows[:, :2] if start is None else start, seed)
    count = UMAP_NEIGHBOURS if way == "umap" else int(3 * PERPLEXITY)
    places, distances = yield from scaled(nearest(rows, count), 0.0, SEARCHING)
    work = _umap if way == "umap" else _tsne

    def lay_out(tell: Tell) -> Floats:
        return work(places, distances, begin, seed, tell)

    points = yield from scaled(_in_thread(lay_out), SEARCHING, 1.0)
    return Flat(points)


def _begin(points: Floats, seed: int) -> Doubles:
    """Bring the start to unit width, with a little noise: equal points could never part."""
    spread = points.std(axis=0, dtype=np.float64)
    unit = (points - points.mean(axis=0)) / max(float(spread[0]), np.finfo(np.float32).tiny)
    noise = np.random.default_rng(seed).normal(0.0, 1e-4, unit.shape)
    return np.asarray(unit + noise, np.float64)


def _umap(
    places: np.ndarray[Any, Any], distances: Floats, begin: Doubles, seed: int, tell: Tell
) -> Floats:
    from umap.umap_ import fuzzy_simplicial_set, simplicial_set_embedding

    own = np.arange(len(places))[:, None]
    epochs = EPOCHS_OF_FEW if len(places) <= MANY else EPOCHS_OF_MANY
    random = np.random.RandomState(seed)
    # UMAP counts a point as its own first neighbour.
    graph, _, _ = fuzzy_simplicial_set(
        begin,
        places.shape[1] + 1,
        random,
        "euclidean",
        knn_indices=np.hstack([own, places]).astype(np.int32),
        knn_dists=np.hstack([np.zeros_like(own), distances]).astype(np.float32),
    )
    points, _ = simplicial_set_embedding(
        begin,
        graph,
        n_components=2,
        initial_alpha=1.0,
        a=UMAP_A,
        b=UMAP_B,
        gamma=1.0,
        negative_sample_rate=5,
        n_epochs=epochs,
        init=begin,
        random_state=random,
        metric="euclidean",
        metric_kwds={},
        densmap=False,
        densmap_kwds={},
        output_dens=False,
        tqdm_kwds={
            "file": _Meter(tell, epochs),
            "disable": False,
            "bar_format": "{n_fmt}",
            "mininterval": LOOK_EVERY_S,
        },
    )
    return np.asarray(points, np.float32)


def _tsne(
    places: np.ndarray[Any, Any], distances: Floats, begin: Doubles, seed: int, tell: Tell
) -> Floats:
    from openTSNE import TSNEEmbedding
    from openTSNE.affinity import PerplexityBasedNN
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    perplexity = min(PERPLEXITY, places.shape[1] / 3)
    index = PrecomputedNeighbors(places, distances.astype(np.float64))
    affinities = PerplexityBasedNN(knn_index=index, perplexity=perplexity)
    points = TSNEEmbedding(
        begin * START_WIDTH,
        affinities,
        negative_gradient_method="fft" if len(places) > MANY else "bh",
        random_state=seed,
        n_jobs=1,
    )
    pull = min(EXAGGERATION, max(1.0, len(places) / POINTS_A_PULL))
    for first, count, exaggeration, momentum in ((0, EARLY, pull, 0.5), (EARLY, LATE, 1.0, 0.8)):

        def heard(done: int, _: float, __: Any, first: int = first) -> bool:
            tell(first + done, EARLY + LATE)
            return False

        points.optimize(
            count,
            inplace=True,
            exaggeration=exaggeration,
            momentum=momentum,
            learning_rate="auto",
            callbacks=heard,
            callbacks_every_iters=ITERATIONS_A_LOOK,
        )
    return np.asarray(points, np.float32)


class _Halted(Exception):
    """Raised in the thread of a library when nobody waits for its picture any more."""


class _Meter:
    """The file that a library writes its progress bar to: reads the count out of it."""

    encoding = "utf-8"

    def __init__(self, tell: Tell, total: int) -> None:
        self._tell, self._total = tell, total

    def write(self, text: str) -> None:
        """Tell a count."""
        if text.strip().isdecimal():
            self._tell(int(text), self._total)

    def flush(self) -> None:
        """Do nothing: what was written is told."""


def _in_thread(work: Callable[[Tell], T]) -> Generator[tuple[int, int], None, T]:
    """Run `work` in a thread and give what it tells; closing the generator ends the thread."""
    news: queue.SimpleQueue[tuple[int, int]] = queue.SimpleQueue()
    halted = threading.Event()
    found: list[T] = []
    failed: list[BaseException] = []

    def tell(done: int, total: int) -> None:
        if halted.is_set():
            raise _Halted
        news.put((done, total))

    def live() -> None:
        try:
            found.append(work(tell))
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            failed.append(error)

    thread = threading.Thread(target=live, name="layout", daemon=True)
    thread.start()
    try:
        last = (0, 1)
        while thread.is_alive():
            thread.join(LOOK_EVERY_S)
            while not news.empty():
                last = news.get()
            # Also without news: whoever listens may want to stop.
            yield last
    finally:
        halted.set()
        thread.join()
    if failed:
        raise failed[0]
    return found[0]


def scaled(
    steps: Generator[tuple[int, int], None, T], low: float, high: float
) -> Generator[tuple[int, int], None, T]:
    """Give the steps of a part as steps of the whole."""
    try:
        while True:
            try:
                done, total = next(steps)
            except StopIteration as end:
                found: T = end.value
                return found
            share = done / total if total else 1.0
            yield round(STEPS * (low + share * (high - low))), STEPS
    finally:
        steps.close()
