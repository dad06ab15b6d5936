"""Photographs of the retina with a grade each."""

import pytest
from PIL import Image as PillowImage

from longtail.core.errors import LongtailError
from longtail.core.io.importers import plan_import

NAMES = ("no retinopathy", "mild", "moderate", "severe", "proliferative")


def told(plan):
    return "\n".join(plan.sentences())


def write_images(folder, names):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        PillowImage.new("RGB", (6, 5)).save(folder / f"{name}.png")


@pytest.fixture
def aptos(tmp_path):
    rows = {f"{grade:04x}": grade for grade in range(5)}
    lines = "".join(f"{name},{grade}\n" for name, grade in rows.items())
    (tmp_path / "train.csv").write_text(f"id_code,diagnosis\n{lines}")
    write_images(tmp_path / "train_images", rows)
    return tmp_path


def test_grades(aptos):
    plan = plan_import(aptos)
    assert plan.format == "aptos"
    assert plan.class_names == NAMES
    assert [case.class_names[0] for case in plan.cases] == list(NAMES)
    assert {case.split for case in plan.cases} == {None}
    assert plan.task == "classification"


def test_the_contests_test_images_come_unlabelled(aptos):
    (aptos / "test.csv").write_text("id_code\nabc\n")
    write_images(aptos / "test_images", ["abc"])
    plan = plan_import(aptos)
    last = {case.id: case for case in plan.cases}["test_images/abc"]
    assert (last.class_names, last.split) == (None, "test")
    assert plan.cases[0].split in ("train", "test")
    assert "5 labelled and 1 unlabelled" in told(plan)


def test_the_projects_classes_by_number_name_or_order(aptos):
    plan = plan_import(aptos, classes=["0", "1", "2", "3", "4"])
    assert [case.class_names for case in plan.cases] == [(str(grade),) for grade in range(5)]
    plan = plan_import(aptos, classes=["Mild", "severe"])
    assert [case.class_names for case in plan.cases] == [None, ("Mild",), None, ("severe",), None]
    assert "no class of the project: no retinopathy (1), moderate (1), proliferative (1)" in told(
        plan
    )
    plan = plan_import(aptos, classes=["R0", "R1", "R2", "R3", "R4"])
    assert plan.cases[4].class_names == ("R4",)
    assert "proliferative is R4" in told(plan)


def test_missing_images_and_odd_grades(aptos):
    (aptos / "train_images" / "0001.png").unlink()
    table = aptos / "train.csv"
    table.write_text(table.read_text().replace("0004,4", "0004,7"))
    plan = plan_import(aptos)
    assert [case.class_names is None for case in plan.cases] == [False, False, False, True]
    assert "0001: the table names it, but it is not there." in told(plan)
    assert "0004: its grade 7 is none of 0 to 4." in told(plan)


def test_no_table(tmp_path):
    write_images(tmp_path, ["a"])
    with pytest.raises(LongtailError, match="holds no table of APTOS"):
        plan_import(tmp_path, format="aptos")
