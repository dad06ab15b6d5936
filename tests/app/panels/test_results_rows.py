"""The painted tables survive whatever a report holds."""

import math

import pytest
from qtpy.QtCore import QPoint
from qtpy.QtGui import QHelpEvent
from qtpy.QtWidgets import QApplication

from longtail.app.panels.results_model import MEASURES, Finding, ResultRow, TierValue, Value
from longtail.app.panels.results_parts import TierLine
from longtail.app.panels.results_rows import (
    FINDING_PX,
    ROW_PX,
    ClassTable,
    FindingList,
    change_colour,
)
from longtail.app.theme import contrast, tokens
from longtail.core.project.records import Task

RECALL = MEASURES[Task.CLASSIFICATION][0]
DISTANCE = MEASURES[Task.SEGMENTATION][3]


def row(name="class", value=0.5, low=0.4, high=0.6, **more):
    kept = {"tier": "tail", "count": 9, "measure": RECALL} | more
    return ResultRow(name, kept.pop("tier"), kept.pop("count"), Value(value, low, high, 5), **kept)


ODD_ROWS = [
    (),
    (row(""),),
    (row("n" * 500, other=0.1),),
    (row(value=None, low=None, high=None),),
    (row(low=None, high=None, count=None),),
    (row(value=math.nan, low=math.nan, high=math.nan),),
    (row(value=1e30, low=-1e30, high=1e30, other=-5.0),),
    (row(tier="no tier", count=10**12),),
    (row(value=12.4, low=9.0, high=80.0, measure=DISTANCE, other=30.0),),
    (row(few=0, value=None), row(few=1, low=None, high=None), row(few=4, other=0.1)),
    tuple(row(f"class {i}", i / 40, max(0, i / 40 - 0.1), i / 40, other=0.3) for i in range(40)),
]


@pytest.mark.parametrize("width", [40, 160, 286, 900])
@pytest.mark.parametrize("rows", ODD_ROWS, ids=range(len(ODD_ROWS)))
def test_odd_rows_are_painted(qtbot, rows, width):
    table = ClassTable()
    qtbot.addWidget(table)
    table.show_rows(rows, 80.0 if rows and rows[0].measure is DISTANCE else 1.0)
    table.resize(width, max(len(rows), 1) * ROW_PX)
    assert not table.grab().isNull()
    assert table.sizeHint().height() == len(rows) * ROW_PX


def test_a_better_run_puts_its_point_right_of_the_ring(qtbot):
    table = ClassTable()
    qtbot.addWidget(table)
    table.show_rows((row(value=0.9, low=0.9, high=0.9, other=0.1),))
    table.resize(286, ROW_PX)
    image = table.grab().toImage()
    amber = [
        x for x in range(image.width()) if image.pixelColor(x, ROW_PX // 2).name() == "#f0a202"
    ]
    assert amber
    assert min(amber) > 143


def test_each_row_explains_itself(qtbot):
    table = ClassTable()
    qtbot.addWidget(table)
    table.show_rows((row("a"), row("b", other=0.2)))
    assert table.tip_at(QPoint(0, 1)).startswith("a: Recall 0.50, 95 % interval 0.40 to 0.60")
    assert "the other run 0.20" in table.tip_at(QPoint(0, ROW_PX + 1))
    assert table.tip_at(QPoint(0, 10 * ROW_PX)) == ""
    QApplication.sendEvent(table, QHelpEvent(QHelpEvent.Type.ToolTip, QPoint(5, 5), QPoint(5, 5)))
    assert "b: Recall" in table.accessibleDescription()


ODD_FINDINGS = [
    (),
    (Finding("", "", 0.5, True),),
    (Finding("n" * 500, "tail", 1.7),),
    (Finding("below", "head", -3.0), Finding("odd", "medium", 0.0)),
    tuple(Finding(f"class {i}", "tail", i / 40) for i in range(40)),
]


@pytest.mark.parametrize("width", [30, 286])
@pytest.mark.parametrize("found", ODD_FINDINGS, ids=range(len(ODD_FINDINGS)))
def test_odd_findings_are_painted(qtbot, found, width):
    table = FindingList()
    qtbot.addWidget(table)
    table.show_findings(found)
    table.resize(width, max(len(found), 1) * FINDING_PX)
    assert not table.grab().isNull()


def tier(name="tail", mean=0.5, low=0.4, high=0.6, n=9):
    return TierValue(name, Value(mean, low, high, n), RECALL)


ODD_TIERS = [
    (),
    (tier("head"), tier(mean=math.nan)),
    (tier("?"),) * 9,
    (tier(n=2), tier(n=1, low=None, high=None)),
]


@pytest.mark.parametrize("tiers", ODD_TIERS, ids=range(len(ODD_TIERS)))
def test_odd_tiers_are_painted(qtbot, tiers):
    line = TierLine()
    qtbot.addWidget(line)
    line.show_tiers(tiers)
    line.resize(200, line.heightForWidth(200))
    assert not line.grab().isNull()


def test_a_tier_of_few_cases_is_told_by_its_interval_and_count():
    assert tier().text == "tail .50"
    assert tier(n=3).text == "tail .40 to .60 (3 cases)"
    assert tier(n=3, low=None, high=None).text == "tail: 3 cases"
    assert "0.50" not in tier(n=3).sentence


def test_of_few_cases_there_is_no_point_and_no_figure(qtbot):
    one = row(value=0.5, low=0.2, high=0.8, other=0.9, few=3)
    assert one.change is None
    assert one.few_texts == (".20 to .80", "only 3 cases")
    assert "0.50" not in one.sentence
    assert "95 % interval 0.20 to 0.80" in one.sentence
    alone = row(value=0.5, low=None, high=None, few=1)
    assert alone.few_texts == ("no interval", "only 1 case")
    assert "0.50" not in alone.sentence
    table = ClassTable()
    qtbot.addWidget(table)
    table.resize(286, ROW_PX)
    heights = {}
    for few in (None, 3):
        table.show_rows((row(value=0.5, low=0.2, high=0.8, few=few),))
        image = table.grab().toImage()
        columns = range(image.width())
        middle = [x for x in columns if image.pixelColor(x, ROW_PX // 2).name() == "#f0a202"]
        above = [x for x in columns if image.pixelColor(x, ROW_PX // 2 - 3).name() == "#f0a202"]
        heights[few] = middle[len(middle) // 2] in range(min(above), max(above)) and len(above)
    # A point is thick in the middle of the interval; without it only the two ends are.
    assert heights[None] > 4
    assert heights[3] <= 4


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("better", [True, False, None])
def test_changes_can_be_read(theme, better):
    t = tokens(theme)
    assert contrast(change_colour(t, better), t.surface) >= 4.5
