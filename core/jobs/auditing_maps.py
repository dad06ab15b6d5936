"""The work of `AuditJob`: which cases, their maps, and what each map is compared with."""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..backend.events import Event
from ..backend.job import JobContext
from ..errors import LongtailError
from ..evaluate.setting import read_setting
from ..project.records import Case, Task
from ..project.store import Project
from ..review.audit import NOTE, Inside, Looked, boxes_mask, by_suspicion, class_summaries, looked
from ..review.audit_file import SIDE, Audit, AuditPictures, Bytes
from ..review.body import Mask, body_of
from .predicting import Clock, Tally, chosen_cases, current_ids, load_run

if TYPE_CHECKING:
    from ..explain.whole import CaseMap
    from ..io.image import Image
    from .auditing import AuditJob

ENCODER_STEP, FEW_PLACES = 32, 5
"""Pixels between two places of the last maps of an encoder, and how few are worth a warning."""

FOUND_FROM = 0.5
"""Probability from which a run finds a class."""

BODY_NOTE = "Where no box and no outline is drawn, maps are compared with the body or cells."


class Shown(NamedTuple):
    """What is kept to be looked at of one map."""

    picture: Bytes
    map: Bytes
    aspect: float
    slice: int


class Auditor:
    """Computes and compares the maps of one audit."""

    def __init__(self, job: "AuditJob", project: Project, context: JobContext) -> None:
        self._job, self._project, self._context = job, project, context
        self._network = load_run(project, job.run_id, job.which, context.device)
        self._ids = current_ids(project, self._network.card.class_ids)
        cases = chosen_cases(project, None, job.split)
        self._boxes = project.boxes_of([case.id for case in cases])
        self._wanted = self._chosen(cases)
        self._tally = Tally()
        self._looked: list[Looked] = []
        self._shown: list[Shown] = []
        self._sums: dict[int, np.ndarray[Any, np.dtype[np.float64]]] = {}

    def look(self) -> Generator[Event, None, None]:
        """Compute the maps of all cases; stopped, it keeps those that are done.

        Raises
        ------
        LongtailError
            There is no labelled case to look at, or none could be.
        """
        if not self._wanted:
            raise LongtailError(
                f"No {self._job.split} case is labelled with a class that the run knows.",
                "Label some, or look at another part.",
            )
        clock = Clock(len(self._wanted), "looking")
        for done, (case, class_ids) in enumerate(self._wanted.items(), start=1):
            try:
                self._look_at(self._case(case), class_ids)
                self._tally.predicted += 1
            except LongtailError as error:
                self._tally.skip(case, error)
            yield clock.progress(done)
            yield from self._tally.warnings()
            if self._context.stop_asked:
                break
            yield from self._context.safe_point()
        self._tally.check_any()

    def finished(self) -> tuple[Audit, AuditPictures]:
        """Put together what was found, the least inside first."""
        order = by_suspicion(self._looked)
        place = {id(one): row for row, one in enumerate(self._looked)}
        shown = [self._shown[place[id(one)]] for one in order]
        notes = [NOTE]
        if any(one.of is Inside.BODY for one in order):
            notes.append(BODY_NOTE)
        notes += self._coarse_words()
        silent = sum(one.kind != "graded" for one in order)
        if silent:
            notes.append(f"{silent} of {len(order)} maps say nothing: no place stands out.")
        denied = sum(one.probability is not None and one.probability < FOUND_FROM for one in order)
        if denied:
            notes.append(
                f"In {denied} of {len(order)} cases the run itself does not find the class: such a "
                "map shows what little speaks for it."
            )
        audit = Audit(
            self._job.run_id,
            self._job.split,
            self._job.variant,
            self._network.weights_hash,
            class_summaries(self._looked, seed=self._job.seed),
            order,
            tuple(notes),
            tuple(self._tally.skipped),
        )
        means = {class_id: _bytes(values) for class_id, values in self._sums.items()}
        return audit, AuditPictures(
            np.stack([one.picture for one in shown]),
            np.stack([one.map for one in shown]),
            np.array([one.aspect for one in shown], np.float32),
            np.array([one.slice for one in shown], np.int32),
            means,
        )

    def _coarse_words(self) -> list[str]:
        """Say that a run on small images cannot point finely."""
        card = self._network.card
        sides = card.preprocessing.size or ()
        places = -(-max(sides, default=0) // ENCODER_STEP)
        is_transformer = card.network.options.get("name") == "vit"
        if not places or places > FEW_PLACES or is_transformer:
            return []
        return [
            f"The run sees images at {max(sides)} pixels, so a map tells only about {places} x "
            f"{places} places apart; a run at a larger size points more finely."
        ]

    # --- who ---

    def _chosen(self, cases: Sequence[Case]) -> dict[str, list[int]]:
        """Give the classes whose maps are wanted of each case, `most` cases a class."""
        draw = np.random.default_rng(self._job.seed)
        order = draw.permutation(len(cases)).tolist()
        # Boxes are rare and say most, so their cases come first.
        order.sort(key=lambda row: cases[row].id not in self._boxes)
        wanted: dict[str, list[int]] = {}
        count = dict.fromkeys(self._ids, 0)
        for row in order:
            for class_id in self._given(cases[row]):
                if count[class_id] < self._job.most:
                    count[class_id] += 1
                    wanted.setdefault(cases[row].id, []).append(class_id)
        return wanted

    def _given(self, case: Case) -> list[int]:
        if self._project.task is Task.SEGMENTATION:
            there = [i for i, volume in case.volumes_mm3.items() if volume]
        else:
            there = list(case.labels.yes) if case.labels else []
        return sorted(i for i in there if i and i in self._ids)

    def _case(self, case_id: str) -> Case:
        return self._project.case(case_id)

    # --- one case ---

    def _look_at(self, case: Case, class_ids: Sequence[int]) -> None:
        from ..io.image import read_channels

        image = read_channels(case.channels)
        body: Mask | None = None
        if self._project.task is not Task.SEGMENTATION:
            body = body_of(image.array)
        for class_id in class_ids:
            found = self._map(image, class_id)
            region, of = self._region(case, class_id, image, body)
            share = self._probability(found, class_id)
            one = looked(
                case.id,
                class_id,
                found.values,
                region,
                of,
                kind=str(found.kind),
                probability=share,
            )
            self._looked.append(one)
            shown = _shown(image, found.values)
            self._shown.append(shown)
            total = self._sums.setdefault(class_id, np.zeros((SIDE, SIDE)))
            total += shown.map

    def _map(self, image: "Image", class_id: int) -> "CaseMap":
        from ..explain.whole import map_of_picture, map_of_scan

        network, card = self._network.network, self._network.card
        column, device = self._ids.index(class_id), self._network.device
        variant, layer = self._job.variant, self._network.looking.layer
        if card.task is not Task.SEGMENTATION:
            return map_of_picture(
                network, card.preprocessing, image, column, device, variant=variant, layer=layer
            )
        if card.patch_size is None:
            raise LongtailError("This model was not trained on label maps.", "Choose another run.")
        return map_of_scan(
            network,
            card.preprocessing,
            image,
            column + 1,  # output 0 is the background
            card.patch_size,
            device,
            variant=variant,
        )

    def _region(
        self, case: Case, class_id: int, image: "Image", body: Mask | None
    ) -> tuple[Mask | None, Inside]:
        boxes = [b for b in self._boxes.get(case.id, ()) if b.class_id == class_id]
        if boxes and len(image.shape) == 2:
            return boxes_mask([box.xywh for box in boxes], image.shape), Inside.BOX
        if self._project.task is Task.SEGMENTATION:
            return self._project.read_label_map(case.id) == class_id, Inside.LABEL
        return body, Inside.NOTHING if body is None else Inside.BODY

    def _probability(self, found: "CaseMap", class_id: int) -> float | None:
        if found.logits is None:
            return None
        card = self._network.card
        setting = read_setting(self._project.run(self._job.run_id).settings, card.class_ids)
        exclusive = card.task is Task.CLASSIFICATION
        shares = setting.probabilities(found.logits[None], card.prior, exclusive=exclusive)
        return float(shares[0, self._ids.index(class_id)])


# --- pictures ---


def _shown(image: "Image", values: np.ndarray[Any, Any]) -> Shown:
    """Bring picture and map to one size; of a volume the slice with the most energy."""
    pixels, place = image.array, -1
    if values.ndim == 3:
        place = int(values.sum(axis=(1, 2)).argmax())
        pixels, values = pixels[:, place], values[place]
    height, width = values.shape
    picture = _grey_or_colour(pixels)
    small = np.stack([_resized(channel) for channel in picture], axis=-1)
    return Shown(
        small.round().astype(np.uint8),
        _resized(np.clip(values, 0, 1) * 255.0).round().astype(np.uint8),
        width / height,
        place,
    )


def _grey_or_colour(pixels: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Give (3, y, x) from 0 to 255."""
    values: np.ndarray[Any, np.dtype[np.float32]] = np.nan_to_num(pixels.astype(np.float32))
    if len(values) != 3:
        values = np.repeat(values[:1], 3, axis=0)
    if pixels.dtype == np.uint8:
        return values
    low, high = np.quantile(values, [0.005, 0.995])
    scaled: np.ndarray[Any, np.dtype[np.float32]] = np.clip(
        (values - low) / max(float(high - low), 1e-12), 0, 1
    )
    return scaled * 255


def _resized(values: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Bring (y, x) to the square that is shown, by means over what comes together."""
    import torch
    from torch.nn.functional import interpolate

    tensor = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))[None, None]
    shrinking = min(tensor.shape[-2:]) >= SIDE
    mode = "area" if shrinking else "bilinear"
    options = {} if shrinking else {"align_corners": False}
    moved: np.ndarray[Any, np.dtype[np.float32]] = interpolate(
        tensor, (SIDE, SIDE), mode=mode, **options
    )[0, 0].numpy()
    return moved


def _bytes(values: np.ndarray[Any, np.dtype[np.float64]]) -> Bytes:
    top = float(values.max()) or 1.0
    scaled: Bytes = (255 * values / top).round().astype(np.uint8)
    return scaled
