"""Comparisons by jobs that take no time: order, fairness, interruption, failures."""

import json
import os

import pytest
import yaml

from longtail.core.backend.events import Progress
from longtail.core.compare.cells import CELLS_FILE, read_cells
from longtail.core.compare.plan import Contender
from longtail.core.compare.running import CellBegan, CellEnded, run_comparison
from longtail.core.compare.tabulate import tabulate
from longtail.core.errors import LongtailError
from longtail.core.project.store import Project

A = Contender(name="a", method="supervised", settings={"learning_rate": 0.01})
B = Contender(name="b", method="supervised", settings={"learning_rate": 0.02})
BROKEN = Contender(name="broken", method="supervised", settings={"learning_rate": 0.5})


def interrupt_at(wanted):
    """Press Ctrl+C once, at the event for which `wanted` holds."""
    pressed = []

    def tell(event):
        if not pressed and wanted(event):
            pressed.append(event)
            raise KeyboardInterrupt

    return tell


def specs_of(folder):
    with Project.open(folder, write=False) as project:
        return {run.id: run for run in project.runs()}


def test_every_method_gets_the_same_labels_a_seed_and_number(plan_for, scans, work, backend):
    plan = plan_for(scans, methods=[A, B], seeds=[0, 1], labelled=["2", "4"])
    found = run_comparison(plan, backend, work)
    assert found.is_complete
    runs = specs_of(scans)
    labels = {}
    for record in found.records:
        key = (record.seed, record.labelled)
        labels.setdefault(key, set()).add(tuple(runs[record.run].spec["train_labelled"]))
    assert all(len(subsets) == 1 for subsets in labels.values())
    (few,), (many,) = labels[0, "2"], labels[0, "4"]
    assert set(few) < set(many)
    assert len({*labels[0, "4"], *labels[1, "4"]}) == 2


def test_seeds_are_the_outermost_loop(plan_for, scans, work, backend):
    heard = []
    plan = plan_for(scans, methods=[A, B], seeds=[0, 1])
    run_comparison(plan, backend, work, on_event=heard.append)
    began = [event for event in heard if isinstance(event, CellBegan)]
    assert [(one.cell.seed, one.cell.contender) for one in began] == [
        (0, "a"),
        (0, "b"),
        (1, "a"),
        (1, "b"),
    ]
    assert [(one.number, one.total) for one in began] == [(n, 4) for n in (1, 2, 3, 4)]
    assert began[0].eta_s is None
    assert began[-1].eta_s is not None


def test_runs_belong_to_the_project_and_say_of_which_comparison_they_are(
    plan_for, scans, work, backend, tmp_path
):
    plan = plan_for(scans, methods=[A, B])
    run_comparison(plan, backend, work, folder=tmp_path / "mine")
    runs = list(specs_of(scans).values())
    assert [run.state for run in runs] == ["completed", "completed"]
    assert [run.settings["comparison"] for run in runs] == [
        ["mine", "a", None, None, 0],
        ["mine", "b", None, None, 0],
    ]


def test_the_last_weights_are_measured_and_kept_unless_validation_is_asked_for(
    plan_for, scans, work, backend, jobs_of
):
    run_comparison(plan_for(scans, methods=[A]), backend, work)
    assert [line[0::2] for line in jobs_of(scans)[1:]] == [["evaluate", "last"], ["slim", "last"]]


def test_all_checkpoints_stay_where_that_is_asked_for(plan_for, scans, work, backend, jobs_of):
    run_comparison(plan_for(scans, methods=[A], keep="all"), backend, work)
    assert [line[0] for line in jobs_of(scans)] == ["train", "evaluate"]


def test_what_is_finished_is_never_run_again(plan_for, scans, work, backend, jobs_of):
    plan = plan_for(scans, methods=[A, B])
    run_comparison(plan, backend, work)
    before = jobs_of(scans)
    again = run_comparison(plan_for(scans, methods=[A, B]), backend, work)
    assert again.is_complete
    assert jobs_of(scans) == before


def test_an_interrupted_run_goes_on_from_its_checkpoint(plan_for, scans, work, backend, jobs_of):
    plan = plan_for(scans, methods=[A, B])
    press = interrupt_at(lambda event: isinstance(event, Progress) and event.done == 2)
    stopped = run_comparison(plan, backend, work, on_event=press)
    assert not stopped.records
    assert [cell.contender for cell in stopped.waiting] == ["a", "b"]
    finished = run_comparison(plan, backend, work)
    assert finished.is_complete
    trained = [line for line in jobs_of(scans) if line[0] == "train"]
    assert trained[:2] == [["train", "run-001-supervised", 0], ["train", "run-001-supervised", 2]]
    assert len(specs_of(scans)) == 2


