"""Read heat maps and find their boxes; runs in a worker thread, touches neither Qt nor napari."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..core.errors import LongtailError
from ..core.evaluate.setting import read_setting
from ..core.explain.stored import StoredMap, is_current, map_path, read_stored
from ..core.project.records import Case, RunRecord, Task

if TYPE_CHECKING:
    from ..core.explain.boxes import FoundBox
    from ..core.project.store import Project

LIKELIEST = 0
"""In place of a class: the one that the run holds to be the likeliest. Real classes begin at 1."""

VARIANTS = {
    "grad-cam": "Grad-CAM",
    "grad-cam++": "Grad-CAM++",
    "hirescam": "HiResCAM",
    "layercam": "LayerCAM",
    "eigen-cam": "Eigen-CAM",
    "two-scale": "Two scales",
}
"""The ways to compute a heat map, as `core.explain.variants` knows them, and their names."""

VARIANT_TIPS = {
    "grad-cam": "Grad-CAM: the usual one. Weighs what the network saw by what raised the finding.",
    "grad-cam++": "Grad-CAM++: counts several places of one finding alike.",
    "hirescam": "HiResCAM: shows only places that the network itself used.",
    "layercam": "LayerCAM: keeps what raised the finding at each place; finer.",
    "eigen-cam": "Eigen-CAM: the strongest pattern in the image, whatever the finding.",
    "two-scale": "Two scales: Grad-CAM of the last two levels of detail; small findings get "
    "small boxes.",
}


@dataclass(frozen=True)
class FoundMap:
    """A map with the boxes around what lies above a share of its maximum, the best first."""

    stored: StoredMap
    boxes: "tuple[FoundBox, ...]" = ()


def find_current(
    run_folder: Path, case: Case, class_id: int, variant: str, threshold: float
) -> FoundMap | None:
    """Read a map that was computed before; None where it must be computed (again)."""
    path = map_path(run_folder, case.id, class_id, variant)
    image = Path(case.channels[0].partition("#")[0])
    if not is_current(path, (weights_file(run_folder), image)):
        return None
    try:
        return read_found(path, case, threshold)
    except LongtailError:
        # A damaged copy of what can be computed again is no trouble of the user's.
        return None


def read_found(path: Path, case: Case, threshold: float) -> FoundMap:
    """Read a map of a case; see `read_stored` for what it raises."""
    stored = read_stored(path, case.shape)
    return FoundMap(stored, boxes_at(stored, threshold))


def boxes_at(stored: StoredMap, threshold: float) -> "tuple[FoundBox, ...]":
    """Find the box of a map; none where it does not say where."""
    from ..core.explain.boxes import boxes_of

    if not stored.says_where:
        return ()
    return tuple(boxes_of(np.asarray(stored.values, np.float32), threshold=threshold))


def weights_file(run_folder: Path) -> Path:
    """Give the file of the weights that a run predicts with: the best, else the last."""
    folder = run_folder / "checkpoints"
    best = folder / "best.pt"
    return best if best.is_file() else folder / "last.pt"


def classes_by_probability(project: "Project", run: RunRecord, case_id: str) -> tuple[int, ...]:
    """List the present classes of a run, the likeliest in this image first.

    In the order of the run where it has not looked at the image, behind a `LIKELIEST` that stands
    for what it will say, and of label maps.
    """
    from ..core.jobs.predicting import current_ids

    trained = [int(each["id"]) for each in run.spec.get("classes", ())]
    ids = current_ids(project, trained)
    if project.task is Task.SEGMENTATION:
        return tuple(dict.fromkeys(i for i in ids if i))
    shares = _shares(project, run, case_id, trained)
    if not shares:
        return (LIKELIEST, *dict.fromkeys(i for i in ids if i))
    columns = sorted(range(len(ids)), key=lambda column: -shares[column])
    return tuple(dict.fromkeys(ids[column] for column in columns if ids[column]))


def _shares(
    project: "Project", run: RunRecord, case_id: str, trained: Sequence[int]
) -> Sequence[float]:
    record = project.prediction(run.id, case_id)
    if record is None or record.logits is None or len(record.logits) != len(trained):
        return ()
    exclusive = project.task is Task.CLASSIFICATION
    try:
        setting = read_setting(run.settings, trained)
    except LongtailError:
        # The slider says what is wrong with it; the order is that of the run as trained.
        return [float(value) for value in record.logits]
    rows = setting.moved(record.logits[None], run.result.get("prior"), exclusive=exclusive)
    return [float(value) for value in rows[0]]
