"""Matrix, mistakes, curves and reliability in the Results panel."""

import numpy as np
import pytest
from qtpy.QtCore import QPointF, Qt

from longtail.app.panels.results_details import CURVES, RELIABILITY, TAKEN, DetailsPart
from longtail.app.panels.results_matrix import HEAD_PX, MatrixView
from longtail.app.panels.results_mistakes import Matrix
from longtail.core.evaluate.parts import confusion_of, multi_label_parts, single_label_parts
from longtail.core.evaluate.report import EvaluatedClass, Provenance, Report
from longtail.core.evaluate.summary import multi_label_figures, single_label_figures

ABOUT = Provenance(
    "p", "classification", "m", "M", {}, (0,), 9, 0, "none", 0, 1, 1, "h", 6, 6, 0, "now"
)


def of_classes(count, test):
    tiers = ["head", "medium", "tail"]
    return tuple(
        EvaluatedClass(i + 1, f"class {i}", "#ffffff", tiers[i % 3], 90 - i, None, int(test[i]))
        for i in range(count)
    )


def single(count=3, size=60):
    rng = np.random.default_rng(0)
    truth = np.r_[np.arange(count), rng.integers(0, count, size - count)]
    logits = rng.normal(size=(size, count)) + np.eye(count)[truth]
    names = [f"class {i}" for i in range(count)]
    lines = tuple(
        {"case": f"c{i}", "true": names[t], "predicted": names[s]}
        for i, (t, s) in enumerate(zip(truth, logits.argmax(axis=1), strict=True))
    )
    classes = of_classes(count, np.bincount(truth, minlength=count))
    patients = [str(i) for i in range(size)]
    summary = single_label_figures(truth, logits, classes, patients, resamples=20)
    parts = single_label_parts(truth, logits, names)
    table = confusion_of(truth, logits, names)
    return Report("r", "test", summary, lines, ABOUT, classes, "", table, parts)


def several():
    rng = np.random.default_rng(1)
    truth = (rng.random((40, 2)) < 0.4).astype(np.int8)
    logits = rng.normal(size=(40, 2)) + truth
    classes = of_classes(2, truth.sum(axis=0))
    patients = [str(i) for i in range(40)]
    summary = multi_label_figures(truth, logits, classes, patients, resamples=20)
    parts = multi_label_parts(truth, logits, ["class 0", "class 1"], [0.5, 0.5])
    lines = tuple(
        {
            "case": f"c{i}",
            "true": [f"class {k}" for k in range(2) if truth[i, k]],
            "probabilities": {f"class {k}": float(logits[i, k] > 0) for k in range(2)},
        }
        for i in range(40)
    )
    return Report("r", "test", summary, lines, ABOUT, classes, "", None, parts)


@pytest.fixture
def part(qtbot):
    widget = DetailsPart()
    qtbot.addWidget(widget)
    widget.resize(286, 900)
    widget.show()
    return widget


def open_all(part):
    for fold in part.folds.values():
        fold.open()


@pytest.mark.parametrize("made", [single(), single(20, 90), several()], ids=["3", "20", "several"])
def test_every_fold_opens_on_every_kind_of_report(part, made):
    part.show_report(made)
    open_all(part)
    assert not part.grab().isNull()
    assert "AUC" in part.parts[CURVES].words.text()
    assert "Calibration error" in part.parts[RELIABILITY].words.text()
    assert part.parts[TAKEN].matrix.isHidden() == (made.confusion is None)


def test_label_maps_have_no_such_parts(part):
    part.show_report(single())
    part.show_report(None)
    assert part.isHidden()


def test_a_cell_lists_its_images(part, qtbot):
    made = single()
    part.show_report(made)
    open_all(part)
    with qtbot.waitSignal(part.cases_asked) as asked:
        part.parts[TAKEN].matrix.picked.emit(0, 1)
    wanted = [
        line["case"]
        for line in made.cases
        if (line["true"], line["predicted"]) == ("class 0", "class 1")
    ]
    assert list(asked.args[0]) == wanted
    assert asked.args[1] == "class 0 taken for class 1"


def test_a_line_and_all_wrong_ones_list_theirs(part, qtbot):
    made = single()
    part.show_report(made)
    open_all(part)
    with qtbot.waitSignal(part.cases_asked) as asked:
        qtbot.mouseClick(
            part.parts[TAKEN].list, Qt.MouseButton.LeftButton, pos=part.rect().topLeft()
        )
    assert len(asked.args[0]) == made.images.pairs[0].n
    wrong = sum(line["true"] != line["predicted"] for line in made.cases)
    assert part.parts[TAKEN].all.text() == f"List all {wrong} wrong images"
    with qtbot.waitSignal(part.cases_asked) as asked:
        part.parts[TAKEN].all.click()
    assert len(asked.args[0]) == wrong


def test_the_rarest_class_is_shown_first_and_another_can_be_chosen(part):
    part.show_report(single())
    open_all(part)
    assert part.parts[CURVES].choice.text().startswith("class 2")
    before = part.parts[CURVES].words.text()
    part.parts[CURVES].choice.chosen.emit("class 0")
    assert part.parts[CURVES].choice.text().startswith("class 0")
    assert part.parts[CURVES].words.text() != before


def test_curves_of_few_images_say_so(part):
    made = single(20, 40)
    part.show_report(made)
    open_all(part)
    few = next(each for each in made.classes if each.few)
    part.parts[CURVES].choice.chosen.emit(few.name)
    assert "So few images" in part.parts[CURVES].words.text()
    mean = made.summary["auc"].classes[few.name].mean
    assert f"AUC {mean:.2f}" not in part.parts[CURVES].words.text()


MATRICES = [
    Matrix((), ()),
    Matrix(("",), ((0,),)),
    Matrix(("n" * 200, "b"), ((10**7, 0), (3, 5))),
    Matrix(tuple(map(str, range(40))), ((1,) * 40,) * 40),
]


@pytest.mark.parametrize("width", [30, 160, 286, 900])
@pytest.mark.parametrize("matrix", MATRICES, ids=range(len(MATRICES)))
def test_odd_matrices_are_painted(qtbot, matrix, width):
    view = MatrixView()
    qtbot.addWidget(view)
    view.show_matrix(matrix)
    view.resize(width, max(view.heightForWidth(width), 1))
    assert not view.grab().isNull()


def test_cells_are_found_by_mouse_and_by_keys(qtbot):
    view = MatrixView()
    qtbot.addWidget(view)
    view.show_matrix(Matrix(("a", "b"), ((3, 1), (0, 4))))
    view.resize(286, view.heightForWidth(286))
    left, cell = view._left(286), view._cell(286)
    inside = QPointF(left + 1.5 * cell, HEAD_PX + 0.5 * cell)
    assert view.cell_at(inside) == (0, 1)
    assert view.cell_at(QPointF(2, HEAD_PX + 2)) is None
    assert view.cell_at(QPointF(left + 1, 2)) is None
    with qtbot.waitSignal(view.picked) as picked:
        qtbot.mouseClick(view, Qt.MouseButton.LeftButton, pos=inside.toPoint())
    assert picked.args == [0, 1]
    qtbot.keyClick(view, Qt.Key.Key_Down)
    with qtbot.waitSignal(view.picked) as picked:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert picked.args == [1, 1]
