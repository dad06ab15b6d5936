"""`longtail doctor`: one JSON document of findings, or lines and tables for a person."""

import json

import pytest

from longtail.app.__main__ import main
from longtail.app.cli import doctor as command
from longtail.core.backend.events import Finished, Outcome
from longtail.core.review.doctor_records import (
    ClassCount,
    Finding,
    Fix,
    Kind,
    Probe,
    Report,
    Severity,
)

FINDING = Finding(
    Kind.LEAK, Severity.ERROR, "Patient 7 is on both sides.", ("a", "b"), Fix("Move.", {"a": "val"})
)
REPORT = Report(
    (FINDING,),
    (ClassCount(1, "mass", "tail", ((3, 2), (0, 0), (1, 1)), 3.0),),
    (Probe("encoder", "mass", 0.8, 0.7, 0.9), Probe("column:view", "mass", 0.6, 0.5, 0.7)),
    ("The encoder was not there.",),
    4,
)


@pytest.fixture
def answered(monkeypatch):
    """Let the job answer with a report, without a compute process."""

    def run(job, output, *, project, device):
        assert type(job).__name__ == "DoctorJob"
        return Finished(Outcome.COMPLETED, {**report[0].to_mapping(), "seconds": 1.0})

    report = [REPORT]
    monkeypatch.setattr(command, "run_job", run)
    return report


def test_json_holds_what_was_found_and_nothing_else(cells, answered, capsys) -> None:
    assert main(["doctor", str(cells), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert list(document) == ["findings"]
    (found,) = document["findings"]
    assert list(found) == ["kind", "severity", "sentence", "cases", "fix"]
    assert (found["kind"], found["severity"]) == ("leak", "error")
    assert found["cases"] == ["a", "b"]
    assert found["fix"]["parts"] == {"a": "val"}


def test_a_person_reads_lines_and_tables(cells, answered, capsys) -> None:
    assert main(["doctor", str(cells)]) == 0
    told = capsys.readouterr()
    assert "leak: Patient 7 is on both sides." in told.out
    assert "Move." in told.out
    assert "3 of 2" in told.out
    assert "the column view" in told.out
    assert "not there" in told.err


def test_nothing_found_is_said(cells, answered, capsys) -> None:
    answered[0] = Report((), cases=12)
    assert main(["doctor", str(cells)]) == 0
    assert "Nothing was found in 12 cases." in capsys.readouterr().out


def test_a_folder_that_is_no_project_is_a_sentence(tmp_path, capsys) -> None:
    assert main(["doctor", str(tmp_path)]) == 1
    assert "Longtail project" in capsys.readouterr().err
