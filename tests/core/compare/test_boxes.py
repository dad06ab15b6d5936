"""Columns of boxes in a comparison of methods on images."""

import numpy as np
import pytest

from longtail.core.compare.cells import CaseScores, CellClass, CellRecord, append_cell
from longtail.core.compare.plan import Contender, Plan, write_plan
from longtail.core.compare.tables import markdown, table_csv
from longtail.core.compare.tabulate import tabulate
from longtail.core.evaluate.box_scores import BoxScore
from longtail.core.project.records import Task

CONTROLS = {"random map": {"box_iou": 0.1, "box_acc_30": 0.05}, "centre box": {"box_iou": 0.2}}


def record(name, seed, iou):
    """Ten images of two findings; those with even numbers have a box of the first."""
    rng = np.random.default_rng(seed)
    cases = []
    for number in range(10):
        boxes = {"mass": BoxScore(iou=(iou + 0.01 * number, 0.0), pointed=True)}
        cases.append(
            CaseScores(
                case=f"i{number}",
                patient=f"p{number}",
                truth=(number % 2, 1 - number % 2),
                logits=tuple(rng.normal(size=2)),
                boxes=boxes if number % 2 == 0 and iou else None,
            )
        )
    classes = tuple(CellClass(name=one, tier="head", training=50) for one in ("mass", "node"))
    return CellRecord(
        contender=name,
        seed=seed,
        state="done",
        classes=classes,
        cases=tuple(cases),
        controls=CONTROLS if iou else {},
    )


@pytest.fixture
def compared(tmp_path):
    def write(*shifts):
        names = ("plain", "contrast")
        contenders = tuple(Contender(name=name, method="m") for name in names)
        plan = Plan(
            task=Task.MULTILABEL,
            project="/p",
            data="d",
            contenders=contenders,
            seeds=(0, 1),
            iterations=5,
            reference="plain",
            title="Boxes",
        )
        write_plan(tmp_path, plan)
        for name, iou in zip(names, shifts, strict=True):
            for seed in (0, 1):
                append_cell(tmp_path, record(name, seed, iou))
        return tabulate(tmp_path)

    return write


def test_boxes_have_columns_and_paired_differences(compared):
    found = compared(0.2, 0.3)
    plain, contrast = found.rows
    # Two drawn boxes an image, one of them missed: (.2 + .04) / 2.
    assert plain.overall["box_iou"].mean == pytest.approx(0.12)
    assert plain.classes["box_iou"]["mass"].mean == pytest.approx(0.12)
    assert plain.classes["box_iou"]["node"].mean is None
    # Above .3 are all but .3 itself, whose neighbours are .32 to .38.
    assert contrast.overall["box_acc_30"].mean == pytest.approx(0.4)
    difference = contrast.differences["box_iou"]
    assert (difference.mean, difference.low, difference.high) == pytest.approx((0.05,) * 3)
    assert contrast.class_differences["box_iou"]["mass"].mean == pytest.approx(0.05)
    page = markdown(found)
    assert "Box overlap" in page
    assert "Boxes, IoU > .3" in page
    assert "a random map reaches Box overlap 0.100, Boxes, IoU > .3 0.050 on these images" in page
    assert "a box in the middle reaches Box overlap 0.200 on these images" in page
    assert "box_acc_30" in table_csv(found)


def test_without_boxes_there_are_no_columns_of_them(compared):
    page = markdown(compared(0.0, 0.0))
    assert "Box" not in page.replace("# Boxes", "")
    assert "AUC" in page
