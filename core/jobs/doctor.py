"""Examine a project before training: what is rare, missing, there twice, or tells too much."""

import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..backend.events import Artifact, Event, Log
from ..backend.job import Job, JobContext, Steps
from ..errors import LongtailError
from .opening import opened

if TYPE_CHECKING:
    import numpy as np

    from ..project.records import Case
    from ..project.store import Project
    from ..review.doctor_keeping import Kept
    from ..review.doctor_looks import Look

READ_AT_ONCE = 64
WHAT = "Reading the images"


@dataclass(frozen=True)
class DoctorJob(Job):
    """Look at every image once and tell what will go wrong.

    The result is `Report.to_mapping` of `longtail.core.review.doctor_records` with `seconds` and
    `file`, where it is kept in the project's cache. Looks and embeddings of images that have not
    changed are used again. Stopped, it tells what the looked-at images show.

    Parameters
    ----------
    project
        The project's folder.
    shortcuts
        Whether to ask a pretrained encoder too: for copies and for the shortcut check.
    """

    interactive: ClassVar[bool] = True

    project: str
    shortcuts: bool = True

    @property
    def title(self) -> str:
        """A few words for the progress bar."""
        return "Examine the data"

    def run(self, context: JobContext) -> Steps:
        """Look, compare, and keep the report."""
        from ..review.doctor import diagnose
        from ..review.doctor_keeping import keep_report, report_path, state_of
        from ..review.doctor_study import study_of

        began = time.monotonic()
        with opened(self.project) as project:
            cases = project.cases()
            study = study_of(project.catalogue(), project.classes, cases)
            state = state_of(study)
            kept, unread = yield from _look(project, cases, context)
            embedded, notes = yield from self._embed(kept.looks.ids, context)
            yield from context.safe_point()
            report = diagnose(study, kept.looks, embedded, unread, notes)
            path = report_path(project.path)
            written = keep_report(path, report, state)
        if written:
            yield Artifact(path.as_posix(), "report")
        return {**report.to_mapping(), "seconds": round(time.monotonic() - began, 1)}

    def _embed(
        self, ids: Sequence[str], context: JobContext
    ) -> "Generator[Event, None, tuple[np.ndarray[Any, Any] | None, list[str]]]":
        """Give the pretrained encoder's features of cases; None, and why, where there are none."""
        if not self.shortcuts or not ids or context.stop_asked:
            return None, []
        from .embedding import EmbedJob

        try:
            done = yield from EmbedJob(self.project, cases=tuple(ids)).run(context)
        except LongtailError as error:
            note = f"Shortcuts were not looked for: {error}"
            yield Log(note)
            return None, [note]
        return _aligned(Path(self.project) / (done or {})["file"], ids), []


def _aligned(path: Path, ids: Sequence[str]) -> "np.ndarray[Any, Any]":
    """Put the features of an embedding into the order of `ids`; NaN where it has none."""
    import numpy as np

    from ..explain.embedding_file import read_embedding

    found = read_embedding(path)
    features = np.full((len(ids), found.features.shape[1]), np.nan, np.float32)
    places = {case: row for row, case in enumerate(ids)}
    for row, place in zip(found.rows.tolist(), found.features, strict=True):
        case = found.case_ids[row]
        if case in places:
            features[places[case]] = place
    return features


def _look(
    project: "Project", cases: "Sequence[Case]", context: JobContext
) -> "Generator[Event, None, tuple[Kept, dict[str, str]]]":
    """Look at the cases that are not known yet; give all looks, and why some could not be had."""
    from ..review.doctor_keeping import keep_looks, known_looks, put_together
    from .embedding_store import mark_of

    path = project.path / "cache" / "doctor" / "looks.npz"
    marks = {case.id: mark_of(case) for case in cases}
    known = known_looks(path, marks)
    waiting = [case for case in cases if case.id not in known]
    fresh: dict[str, Look] = {}
    unread: dict[str, str] = {}
    yield from _read(waiting, context, fresh, unread)
    kept = put_together([case.id for case in cases], marks, known, fresh)
    if fresh:
        keep_looks(path, kept)
    return kept, unread


def _read(
    cases: "Sequence[Case]", context: JobContext, fresh: "dict[str, Look]", unread: dict[str, str]
) -> Iterator[Event]:
    from ..review.doctor_looks import look_at
    from .predicting import Clock

    def attempt(case: "Case") -> "Look | LongtailError":
        try:
            return look_at(case.channels)
        except LongtailError as error:
            return error

    if not cases:
        return
    clock = Clock(len(cases), WHAT)
    with ThreadPoolExecutor(max(1, context.threads)) as pool:
        for start in range(0, len(cases), READ_AT_ONCE):
            chunk = cases[start : start + READ_AT_ONCE]
            for case, found in zip(chunk, pool.map(attempt, chunk), strict=True):
                if isinstance(found, LongtailError):
                    unread[case.id] = f"{case.id}: {found.reason}"
                else:
                    fresh[case.id] = found
            yield clock.progress(start + len(chunk))
            yield from context.safe_point()
            if context.stop_asked:
                return
