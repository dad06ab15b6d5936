"""What crosses between the window's process and the compute process.

Orders go down pickled, since jobs and changes are found by class name. Reports come up as JSON: so
the window never imports what the compute process has loaded, and takes nothing but plain data.
"""

import json
from dataclasses import dataclass
from typing import Any, TypeAlias

from .events import Event, from_json, to_json, to_text

# Far above any list of case ids; an array would not fit, and must cross by a file.
LARGEST_JOB_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class Submit:
    """Queue the job pickled in `payload`."""

    job_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Steer:
    """Do what `wish` names: pause, resume, stop or cancel."""

    job_id: str
    wish: str


@dataclass(frozen=True, slots=True)
class Tell:
    """Hand the change pickled in `payload` to a job."""

    job_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Leave:
    """The client goes. Stop all jobs and keep their work, or finish them if `leave_running`."""

    leave_running: bool


Order: TypeAlias = Submit | Steer | Tell | Leave


@dataclass(frozen=True, slots=True)
class Hello:
    """The process is there; torch is not yet imported."""

    process_id: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The device is known."""

    device_label: str


@dataclass(frozen=True, slots=True)
class Happened:
    """Events in their order, each with the id of its job."""

    events: tuple[tuple[str, Event], ...]


@dataclass(frozen=True, slots=True)
class Idle:
    """There has been no job for the time agreed; the client may end the process."""


@dataclass(frozen=True, slots=True)
class Parting:
    """The last report before the process ends, or goes on without a client."""


Report: TypeAlias = Hello | Ready | Happened | Idle | Parting
_REPORTS: dict[str, Any] = {kind.__name__: kind for kind in (Hello, Ready, Idle, Parting)}


def event_text(job_id: str, event: Event) -> str:
    """Encode one event for `happened_text`.

    Raises
    ------
    TypeError
        The event holds something other than plain data.
    """
    return to_text([job_id, to_json(event)])


def happened_text(events: list[str]) -> bytes:
    """Encode `Happened` from its encoded events."""
    return f'{{"report":"Happened","events":[{",".join(events)}]}}'.encode()


def report_text(report: Hello | Ready | Idle | Parting) -> bytes:
    """Encode a report without events."""
    values = {name: getattr(report, name) for name in type(report).__dataclass_fields__}
    return to_text({"report": type(report).__name__, "values": values}).encode()


def read_report(text: bytes) -> Report:
    """Decode a report.

    Raises
    ------
    ValueError or KeyError
        The text is no report.
    """
    document = json.loads(text)
    if document["report"] == "Happened":
        return Happened(tuple((job_id, from_json(event)) for job_id, event in document["events"]))
    report: Report = _REPORTS[document["report"]](**document["values"])
    return report
