"""`longtail doctor`: what will go wrong, before any training."""

from collections.abc import Sequence

from ...core.backend.events import Finished
from ...core.jobs.doctor import DoctorJob
from ...core.project.store import Project
from ...core.review.doctor_records import ClassCount, Probe, Report
from .jobs import run_job
from .options import AsJson, Device, ProjectPath
from .output import Output

MARKS = {"error": "!!", "warning": "! ", "info": "i "}
SOURCES = {"encoder": "the picture, pretrained network", "border": "its border alone"}
SOURCES |= {"thumbnail": "24 pixels of it (a figure, no warning)"}


def doctor(project: ProjectPath, device: Device = "auto", as_json: AsJson = False) -> None:
    """Examine a project: what is rare, missing, there twice, or tells too much."""
    output = Output(as_json)
    with Project.open(project, write=False) as opened:
        where = opened.path.as_posix()
    finished = run_job(DoctorJob(where), output, project=None, device=device)
    report = _report(finished)
    output.result({"findings": [one.to_mapping() for one in report.findings]}, *_lines(report))
    if not as_json:
        output.table(("class", "tier", "train", "val", "test", "effective"), _counts(report))
    if report.probes and not as_json:
        output.table(("told from", "classes", "mean AUC"), _probes(report.probes))
    for note in report.notes:
        output.warn(note)


def _report(finished: Finished) -> Report:
    return Report.from_mapping(finished.result or {})


def _lines(report: Report) -> list[str]:
    if not report.findings:
        return [f"Nothing was found in {report.cases:,} cases."]
    lines = []
    for one in report.findings:
        lines.append(f"{MARKS[one.severity]} {one.kind}: {one.sentence}")
        if one.fix is not None:
            lines.append(f"   can be mended in the window: {one.fix.sentence}")
    return lines


def _counts(report: Report) -> list[tuple[str, ...]]:
    return [(one.name, one.tier, *_parts(one), f"{one.effective:.0f}") for one in report.classes]


def _parts(one: ClassCount) -> list[str]:
    return [f"{images} of {patients}" if images else "-" for images, patients in one.parts]


def _probes(probes: Sequence[Probe]) -> list[tuple[str, str, str]]:
    rows = []
    for source in dict.fromkeys(probe.source for probe in probes):
        values = [probe.auc for probe in probes if probe.source == source]
        name = SOURCES.get(source) or f"the column {source.removeprefix('column:')}"
        rows.append((name, str(len(values)), f"{sum(values) / len(values):.2f}"))
    return rows
