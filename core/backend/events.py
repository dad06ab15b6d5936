"""What a job tells while it runs: small frozen dataclasses, the same for every listener."""

import json
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from functools import cache
from pathlib import PurePath
from typing import Any, TypeAlias

from pydantic import TypeAdapter

JsonDict: TypeAlias = dict[str, Any]


class Outcome(StrEnum):
    """How a job ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Started:
    """The job has the device. `device` is a word for people, such as `CPU`."""

    title: str
    device: str


@dataclass(frozen=True, slots=True)
class Progress:
    """`done` of `total` steps; `eta_s` seconds are left where known; `what` names the phase."""

    done: int
    total: int
    eta_s: float | None = None
    what: str = ""


@dataclass(frozen=True, slots=True)
class Metric:
    """One value at a step, for one class where `class_name` is given."""

    step: int
    name: str
    value: float
    class_name: str | None = None


@dataclass(frozen=True, slots=True)
class Log:
    """A sentence for the record."""

    text: str


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file the job has written; `kind` is checkpoint, prediction, report, snapshot or table."""

    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something a person should look at; `remedies` are what can be done, as short labels.

    `measure` names the metric that shows it, if one does.
    """

    text: str
    kind: str = ""
    class_name: str | None = None
    remedies: tuple[str, ...] = ()
    measure: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A change that a running job has taken up: its class name and its settings."""

    change: str
    settings: JsonDict


@dataclass(frozen=True, slots=True)
class Paused:
    """The job waits; the device is free for others."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The job goes on."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Always the last event. `reason` and `remedy` are sentences, set when the job failed."""

    outcome: Outcome
    result: JsonDict | None = None
    reason: str = ""
    remedy: str = ""


Event: TypeAlias = (
    Started | Progress | Metric | Log | Artifact | Warned | Told | Paused | Resumed | Finished
)

_KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        Started,
        Progress,
        Metric,
        Log,
        Artifact,
        Warned,
        Told,
        Paused,
        Resumed,
        Finished,
    )
}


_FIELDS: dict[type[Any], frozenset[str]] = {
    kind: frozenset(field.name for field in fields(kind)) for kind in _KINDS.values()
}


def to_json(event: Event) -> JsonDict:
    """Turn an event into a plain dictionary, its kind under the key `event`."""
    kind = type(event)
    # Not `asdict`: it copies deeply, and there can be thousands of events a second.
    return {"event": kind.__name__} | {name: getattr(event, name) for name in _FIELDS[kind]}


def from_json(document: JsonDict) -> Event:
    """Read what `to_json` wrote; keys of a newer version are ignored.

    Raises
    ------
    ValueError
        The document is no event, or a field has not the type that it should have: a journal may
        be damaged.
    """
    name = str(document.get("event"))
    if name not in _KINDS:
        raise ValueError(f"not an event: {name!r}")
    event: Event = _reader(name).validate_python(document)
    return event


@cache
def _reader(name: str) -> TypeAdapter[Any]:
    return TypeAdapter(_KINDS[name])


def to_text(document: Any) -> str:
    """Write plain data as one line of JSON; scalars of NumPy and torch become numbers.

    Raises
    ------
    TypeError
        Something in it is no plain data, such as an array: those cross by files.
    """
    return json.dumps(document, ensure_ascii=False, default=_plain)


def told(change: Any) -> Told:
    """Give the event which says that a job has taken up `change`, a dataclass."""
    return Told(type(change).__name__, json.loads(to_text(asdict(change))))


def _plain(value: Any) -> Any:
    if isinstance(value, PurePath):
        return value.as_posix()
    if getattr(value, "ndim", None) == 0:
        return value.item()
    raise TypeError(f"{type(value).__name__} is no plain data")
