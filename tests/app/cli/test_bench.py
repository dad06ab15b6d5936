"""What `longtail bench` offers, and how comparisons are asked for; nothing is trained here."""

import json
from pathlib import Path

import numpy as np
import pytest

from longtail.app import __main__ as command
from longtail.app.cli import bench
from longtail.core.compare.cells import CaseScores, CellClass, CellRecord, append_cell
from longtail.core.compare.running import CellEnded, begin
from longtail.core.compare.tabulate import tabulate
from longtail.core.project.records import ImageLabels, NewCase, Split, Status, Task
from longtail.core.project.store import Project


@pytest.fixture
def pictures(tmp_path):
    """Six pictures of two classes, two of them for testing."""
    cases = []
    for number in range(6):
        np.save(tmp_path / f"p{number}.npy", np.full((8, 8), number, np.uint8))
        split = Split.TRAIN if number < 4 else Split.TEST
        answer = ImageLabels(yes=frozenset({1 + number % 2}))
        path = str(tmp_path / f"p{number}.npy")
        cases.append(NewCase(f"p{number}", (path,), (8, 8), 1, None, split, labels=answer))
    folder = tmp_path / "pictures.longtail"
    with Project.create(folder, task=Task.CLASSIFICATION, classes=["a", "b"]) as project:
        project.add_cases(cases, status=Status.REVIEWED)
    return str(folder)


def files_of(folder):
    """What is there, but for what SQLite keeps beside a database that was read."""
    return {path for path in folder.rglob("*") if not path.name.startswith("project.db-")}


def test_help_says_what_there_is(capsys):
    assert command.main(["bench", "--help"]) == 0
    told = capsys.readouterr().out
    for name in ("segmentation", "classification", "label-efficiency", "startup", "catalogue"):
        assert name in told


def test_an_unknown_name_is_a_sentence_that_lists_the_others(capsys):
    assert command.main(["bench", "nonsense"]) == 1
    told = capsys.readouterr().err
    assert "no benchmark nonsense" in told
    assert "segmentation" in told
    assert "startup" in told


def test_an_installed_package_says_that_its_benchmarks_are_elsewhere(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "BENCHMARKS", tmp_path / "absent")
    assert command.main(["bench", "nonsense"]) == 1
    assert "source checkout" in capsys.readouterr().err


