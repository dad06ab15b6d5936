import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from longtail.core.backend.events import (
    Artifact,
    Event,
    Finished,
    Log,
    Metric,
    Outcome,
    Paused,
    Progress,
    Resumed,
    Started,
    Told,
    Warned,
    from_json,
    to_json,
    to_text,
    told,
)

EVENTS: list[Event] = [
    Started("Training", "CPU"),
    Progress(3, 10, 4.5, "steps"),
    Metric(3, "dice", 0.5, "tumour"),
    Log("a sentence"),
    Artifact("runs/1/last.pt", "checkpoint"),
    Warned("look", "rare", "tumour", ("sample more", "label more")),
    Told("SampleMore", {"factor": 2}),
    Paused(),
    Resumed(),
    Finished(Outcome.FAILED, {"steps": [1, 2]}, "it broke", "mend it"),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_survives_json(event: Event) -> None:
    assert from_json(json.loads(to_text(to_json(event)))) == event


def test_an_event_of_a_newer_version_loses_only_what_is_new() -> None:
    assert from_json({"event": "Log", "text": "a", "colour": "red"}) == Log("a")


@pytest.mark.parametrize("document", [{}, {"event": "Sung"}])
def test_other_documents_are_no_events(document: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="not an event"):
        from_json(document)


@pytest.mark.parametrize(
    "document",
    [
        {"event": "Metric", "step": 1, "name": "dice", "value": 0.5, "class_name": ["tumour"]},
        {"event": "Metric", "step": 1, "name": "dice", "value": None},
        {"event": "Progress", "done": "some", "total": 3},
        {"event": "Warned", "text": "look", "remedies": 3},
        {"event": "Finished", "outcome": "sung"},
        {"event": "Finished"},
    ],
)
def test_a_damaged_field_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        from_json(document)


def test_scalars_and_paths_become_plain_data() -> None:
    assert json.loads(to_text([np.float32(0.5), np.int64(3), Path("a") / "b"])) == [0.5, 3, "a/b"]


def test_arrays_are_refused() -> None:
    with pytest.raises(TypeError, match="ndarray is no plain data"):
        to_text(np.zeros(2))


def test_told_names_the_change_and_its_settings() -> None:
    @dataclass(frozen=True)
    class SampleMore:
        class_name: str
        factor: float

    assert told(SampleMore("tumour", 2.0)) == Told(
        "SampleMore", {"class_name": "tumour", "factor": 2.0}
    )