def test_interrupted_while_measuring_it_measures_again_without_training(
    plan_for, scans, work, backend, jobs_of
):
    plan = plan_for(scans, methods=[A])
    press = interrupt_at(lambda event: isinstance(event, Progress) and event.what == "measuring")
    assert not run_comparison(plan, backend, work, on_event=press).records
    assert run_comparison(plan, backend, work).is_complete
    assert [line[0] for line in jobs_of(scans)] == ["train", "evaluate", "evaluate", "slim"]


def test_stopped_halfway_the_table_tells_of_what_is_there(plan_for, scans, work, backend, tmp_path):
    plan = plan_for(scans, methods=[A, B], seeds=[0, 1])
    press = interrupt_at(lambda event: isinstance(event, CellBegan) and event.number == 3)
    found = run_comparison(plan, backend, work, folder=tmp_path / "c", on_event=press)
    assert [row.name for row in found.rows] == ["a", "b"]
    assert [cell.seed for cell in found.waiting] == [1, 1]
    page = (tmp_path / "c" / "table.md").read_text(encoding="utf-8")
    assert "2 of 4 runs are measured" in page
    for name in ("table.csv", "cases.csv", "plot.svg"):
        assert (tmp_path / "c" / name).stat().st_size > 100


def test_a_run_that_was_killed_without_a_word_goes_on(plan_for, scans, work, backend, jobs_of):
    plan = plan_for(scans, methods=[A])

    class Killed(BaseException):
        pass

    def die(event):
        if isinstance(event, Progress) and event.done == 3:
            raise Killed

    with pytest.raises(Killed):
        run_comparison(plan, backend, work, on_event=die)
    assert run_comparison(plan, backend, work).is_complete
    assert [line for line in jobs_of(scans) if line[0] == "train"][-1][2] == 3


def test_a_damaged_checkpoint_means_starting_anew(plan_for, scans, work, backend, jobs_of):
    plan = plan_for(scans, methods=[A])
    press = interrupt_at(lambda event: isinstance(event, Progress) and event.done == 2)
    run_comparison(plan, backend, work, on_event=press)
    (scans / "runs" / "run-001-supervised" / "checkpoints" / "last.pt").write_text("rubbish")
    assert run_comparison(plan, backend, work).is_complete
    assert [line for line in jobs_of(scans) if line[0] == "train"][-1][2] == 0


def test_a_changed_plan_in_the_same_folder_is_refused(plan_for, scans, work, backend, tmp_path):
    folder = tmp_path / "c"
    run_comparison(plan_for(scans, methods=[A]), backend, work, folder=folder)
    with pytest.raises(LongtailError, match=r"the methods.*and the seeds differ.*--out"):
        run_comparison(plan_for(scans, methods=[A, B], seeds=[0, 1]), backend, work, folder=folder)
    with Project.open(scans) as project:
        project.set_labels(["scan0"], None, author="me", status="unlabelled")
    with pytest.raises(LongtailError, match="labels of the project differs"):
        run_comparison(plan_for(scans, methods=[A]), backend, work, folder=folder)


def test_another_reference_needs_no_new_run(plan_for, scans, work, backend, tmp_path, jobs_of):
    folder = tmp_path / "c"
    first = run_comparison(plan_for(scans, methods=[A, B]), backend, work, folder=folder)
    assert [row.pairs for row in first.rows] == [0, 1]
    before = jobs_of(scans)
    plan = plan_for(scans, methods=[A, B], reference="b")
    second = run_comparison(plan, backend, work, folder=folder)
    assert [row.pairs for row in second.rows] == [1, 0]
    assert jobs_of(scans) == before


def test_a_failed_run_is_a_row_with_its_reason_and_the_rest_goes_on(
    plan_for, scans, work, backend, tmp_path
):
    heard = []
    plan = plan_for(scans, methods=[BROKEN, A])
    found = run_comparison(plan, backend, work, folder=tmp_path / "c", on_event=heard.append)
    assert [row.name for row in found.rows] == ["a"]
    assert [one.reason for one in found.failed] == [
        "The loss was not a number. Lower the learning rate."
    ]
    assert not found.is_complete
    assert "The loss was not a number." in (tmp_path / "c" / "table.md").read_text("utf-8")
    ended = [event.record.state for event in heard if isinstance(event, CellEnded)]
    assert ended == ["failed", "done"]


def test_a_failed_run_is_tried_again_as_the_same_run(plan_for, scans, work, backend, jobs_of):
    plan = plan_for(scans, methods=[BROKEN, A])
    run_comparison(plan, backend, work)
    run_comparison(plan, backend, work)
    trained = [line[1] for line in jobs_of(scans) if line[0] == "train"]
    assert trained.count("run-001-supervised") == 2
    assert trained.count("run-002-supervised") == 1
    assert len(tabulate(next((scans / "comparisons").iterdir())).failed) == 1


