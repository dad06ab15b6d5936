"""Which weights the commands that use a run are asked for."""

import pytest

from longtail.app import __main__ as command
from longtail.core.backend.events import Finished, Outcome
from longtail.core.project.store import Project

SPEC = {"method": "cross-entropy", "task": "classification"}


@pytest.mark.parametrize(
    ("words", "which"),
    [
        (["predict", "--cases", "test"], "best"),
        (["predict", "--cases", "cell_01,cell_02", "--weights", "class-2"], "class-2"),
        (["predict", "--source", ".", "--weights", "last"], "last"),
    ],
)
def test_weights_may_be_those_best_for_a_class(cells, monkeypatch, capsys, words, which):
    with Project.open(cells) as project:
        run = project.new_run(SPEC)
        project.record_run(run.id, state="completed")
    asked = []

    def note(job, *_args, **_keywords):
        asked.append(job)
        return Finished(Outcome.COMPLETED, {"count": 2})

    monkeypatch.setattr("longtail.app.cli.results.run_job", note)
    assert command.main([words[0], str(cells), *words[1:]]) == 0
    assert [(job.run_id, job.which) for job in asked] == [(run.id, which)]
    assert "2" in "".join(capsys.readouterr())
