"""The work of `EmbedJob` on pixels and regions of scans."""

import zlib
from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend.events import Event
from ..backend.job import JobContext
from ..errors import LongtailError
from ..explain.embedding_file import Embedding, EmbeddingAbout
from ..project.records import Case
from ..project.store import Project
from .embedding_images import ahead
from .embedding_store import digest, key_of, mark_of
from .predicting import Clock, Tally, chosen_cases, current_ids, load_run

if TYPE_CHECKING:
    from ..explain.embed_pixels import Points
    from ..io.image import AnyArray, Image
    from .embedding import EmbedJob

MOST_CASES = 200
WHAT = "Looking at the scans"


class PixelEmbedder:
    """Embeds pixels or regions; see `ImageEmbedder` for its attributes.

    Raises
    ------
    LongtailError
        There is no run, or it is not one on label maps.
    """

    def __init__(self, job: "EmbedJob", project: Project, context: JobContext) -> None:
        from ..explain.embed_pixels import PixelEyes

        if job.run_id is None:
            raise LongtailError(
                f"The pretrained encoder has no features of {job.kind}.",
                "Choose whole images, or a run on label maps.",
            )
        self._job, self._project, self._context = job, project, context
        network = load_run(project, job.run_id, job.which, context.device)
        card = network.card
        ids = current_ids(project, card.class_ids)
        self._eyes = PixelEyes(network.network, card, ids, context.device)
        self._cases = _cases(project, job.cases)
        self._each = max(1, round(job.points / (len(self._cases) * (1 + len(ids)))))
        seeing = digest(network.weights_hash, card.preprocessing.to_mapping(), ids)
        self.about = EmbeddingAbout(
            key=self._key(seeing, self._cases),
            kind=job.kind,
            run=job.run_id,
            which=job.which,
            encoder=f"{card.method} · {card.network.kind}",
            eyes=seeing,
            weights_hash=network.weights_hash,
            class_ids=card.class_ids,
            class_names=card.class_names,
        )
        self.tally, self.reused = Tally(), len(self._cases)

    def work(self) -> Generator[Event, None, Embedding]:
        """Look at every case."""
        from ..data.volumes import read_case

        self.reused = 0
        found: list[tuple[Case, Points]] = []
        clock = Clock(len(self._cases), WHAT)
        yield clock.progress(0)
        for done, (case, image) in enumerate(
            ahead(_gentle(read_case), self._cases, self._context.threads), start=1
        ):
            try:
                found.append((case, self._points(case, image)))
            except LongtailError as error:
                self.tally.skip(case.id, error)
            yield from self.tally.warnings()
            yield clock.progress(done)
            if self._context.stop_asked:
                break
            yield from self._context.safe_point()
        self._check(found)
        if self._context.stop_asked:
            key = self._key(self.about.eyes, [case for case, _ in found])
            self.about = self.about.model_copy(update={"key": key})
        return _put_together(self.about, found)

    def _check(self, found: "Sequence[tuple[Case, Points]]") -> None:
        if not found:
            self.tally.check_any()
        if not any(len(points.features) for _, points in found):
            raise LongtailError(
                "None of these scans has a labelled or predicted class.",
                "Label a few scans, or choose others.",
            )

    def _points(self, case: Case, image: "Image | LongtailError") -> "Points":
        if isinstance(image, LongtailError):
            raise image
        labels = self._labels(case, image.shape)
        random = np.random.default_rng(zlib.crc32(case.id.encode()))
        if self._job.kind == "regions":
            return self._eyes.regions(image, labels, random)
        return self._eyes.pixels(image, labels, self._each, random)

    def _labels(self, case: Case, shape: tuple[int, ...]) -> "AnyArray | None":
        if not _is_drawn(self._project, case):
            return None
        labels = self._project.read_label_map(case.id)
        if labels.shape != shape:
            raise LongtailError(
                f"The labels of {case.id} do not have the size of its image.",
                "Import its labels again.",
            )
        return labels

    def _key(self, seeing: str, cases: Sequence[Case]) -> str:
        drawn = [
            (str(case.changed), self._project.journal(case.id).mark(), case.has_mask)
            for case in cases
        ]
        return key_of(seeing, self._job.kind, cases, drawn, self._each)


def _cases(project: Project, ids: Sequence[str] | None) -> list[Case]:
    """Give the cases that are named; of all some, labelled ones first, evenly among them."""
    cases = chosen_cases(project, ids, None)
    if ids is not None or len(cases) <= MOST_CASES:
        return cases
    cases = sorted(cases, key=lambda case: not _is_drawn(project, case))
    drawn = sum(_is_drawn(project, case) for case in cases)
    if drawn <= MOST_CASES:
        return cases[:MOST_CASES]
    return [cases[at] for at in np.linspace(0, drawn - 1, MOST_CASES).round().astype(int)]


def _is_drawn(project: Project, case: Case) -> bool:
    return case.has_mask or project.journal(case.id).pending > 0


def _gentle(read: Any) -> Any:
    def attempt(case: Case) -> "Image | LongtailError":
        try:
            image: Image = read(case)
        except LongtailError as error:
            return error
        return image

    return attempt


def _put_together(about: EmbeddingAbout, found: "Sequence[tuple[Case, Points]]") -> Embedding:
    found = [(case, points) for case, points in found if len(points.features)]
    counts = [len(points.features) for _, points in found]
    marks = np.array([mark_of(case) for case, _ in found], np.uint64)
    columns = {
        name: np.concatenate([getattr(points, name) for _, points in found])
        for name in ("features", "places", "classes", "predicted")
    }
    return Embedding(
        about=about,
        features=columns["features"].astype(np.float16),
        case_ids=tuple(case.id for case, _ in found),
        rows=np.repeat(np.arange(len(found), dtype=np.int32), counts),
        places=columns["places"].astype(np.int32),
        classes=columns["classes"].astype(np.int32),
        predicted=columns["predicted"].astype(np.int32),
        logits=np.zeros((sum(counts), 0), np.float32),
        marks=np.repeat(marks, counts),
    )
