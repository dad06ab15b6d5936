"""Tables of boxes, Pascal VOC and COCO."""

import json

import pytest
from PIL import Image as PillowImage

from longtail.core.errors import LongtailError
from longtail.core.io.importers import plan_import

HEADS = "file,finding,x,y,w,h\n"


@pytest.fixture
def folder(tmp_path):
    """Four pictures of 20 x 10 pixels."""
    for name in "abcd":
        PillowImage.new("L", (20, 10)).save(tmp_path / f"{name}.png")
    return tmp_path


def plan_of(folder, text, **wishes):
    (folder / "boxes.csv").write_text(text)
    return plan_import(folder, labels=folder / "boxes.csv", **wishes)


def boxes_of(plan):
    return {
        case.id: None if case.boxes is None else [(b.class_name, *b.xywh) for b in case.boxes]
        for case in plan.cases
    }


def told(plan):
    return "\n".join(plan.sentences())


def test_boxes_of_a_table(folder):
    text = "a.png,Mass,1,2,3,4\na.jpg,Node,0,0,20,10\nb.png,Mass,1.5,2.5,3,4\nc.png,none,,,,\n"
    plan = plan_of(folder, HEADS + text)
    assert (plan.format, plan.boxes_only, plan.task) == ("csv", True, "multilabel")
    assert boxes_of(plan) == {
        "a": [("Mass", 1, 2, 3, 4), ("Node", 0, 0, 20, 10)],
        "b": [("Mass", 1.5, 2.5, 3, 4)],
        "c": [],
    }
    assert plan.class_names == ("Mass", "Node")
    assert all(case.class_names is None and not case.no_class for case in plan.cases)
    assert "Boxes for 3 cases" in told(plan)
    assert "Mass 2, Node 1, none in 1 image" in told(plan)


@pytest.mark.parametrize("heads", ["xmin,ymin,xmax,ymax", "x_min,y_min,x_max,y_max"])
def test_corners_are_places_between_pixels(folder, heads):
    plan = plan_of(folder, f"image,label,{heads}\na.png,Mass,1,2,4,6\n")
    assert boxes_of(plan) == {"a": [("Mass", 1, 2, 3, 4)]}


def test_boxes_that_cannot_be_are_dropped_counted_and_named(folder):
    rows = ["a.png,Mass,1,2,3,4"] * 30 + [
        "a.png,Mass,1,2,0,4",
        "b.png,Mass,nan,2,3,4",
        "b.png,Mass,here,2,3,4",
        "c.png,Mass,19,2,9,4",
        "d.png,Rib,1,1,2,2",
        "d.png,Rib,1,1,2,2",
        "e.png,Mass,1,1,2,2",
        "../../secret.png,Mass,1,1,2,2",
    ]
    plan = plan_of(folder, HEADS + "\n".join(rows), classes=["mass"], task="multilabel")
    assert boxes_of(plan) == {"a": [("mass", 1, 2, 3, 4)] * 30, "b": None, "c": None, "d": None}
    words = told(plan)
    assert "Dropped boxes that are no class of the project: Rib (2)" in words
    assert "Dropped 4 of 36 boxes" in words
    for part in ("1 since it has no area", "2 since a side of it is no number", "1 since it lies"):
        assert part in words
    assert "b, b: a box of mass: a side of it is no number" in words
    assert "e.png, ../../secret.png: the table names it, but it is not there" in words


def test_boxes_of_larger_pictures_are_refused(folder):
    text = "a.png,Mass,1,2,3,4\nb.png,Mass,100,200,30,40\nc.png,Mass,400,100,20,20\n"
    with pytest.raises(LongtailError, match="2 of 3 boxes lie outside") as caught:
        plan_of(folder, HEADS + text)
    assert "drawn on" in caught.value.remedy


def test_a_table_of_boxes_of_nothing_gets_a_sentence(folder):
    with pytest.raises(LongtailError, match="does not say what its boxes are of"):
        plan_of(folder, "file,x,y,w,h\na.png,1,2,3,4\n")


def test_a_project_of_outlines_takes_boxes_too(folder):
    plan = plan_of(folder, HEADS + "a.png,Mass,1,2,3,4\n", task="segmentation", classes=["Mass"])
    assert boxes_of(plan)["a"] == [("Mass", 1, 2, 3, 4)]


def test_boxes_in_volumes_name_their_slice(tmp_path, voxels, volume_at):
    volume_at(tmp_path / "scan.nii.gz", voxels)
    (tmp_path / "boxes.csv").write_text(
        "file,finding,x,y,w,h,slice\nscan.nii.gz,Mass,0,0,1,1,2\nscan.nii.gz,Mass,0,0,1,1,\n"
        "scan.nii.gz,Mass,0,0,1,1,999\n"
    )
    plan = plan_import(tmp_path, labels=tmp_path / "boxes.csv", task="segmentation")
    assert [box.slice for box in plan.cases[0].boxes] == [2]
    assert "2 since it names no slice of its volume" in told(plan)


VOC = (
    "<annotation><filename>{name}</filename><size><width>{width}</width><height>10</height></size>"
    "{objects}</annotation>"
)
OBJECT = (
    "<object><name>{0}</name><bndbox><xmin>{1}</xmin><ymin>{2}</ymin><xmax>{3}</xmax>"
    "<ymax>{4}</ymax></bndbox></object>"
)