def test_a_developers_benchmark_is_run_by_its_path(tmp_path, monkeypatch, capsys):
    (tmp_path / "startup.py").write_text(
        "def measure():\n"
        "    return [{'measure': 'm', 'value': 1.5, 'unit': 's', 'reference': None,"
        " 'ratio': None, 'target': 2.0, 'ok': True}]\n"
    )
    monkeypatch.setattr(bench, "BENCHMARKS", tmp_path)
    assert command.main(["bench", "startup", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["name"] == "startup"
    assert document["results"][0]["value"] == 1.5


@pytest.mark.parametrize(
    ("given", "target", "met"),
    [
        ({}, None, None),
        ({"at_most": 5.0}, 5.0, True),
        ({"at_most": 2.0}, 2.0, False),
        ({"at_least": 5.0}, 5.0, False),
        ({"at_least": 2.0}, 2.0, True),
        ({"at_least": 2.0, "ratio": 1.5}, 2.0, False),
        ({"at_most": 2.0, "judged": 1.0}, 2.0, True),
    ],
)
def test_a_line_of_a_benchmark_tells_whether_its_target_is_met(given, target, met):
    line = bench.result("m", 3.0, "s", **given)
    assert (line["target"], line["ok"]) == (target, met)


def test_a_measure_that_could_not_be_taken_is_neither_met_nor_missed():
    line = bench.result("m", None, "s", at_least=2.0, note="Not here.")
    assert (line["ok"], line["note"]) == (None, "Not here.")


def test_a_dry_run_says_what_and_how_long_and_writes_nothing(pictures, capsys, tmp_path):
    words = f"bench classification {pictures} --methods ce,ldam --seeds 0,1 --minutes 6 --dry-run"
    before = files_of(tmp_path)
    assert command.main(words.split()) == 0
    told = capsys.readouterr().out
    assert "4 runs of 6 minutes each: 2 methods, 2 seeds." in told
    assert "ldam: cross-entropy, preset auto, loss ldam." in told
    assert "25 minutes in all" in told
    assert files_of(tmp_path) == before


def test_methods_whose_steps_cost_unlike_have_iterations_of_their_own(pictures, capsys):
    own = "--iterations ce=30,cross-entropy:loss=ldam=20"
    words = f"bench classification {pictures} --methods ce,cross-entropy:loss=ldam {own} --dry-run"
    assert command.main([*words.split(), "--json"]) == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert [one["iterations"] for one in plan["contenders"]] == [30, 20]


def test_folds_are_runs_of_their_own(pictures, capsys):
    words = f"bench classification {pictures} --methods ce --folds 2 --minutes 6 --dry-run"
    assert command.main(words.split()) == 0
    assert "2 runs of 6 minutes each: 1 method, 1 seed, 2 folds." in capsys.readouterr().out
    assert command.main([*words.split(), "--json"]) == 0
    cells = json.loads(capsys.readouterr().out)["cells"]
    assert [cell["draw"] for cell in cells] == ["fold-1-of-2", "fold-2-of-2"]


def test_a_dry_run_as_json_lists_the_runs(pictures, capsys):
    words = f"bench label-efficiency {pictures} --methods ce --labelled 2,4 --dry-run --json"
    assert command.main(words.split()) == 0
    document = json.loads(capsys.readouterr().out)
    assert [cell["labelled"] for cell in document["cells"]] == ["2", "4"]
    assert document["plan"]["minutes"] == 6.0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("segmentation {} --methods supervised", "Use bench classification"),
        ("classification {} --methods supervised", "does not do classification"),
        ("classification {} --methods ce --seeds one", "no whole numbers"),
        ("classification {} --methods ce --minutes 1 --iterations 2", "either minutes or"),
        ("classification {} --methods ce --iterations few", "cannot be read"),
        ("classification {} --methods ce --iterations ce=few", "cannot be read"),
        ("label-efficiency {} --methods ce --labelled 4", "two numbers"),
        ("classification {}.not --methods ce", "not"),
    ],
)
def test_a_wish_that_cannot_be_is_a_sentence(pictures, capsys, words, told):
    assert command.main(["bench", *words.format(pictures).split()]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert "Traceback" not in error


def pretend(state):
    """Stand in for `compare`: one run ends so, the others are not begun."""

    def compare(plan, backend, tell, *, folder):
        begin(plan, folder)
        cases = tuple(
            CaseScores(case=f"p{n}", truth=(n % 2, 1 - n % 2), logits=(0.0, float(n)))
            for n in range(4)
        )
        classes = tuple(CellClass(name=name, tier="tail", training=2) for name in "ab")
        cell = next(plan.cells())
        reason = "The loss was not a number." if state == "failed" else ""
        record = CellRecord(
            **cell._asdict(), state=state, reason=reason, classes=classes, cases=cases
        )
        append_cell(folder, record)
        tell(CellEnded(record))
        return tabulate(folder)

    return compare


def test_a_comparison_is_one_json_document_and_tells_what_is_missing(pictures, capsys, monkeypatch):
    monkeypatch.setattr("longtail.app.cli.compare_run.compare", pretend("done"))
    words = f"bench classification {pictures} --methods ce --seeds 0,1 --json"
    assert command.main(words.split()) == 0
    told = capsys.readouterr()
    document = json.loads(told.out)
    assert document["complete"] is False
    assert document["rows"][0]["summary"]["balanced_accuracy"]["n"] == 1
    assert Path(document["folder"]).parent == Path(pictures) / "comparisons"
    assert "The same command goes on" in told.err


def test_a_comparison_prints_its_table(pictures, capsys, monkeypatch):
    monkeypatch.setattr("longtail.app.cli.compare_run.compare", pretend("done"))
    assert command.main(["bench", "classification", pictures, "--methods", "ce"]) == 0
    told = capsys.readouterr().out
    assert "table.md" in told
    for width, heads in ((60, ["Balanced accuracy"]), (200, ["Balanced accuracy", "Macro F1"])):
        monkeypatch.setenv("COLUMNS", str(width))
        assert command.main(["bench", "classification", pictures, "--methods", "ce"]) == 0
        told = capsys.readouterr().out
        assert all(head in told for head in heads)
        assert "\N{HORIZONTAL ELLIPSIS}" not in told


def test_a_comparison_of_which_nothing_came_fails(pictures, capsys, monkeypatch):
    monkeypatch.setattr("longtail.app.cli.compare_run.compare", pretend("failed"))
    assert command.main(["bench", "classification", pictures, "--methods", "ce"]) == 1
    assert "Every run failed" in capsys.readouterr().err
