"""What `longtail review` and `longtail audit` ask for, and how they tell what came of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from longtail.app import __main__ as command
from longtail.core.backend.events import Finished, Outcome
from longtail.core.jobs.auditing import AuditJob
from longtail.core.jobs.reviewing import ReviewJob
from longtail.core.project.store import Project
from longtail.core.review.audit import Inside, Looked, class_summaries
from longtail.core.review.audit_file import SIDE, Audit, AuditPictures, write_audit
from longtail.core.review.queue import Entry, Kind
from longtail.core.review.queue_file import Queue, queue_path, write_queue

SPEC = {"method": "cross-entropy", "task": "classification"}


@pytest.fixture
def run_id(cells):
    with Project.open(cells) as project:
        run = project.new_run(SPEC)
        project.record_run(run.id, state="completed")
        return run.id


@pytest.fixture
def asked(monkeypatch):
    """The jobs that were asked for; each leaves behind what the real one would."""
    jobs = []

    def leave(job, *_args, **_keywords):
        jobs.append(job)
        if isinstance(job, AuditJob):
            _leave_audit(job)
            return Finished(Outcome.COMPLETED, {})
        with Project.open(Path(job.project), write=False) as project:
            folder = project.run_folder(job.run_id) if job.run_id else project.path / "cache"
            entry = Entry("cell_01", (Kind.LABEL,), "Labelled common.", 0.9, (1,), 2, share=0.9)
            write_queue(queue_path(folder), Queue(job.run_id, 1, (entry,), {"cases": 12}))
            file = queue_path(folder).relative_to(project.path).as_posix()
        return Finished(Outcome.COMPLETED, {"file": file})

    monkeypatch.setattr("longtail.app.cli.review.run_job", leave)
    return jobs


def _leave_audit(job):
    maps = (Looked("cell_10", 1, "graded", 0.7, Inside.BODY, 0.25, 0.5, 0.1, False),)
    pictures = AuditPictures(
        np.zeros((1, SIDE, SIDE, 3), np.uint8),
        np.zeros((1, SIDE, SIDE), np.uint8),
        np.ones(1, np.float32),
        np.full(1, -1, np.int32),
    )
    audit = Audit(job.run_id, job.split, job.variant, "f" * 64, class_summaries(maps), maps, ("n",))
    with Project.open(Path(job.project), write=False) as project:
        write_audit(project.run_folder(job.run_id), audit, pictures)


def test_a_review_is_told_as_json_with_the_names_of_classes(cells, run_id, asked, capsys):
    assert command.main(["review", str(cells), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (job,) = asked
    assert isinstance(job, ReviewJob)
    assert job.run_id == run_id
    assert told["counts"] == {"label": 1, "tail": 0, "rare": 0, "unsure": 0}
    assert told["entries"][0]["given"] == ["common"]
    assert told["entries"][0]["suggested"] == "rare"


def test_a_review_is_told_in_words_and_needs_no_run(cells, asked, capsys):
    assert command.main(["review", str(cells), "--run", "none"]) == 0
    told = capsys.readouterr().out
    assert asked[0].run_id == ""
    assert "1 of 12 cases deserve a look: 1 label in doubt." in told
    assert "0.90  cell_01: Labelled common." in told


def test_an_audit_is_told_as_json_and_in_words(cells, run_id, asked, capsys):
    words = ["audit", str(cells), "--run", run_id, "--map", "layercam", "--most", "7"]
    assert command.main([*words, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (asked[0].variant, asked[0].most, asked[0].split) == ("layercam", 7, "test")
    assert told["maps"][0]["class"] == "common"
    assert told["maps"][0]["inside"] == 0.25
    assert command.main(words) == 0
    assert "common: 25% of the energy of 1 map lies in the body" in capsys.readouterr().out


def test_a_project_without_a_run_says_so(cells, capsys):
    assert command.main(["audit", str(cells)]) != 0
    assert "run" in capsys.readouterr().err
