"""Runs side by side: what is told of them, and the page in its states."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from qtpy.QtCore import QPoint, Qt

from longtail.app.panels.runs_layout import CASES, CHANGED, LEARNING
from longtail.app.panels.runs_model import (
    MARKERS,
    class_lines,
    markers,
    run_curves,
    run_kind,
    run_line,
    spots,
)
from longtail.app.panels.runs_page import RunsPage
from longtail.app.panels.runs_table import HEAD_PX, LINE_PX, Columns, RunsTable
from longtail.app.session import Session
from longtail.core.evaluate.bootstrap import Bounds
from longtail.core.evaluate.report import (
    ClassValue,
    EvaluatedClass,
    Figure,
    Provenance,
    Report,
    write_report,
)
from longtail.core.evaluate.slices import slices_path, write_slices
from longtail.core.project.records import Task
from longtail.core.project.store import Project

CLASSES = ("liver", "tumour")


class Stage:
    """A backend and a driver that do nothing."""

    def submit(self, job): ...

    def warm_up(self): ...

    def close(self, leave_running=False): ...

    def device_label(self):
        return "CPU"

    def watch(self, tracked, take): ...


def report(run_id, liver, tumour, *, labelled=4, split="test"):
    classes = tuple(
        EvaluatedClass(i + 1, name, colour, tier, 90 - 80 * i, share, len(liver))
        for i, (name, colour, tier, share) in enumerate(
            ((CLASSES[0], "#56b4e9", "head", 0.97), (CLASSES[1], "#cc79a7", "tail", 0.03))
        )
    )
    means = {name: sum(v) / len(v) for name, v in zip(CLASSES, (liver, tumour), strict=True)}
    by_class = {name: ClassValue(v, v - 0.1, min(v + 0.1, 1), 6) for name, v in means.items()}
    mean = sum(means.values()) / 2
    tiers = {"head": by_class["liver"], "tail": by_class["tumour"]}
    summary = {"dice": Figure(mean, mean - 0.05, mean + 0.05, 6, by_class, tiers)}
    cases = tuple(
        {"case": f"scan/{n}", "patient": f"p{n}", "dice": dict(zip(CLASSES, each, strict=True))}
        for n, each in enumerate(zip(liver, tumour, strict=True))
    )
    facts = (labelled, 0, "none", 0, 9, 1, "h", 6, 6, 0, "now")
    made = Provenance("p", "segmentation", "bcp", "BCP", {}, (0,), *facts)
    return Report(run_id, split, summary, cases, made, classes, "Head: ...")


@pytest.fixture
def session(tmp_path):
    folder = tmp_path / "scans.longtail"
    with Project.create(folder, task=Task.SEGMENTATION, classes=CLASSES):
        pass
    stage = Stage()
    made = Session(stage, stage, record=lambda project, job, finished: None)
    made.open_project(folder)
    yield made
    made.close_project()


@pytest.fixture
def add_run(session):
    def add(liver=(0.9, 0.8, 0.7), tumour=(0.5, 0.4, 0.3), method="bcp", **facts):
        project = session.project
        run = project.new_run(
            {
                "method": method,
                "task": "segmentation",
                "label_version": 1,
                "classes": [{"id": i + 1, "name": name} for i, name in enumerate(CLASSES)],
            }
        )
        project.record_run(run.id, state="completed", result={"seconds": 360.0})
        told = report(run.id, liver, tumour, **facts)
        write_report(project.run_folder(run.id) / f"evaluation-{told.split}.json", told)
        return run.id

    return add


@pytest.fixture
def page(session, qtbot):
    opened = []
    widget = RunsPage(session, lambda case, place: opened.append((case, place)))
    widget.opened = opened
    qtbot.addWidget(widget)
    widget.resize(760, 232)
    yield widget
    widget.close_threads()


def settled(page, qtbot, known):
    """Show the page, and wait for the differences of as many runs."""
    page.show()
    qtbot.waitUntil(lambda: len(page._known) == known)


def test_without_an_evaluated_run_it_leads_to_train(page, qtbot):
    page.show()
    qtbot.waitUntil(lambda: page.pages.currentWidget() is page.nothing)
    with qtbot.waitSignal(page.train_asked):
        page.nothing.button.click()


def test_runs_stand_beside_each_other_with_their_difference(page, add_run, session, qtbot):
    first, second = add_run(), add_run(tumour=(0.9, 0.8, 0.7))
    session.choose_run(second)
    settled(page, qtbot, 1)
    lines = page._lines()
    assert [line.id for line in lines] == [second, first]
    assert lines[1].is_reference
    assert lines[0].difference.mean == pytest.approx(0.2)
    assert lines[0].clear is True
    assert "leaves 0 out" in lines[0].sentence
    assert {line.marker for line in lines} == {"disc", "ring"}
    assert page.versus.text().startswith("compared with run 1")


def test_another_run_can_be_chosen_compared_with_and_drawn(page, add_run, session, qtbot):
    first, second, third = add_run(), add_run(), add_run()
    session.choose_run(third)
    settled(page, qtbot, 2)
    assert page._reference == second
    page.compare_with(first)
    qtbot.waitUntil(lambda: len(page._known) == 2)
    assert set(page._ticked) == {first, second, third}
    page.tick(second)
    assert second not in page._ticked
    page.table.chosen.emit(second)
    assert session.run_id == second
    assert second in page._ticked


def test_differences_to_a_run_that_is_no_longer_compared_with_are_dropped(
    page, add_run, session, qtbot
):
    first, second = add_run(), add_run(tumour=(0.6, 0.5, 0.4))
    third = add_run(tumour=(0.9, 0.8, 0.7))
    session.choose_run(third)
    settled(page, qtbot, 2)
    page.compare_with(second)
    page.compare_with(first)
    qtbot.waitUntil(lambda: set(page._known) == {second, third})
    assert page._known[third].overall["dice"].mean == pytest.approx(0.2)


def test_a_click_on_a_changed_case_opens_it_and_all_can_be_listed(page, add_run, session, qtbot):
    add_run()
    session.choose_run(add_run(liver=(0.9, 0.8, 0.2)))
    settled(page, qtbot, 1)
    page.choose_view(CHANGED)
    assert page.stack.currentWidget() is page.changed_area
    qtbot.mouseClick(page.changed, Qt.MouseButton.LeftButton, pos=QPoint(60, 8))
    assert page.opened == [("scan/2", ())]
    with qtbot.waitSignal(session.cases_asked) as asked:
        page.listing.click()
    assert asked.args[0] == ("scan/2",)


def test_the_run_compared_with_has_no_changes_of_its_own(page, add_run, session, qtbot):
    first = add_run()
    add_run()
    session.choose_run(first)
    settled(page, qtbot, 1)
    page.compare_with(first)
    page.choose_view(CHANGED)
    assert page.listing.isHidden()


def test_every_case_is_a_point_that_opens_it(page, add_run, session, qtbot):
    session.choose_run(add_run())
    settled(page, qtbot, 0)
    qtbot.waitUntil(lambda: bool(page._evaluated.runs))
    page.choose_view(CASES)
    plot = page._spots()
    assert len(plot.values()) == 6
    point = SimpleNamespace(data=lambda: replace(plot.values()[0], slice=4))
    plot._click(None, [point])
    assert page.opened == [(plot.values()[0].case, (4, -1, -1))]


def test_slices_are_points_too_where_they_were_measured(page, add_run, session, qtbot):
    run = add_run()
    session.choose_run(run)
    settled(page, qtbot, 0)
    qtbot.waitUntil(lambda: bool(page._evaluated.runs))
    page.choose_view(CASES)
    assert page.by_slice.isHidden()
    path = slices_path(session.project.run_folder(run), "test")
    write_slices(path, {"scan/0": [(3, 1, 0.5), (4, 2, 0.25), (4, 9, 0.1)]})
    page.choose_view(CASES)
    page.by_slice.click()
    plot = page._spots()
    qtbot.waitUntil(lambda: len(plot.values()) == 2)  # class 9 is none of the run's
    assert {(one.class_name, one.slice) for one in plot.values()} == {("liver", 3), ("tumour", 4)}
    path.write_bytes(b"no archive")
    page.choose_view(CASES)
    qtbot.waitUntil(lambda: "cannot be read" in page.title.text())


def test_how_runs_came_along_is_read_from_their_events(page, add_run, session, qtbot):
    run = add_run()
    events = [
        {"event": "Metric", "step": step, "name": "train_dice", "value": v, "class_name": name}
        for step, pair in ((10, (0.2, 0.4)), (20, (0.6, 0.8)))
        for name, v in zip(CLASSES, pair, strict=True)
    ]
    log = session.project.run_folder(run) / "events.jsonl"
    log.write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    settled(page, qtbot, 0)
    qtbot.waitUntil(lambda: bool(page._evaluated.runs))
    page.choose_view(LEARNING)
    qtbot.waitUntil(lambda: bool(page._curves()._curves))
    (curve,) = page._curves()._curves
    assert curve.points == ((10, pytest.approx(0.3)), (20, pytest.approx(0.7)))


def test_a_damaged_report_is_told_and_the_others_are_shown(page, add_run, session, qtbot):
    add_run()
    broken = add_run()
    (session.project.run_folder(broken) / "evaluation-test.json").write_text("{")
    settled(page, qtbot, 0)
    qtbot.waitUntil(lambda: bool(page._evaluated.failed))
    assert broken in page.measured.text()
    assert len(page._lines()) == 1


def test_classes_have_the_value_of_each_drawn_run():
    first, second = report("run-001-a", [0.9], [0.5]), report("run-002-b", [0.8], [0.6])
    lines = class_lines([("disc", first), ("ring", second)])
    assert [line.name for line in lines] == ["liver", "tumour"]
    assert [value.mean for _, _, value in lines[1].values] == [0.5, 0.6]
    assert all(run in lines[0].sentence for run in ("run 1", "run 2"))
    assert class_lines([]) == []


def test_only_so_many_runs_are_drawn_as_there_are_shapes():
    assert list(markers([f"r{n}" for n in range(9)]).values()) == list(MARKERS)


def test_a_run_is_named_by_what_sets_it_apart():
    spec = {"settings": {"loss": "balanced-softmax"}}
    run = SimpleNamespace(id="run-003-x", method="cross-entropy", state="completed", spec=spec)
    assert run_kind(run) == "balanced softmax"
    run.spec = {"settings": {"loss": "ce"}}
    assert run_kind(run) == "Cross-entropy"


def test_points_of_images_lie_below_where_the_answer_is_wrong():
    told = report("run-001-a", [0.9], [0.5])
    lines = (
        {"case": "a", "true": "liver", "predicted": "liver", "probability": 0.9},
        {"case": "b", "true": "liver", "predicted": "tumour", "probability": 0.7},
        {"case": "c", "true": ["tumour"], "probabilities": {"liver": 0.2, "tumour": 0.4}},
    )
    found = spots(replace(told, cases=lines))
    assert [(each.case, each.value) for each in found] == [("a", 0.9), ("b", -0.7), ("c", 0.4)]


def test_curves_are_of_one_measure_that_all_drawn_runs_told():
    train, val = ("train_recall", "a"), ("recall", "a")
    both = {train: [(1, 0.5)], val: [(1, 0.4)]}
    found = run_curves([("disc", "run-001-a", both), ("ring", "run-002-b", {train: [(1, 0.7)]})])
    assert [curve.points for curve in found] == [((1, 0.5),), ((1, 0.7),)]
    assert len({curve.what for curve in found}) == 1
    alone = run_curves([("disc", "run-001-a", both), ("ring", "run-002-b", {})])
    assert [(curve.name, curve.points) for curve in alone] == [("run 1", ((1, 0.4),))]
    assert run_curves([("disc", "run-001-a", {})]) == []


@pytest.mark.parametrize("width", [0, 90, 240, 400, 900])
def test_the_table_paints_at_any_width_and_with_odd_values(width, qtbot):
    table = RunsTable()
    qtbot.addWidget(table)
    run = SimpleNamespace(
        id="run-001-a", method="bcp", state="completed", spec={}, result={"seconds": None}
    )
    line = run_line(
        run,
        report("run-001-a", [0.9], [0.5]),
        reference="",
        marker="disc",
        difference=Bounds(None, None, None),
    )
    odd = replace(line, name="x" * 300, value=type(line.value)(), tiers={}, labelled=123456)
    table.show_lines([line, odd], "run-001-a", "run 2")
    table.resize(max(width, 1), HEAD_PX + 2 * LINE_PX)
    table.grab()
    columns = Columns([line, odd], width)
    assert columns.name[1] >= 0
    assert columns.track[1] >= 0


def test_the_table_is_driven_by_keys(qtbot):
    table = RunsTable()
    qtbot.addWidget(table)
    run = SimpleNamespace(id="r", method="bcp", state="completed", spec={}, result={})
    line = run_line(run, report("r", [0.9], [0.5]), reference="", marker="", difference=None)
    table.show_lines([replace(line, id="a"), replace(line, id="b")], "a", "")
    qtbot.keyClick(table, Qt.Key.Key_Down)
    with qtbot.waitSignal(table.chosen) as chosen:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    with qtbot.waitSignal(table.ticked) as ticked:
        qtbot.keyClick(table, Qt.Key.Key_Space)
    assert chosen.args == ticked.args == ["b"]