def write_voc(folder, name, *objects, width=20):
    (folder / "Annotations").mkdir(exist_ok=True)
    text = VOC.format(name=name, width=width, objects="".join(OBJECT.format(*o) for o in objects))
    (folder / "Annotations" / f"{name}.xml").write_text(text)


def test_voc_counts_pixels_from_one(folder):
    write_voc(folder, "a.png", ("cell", 1, 1, 20, 10), ("cell", 3, 2, 3, 5))
    write_voc(folder, "b.jpg")
    (folder / "ImageSets" / "Main").mkdir(parents=True)
    (folder / "ImageSets" / "Main" / "test.txt").write_text("b\n")
    plan = plan_import(folder)
    assert plan.format == "voc"
    assert boxes_of(plan) == {"a": [("cell", 0, 0, 20, 10)], "b": []}
    assert [case.split for case in plan.cases] == [None, "test"]
    assert "1 since it has no area" in told(plan)
    beside = plan_import(folder, labels=folder / "Annotations", classes=["cell"])
    assert boxes_of(beside) == boxes_of(plan)


def test_voc_of_larger_pictures_is_scaled_and_of_others_dropped(folder):
    text = VOC.format(name="a.png", width=40, objects=OBJECT.format("cell", 1, 1, 40, 20))
    (folder / "a.xml").write_text(text.replace("<height>10", "<height>20"))
    write_voc(folder, "b.png", ("cell", 1, 1, 5, 5), width=50)
    plan = plan_import(folder, format="voc")
    assert boxes_of(plan) == {"a": [("cell", 0, 0, 20, 10)], "b": None}
    assert "scaled" in told(plan)
    assert "b: its boxes were drawn on a picture of another shape" in told(plan)


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY b "cccc">]><annotation><filename>&b;</filename></annotation>',
        "<annotation><filename>a.png",
        "not xml",
    ],
)
def test_hostile_xml_gets_a_sentence(folder, text):
    write_voc(folder, "a.png", ("cell", 1, 1, 5, 5))
    (folder / "Annotations" / "bad.xml").write_text(text)
    plan = plan_import(folder, format="voc")
    assert [item.path for item in plan.skipped] == ["bad.xml"]
    assert [case.id for case in plan.cases] == ["a"]


def coco(**changes):
    document = {
        "images": [
            {"id": 7, "file_name": "a.png", "width": 20, "height": 10},
            {"id": 8, "file_name": "b.png", "width": 40, "height": 20},
            {"id": 9, "file_name": "../x.png"},
        ],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 2, "bbox": [1, 2, 3.5, 4]},
            {"id": 2, "image_id": 7, "category_id": 2, "bbox": [0, 0, 9, 9], "iscrowd": 1},
            {"id": 3, "image_id": 7, "category_id": 5, "bbox": [1, 2, 3, 4]},
            {"id": 4, "image_id": 7, "category_id": 2, "bbox": [1, 2]},
            {"id": 5, "image_id": 7, "category_id": 2, "bbox": [1, 2, None, 4]},
        ],
        "categories": [{"id": 2, "name": "cell"}],
    }
    return document | changes


def test_coco(folder):
    (folder / "instances.json").write_text(json.dumps(coco()))
    plan = plan_import(folder)
    assert plan.format == "coco"
    assert boxes_of(plan) == {"a": [("cell", 1, 2, 3.5, 4)], "b": []}
    words = told(plan)
    assert "annotation 3, annotation 4: it has no box of a known category" in words
    assert "1 since a side of it is no number" in words
    assert "../x.png: the table names it, but it is not there" in words
    assert boxes_of(plan_import(folder / "instances.json")) == boxes_of(plan)
    assert plan_import(folder, labels=folder / "instances.json").format == "coco"


@pytest.mark.parametrize(
    "document",
    ["no json", "[]", json.dumps(coco(images="many")), json.dumps(coco(annotations=[1, 2]))],
)
def test_hostile_json_gets_a_sentence(folder, document):
    (folder / "instances.json").write_text(document)
    with pytest.raises(LongtailError, match=r"instances\.json"):
        plan_import(folder / "instances.json", format="coco")


def test_real_boxes_of_blood_fields(shared):
    fields = shared / "bccd_boxes"
    voc = plan_import(fields, classes=["WBC", "RBC", "Platelets"], task="multilabel")
    table = plan_import(
        fields / "images",
        labels=fields / "boxes.csv",
        classes=["WBC", "RBC", "Platelets"],
        task="multilabel",
    )
    assert (voc.format, len(voc.cases), len(table.cases)) == ("voc", 364, 364)
    assert "Dropped 2 of 4,888 boxes: 2 since it has no area" in told(voc)
    assert "Dropped 2 of 4,888 boxes: 2 since it has no area" in told(table)
    assert {case.split for case in voc.cases} == {"train", "val", "test"}


def test_real_boxes_beside_smaller_pictures_are_refused(shared):
    films = shared / "nih_cxr1000"
    with pytest.raises(LongtailError, match="48 of 49 boxes lie outside"):
        plan_import(films / "images_448", labels=films / "boxes_1024px.csv")
    plan = plan_import(films / "images_1024_boxed", labels=films / "boxes_1024px.csv")
    assert sum(len(case.boxes or ()) for case in plan.cases) == 49
