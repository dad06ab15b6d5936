"""The page before a run: its list of methods, its runs, and what it says of unlabelled cases."""

import pytest
from qtpy.QtCore import QRect
from qtpy.QtGui import QPainter, QPixmap
from qtpy.QtWidgets import QStyleOptionViewItem

from longtail.app.panels.train_before_method import LIST_PX, MethodChooser
from longtail.app.panels.train_before_parts import UseSection
from longtail.app.panels.train_before_runs import MOST_OFFERED, PastRuns
from longtail.app.panels.train_model import Plan, UseRow, methods_for, unlabelled_sentence
from longtail.core.methods.catalogue import METHODS
from longtail.core.methods.spec import RunSpec, SpecClass
from longtail.core.project.records import Task


@pytest.fixture
def chooser(qtbot):
    widget = MethodChooser()
    qtbot.addWidget(widget)
    qtbot.addWidget(widget.box)
    return widget


@pytest.mark.parametrize("task", list(Task))
def test_methods_are_offered_in_the_order_of_the_catalogue_with_their_words(chooser, task):
    methods = methods_for(task)
    assert chooser.show_methods(methods)
    assert not chooser.show_methods(methods)
    offered = tuple(chooser.box.itemData(row) for row in range(chooser.box.count()))
    assert offered == METHODS.names(task)
    for row, method in enumerate(methods):
        chooser.box.setCurrentIndex(row)
        assert chooser.chosen is method
        assert chooser.sentence.text() == method.sentence
        assert chooser.when.text() == method.when


def test_a_change_of_the_method_is_told_once(chooser, qtbot):
    chooser.show_methods(methods_for(Task.SEGMENTATION))
    heard = []
    chooser.chosen_changed.connect(lambda: heard.append(chooser.chosen.name))
    chooser.box.setCurrentIndex(chooser.box.count() - 1)
    assert heard == [METHODS.names(Task.SEGMENTATION)[-1]]


def test_rows_of_the_list_are_painted_with_room_for_their_sentence(chooser):
    chooser.show_methods(methods_for(Task.SEGMENTATION))
    delegate, model = chooser.box.itemDelegate(), chooser.box.model()
    model.appendRow(model.invisibleRootItem().child(0).clone())
    model.item(model.rowCount() - 1).setText("n" * 300)
    picture = QPixmap(LIST_PX, 80)
    for row in range(model.rowCount()):
        option = QStyleOptionViewItem()
        size = delegate.sizeHint(option, model.index(row, 0))
        assert 30 < size.height() < 70
        option.rect = QRect(0, 0, LIST_PX, size.height())
        painter = QPainter(picture)
        delegate.paint(painter, option, model.index(row, 0))
        painter.end()
    assert not picture.toImage().isNull()


def plan(unlabelled=0, partly=0, task=Task.SEGMENTATION):
    classes = (SpecClass(id=1, name="organ", examples=4),)
    spec = RunSpec(method="supervised", task=task, classes=classes)
    return Plan(spec, None, (UseRow(1, "organ", 4),), 4, unlabelled, partly=partly)


@pytest.mark.parametrize(
    ("made", "used", "sentence"),
    [
        (plan(6), False, "This method learns from the labelled ones alone."),
        (plan(6), True, ""),
        (plan(0), False, ""),
        (plan(0), True, "Every scan is labelled: nothing to gain from this method."),
        (
            plan(0, task=Task.CLASSIFICATION),
            True,
            "Every image is labelled: nothing to gain from this method.",
        ),
        (
            plan(0, partly=3),
            True,
            "Every scan is labelled, 3 of them in part: what was left out is learned from as "
            "unlabelled.",
        ),
    ],
)
def test_what_the_unlabelled_are_to_a_method(qtbot, made, used, sentence):
    assert unlabelled_sentence(made, used=used) == sentence
    section = UseSection()
    qtbot.addWidget(section)
    section.show_plan(made, used=used)
    assert section.note.text() == sentence
    assert section.note.isHidden() == (not sentence)
    told = "4 labelled, 6 unlabelled" if used and made.unlabelled else "4 labelled"
    assert section.section.aside.text() == told


def test_runs_are_offered_where_there_are_some(qtbot):
    runs = PastRuns()
    qtbot.addWidget(runs)
    runs.show_runs("no run yet", ())
    assert runs.text() == "no run yet"
    assert not runs.isEnabled()
    runs.show_runs("40 runs", [(f"run-{i}", f"run {i} · ACTION++") for i in range(40)])
    assert runs.isEnabled()
    actions = runs.menu_actions()
    assert len(actions) == MOST_OFFERED
    with qtbot.waitSignal(runs.run_asked) as asked:
        actions[1].trigger()
    assert asked.args == ["run-1"]