def test_a_line_cut_short_is_a_run_not_finished(plan_for, scans, work, backend, tmp_path):
    folder = tmp_path / "c"
    plan = plan_for(scans, methods=[A, B])
    run_comparison(plan, backend, work, folder=folder)
    path = folder / CELLS_FILE
    path.write_bytes(path.read_bytes()[:-50])
    assert [record.contender for record in read_cells(folder).values()] == ["a"]
    assert run_comparison(plan, backend, work, folder=folder).is_complete
    assert [record.contender for record in read_cells(folder).values()] == ["a", "b"]


def test_each_draw_is_a_project_of_its_own(plan_for, scans, work, backend, tmp_path):
    tables = [write_draw(tmp_path, f"draw{n}", range(n, n + 3)) for n in (0, 1)]
    plan = plan_for(scans, methods=[A, B], draws=tables)
    folder = tmp_path / "c"
    found = run_comparison(plan, backend, work, folder=folder)
    assert found.is_complete
    assert [row.replicates for row in found.rows] == [("draw0, seed 0", "draw1, seed 0")] * 2
    assert [record.labels for record in found.records] == [3] * 4
    assert len(specs_of(scans)) == 0
    runs = list(specs_of(folder / "projects" / "draw1.longtail").values())
    assert {tuple(run.spec["train_labelled"]) for run in runs} == {
        ("scans/scan1", "scans/scan2", "scans/scan3")
    }
    assert len(runs[0].spec["train_unlabelled"]) == 5


def test_a_draw_that_cannot_be_imported_fails_alone(plan_for, scans, work, backend, tmp_path):
    good = write_draw(tmp_path, "good", range(3))
    bad = tmp_path / "bad.csv"
    bad.write_text("image,label\nscans/scan0.npy,scans/mask0.npy\n")
    plan = plan_for(scans, methods=[A], draws=[bad, good])
    found = run_comparison(plan, backend, work, folder=tmp_path / "c")
    assert [one.draw for one in found.failed] == ["bad"]
    assert "split" in found.failed[0].reason
    assert found.rows[0].replicates == ("good, seed 0",)


def test_a_draw_that_changes_before_its_import_is_refused(plan_for, scans, work, backend, tmp_path):
    table = write_draw(tmp_path, "draw", range(3))
    plan = plan_for(scans, methods=[A], draws=[table])
    table.write_text(table.read_text() + "\n")
    found = run_comparison(plan, backend, work, folder=tmp_path / "c")
    assert "has changed" in found.failed[0].reason


def test_a_project_that_is_open_elsewhere_is_a_sentence(plan_for, scans, work, backend):
    plan = plan_for(scans, methods=[A])
    with Project.open(scans), pytest.raises(LongtailError, match="open for reading only"):
        run_comparison(plan, backend, work)


def test_a_folder_that_was_tampered_with_leads_nowhere(plan_for, scans, work, backend, tmp_path):
    folder = tmp_path / "c"
    plan = plan_for(scans, methods=[A])
    folder.mkdir()
    cell = ["a", None, None, 0]
    (folder / "current.json").write_text(json.dumps({"cell": cell, "run": "../../../etc"}))
    assert run_comparison(plan, backend, work, folder=folder).is_complete
    document = yaml.safe_load((folder / "comparison.yaml").read_text())
    assert document["contenders"][0]["name"] == "a"


def write_draw(folder, name, labelled):
    """Write a table in the contract's form: eight training scans, some labelled; four for test."""
    lines = ["image,label,split"]
    for number in range(12):
        part = "train" if number < 8 else "test"
        mask = f"scans/mask{number}.npy" if number in labelled or number >= 8 else ""
        lines.append(f"scans/scan{number}.npy,{mask},{part}")
    path = folder / f"{name}.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_run_that_another_process_still_writes_is_left_to_it(
    plan_for, scans, work, backend, monkeypatch
):
    plan = plan_for(scans, methods=[A])
    press = interrupt_at(lambda event: isinstance(event, Progress) and event.done == 2)
    run_comparison(plan, backend, work, on_event=press)
    log = scans / "runs" / "run-001-supervised" / "events.jsonl"
    line = next(line for line in log.read_text().splitlines() if "Started" in line)
    log.write_text(json.dumps(json.loads(line) | {"process": os.getppid()}) + "\n")
    monkeypatch.setattr("longtail.core.compare.running.LONGEST_WAIT_S", 0.0)
    found = run_comparison(plan, backend, work)
    assert "still being trained" in found.failed[0].reason
    log.write_text("")
    assert run_comparison(plan, backend, work).is_complete
