"""The published tables of chest X-rays, in generated folders with their real heads."""

import pytest
from PIL import Image as PillowImage
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from longtail.core.errors import LongtailError
from longtail.core.io.importers import plan_import

NIH_HEADS = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],\n"
)
NIH_ROWS = (
    "00000001_000.png,Cardiomegaly|Emphysema,0,1,058Y,M,PA,2682,2749,0.143,0.143,\n"
    "00000002_000.png,No Finding,0,2,081Y,M,PA,2500,2048,0.171,0.171,\n"
    "00000003_000.png,Infiltration,1,3,074Y,F,AP,2992,2991,0.143,0.143,\n"
    "00000004_000.png,Hernia,0,4,074Y,F,AP,2992,2991,0.143,0.143,\n"
    "00000099_000.png,Mass,0,99,074Y,F,AP,2992,2991,0.143,0.143,\n"
)
NIH_BOXES = (
    "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"
    "00000001_000.png,Cardiomegaly,256.0,512.0,128.0,256.0,,,\n"
    "00000003_000.png,Infiltrate,0.0,0.0,1024.0,1024.0,,,\n"
    "00000004_000.png,Hernia,10,10\n"
)


def told(plan):
    return "\n".join(plan.sentences())


def by_id(plan):
    return {case.id.rpartition("/")[2]: case for case in plan.cases}


def xywh(case):
    return None if case.boxes is None else [(b.class_name, *b.xywh, b.author) for b in case.boxes]


def write_pictures(folder, names, size=(16, 16)):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        PillowImage.new("L", size).save(folder / name)


@pytest.fixture
def nih(tmp_path):
    root = tmp_path / "ChestX-ray14 ü"
    write_pictures(root / "images_001" / "images", ["00000001_000.png", "00000002_000.png"])
    write_pictures(root / "images_002" / "images", ["00000003_000.png", "00000004_000.png"])
    (root / "Data_Entry_2017.csv").write_text(NIH_HEADS + NIH_ROWS)
    (root / "BBox_List_2017.csv").write_text(NIH_BOXES)
    (root / "train_val_list.txt").write_text("00000001_000.png\n00000003_000.png\n")
    (root / "test_list.txt").write_text("00000002_000.png\n00000004_000.png\n")
    return root


def test_nih(nih):
    plan = plan_import(nih)
    assert (plan.format, plan.task, len(plan.class_names)) == ("nih", "multilabel", 14)
    cases = by_id(plan)
    assert cases["00000001_000"].class_names == ("Cardiomegaly", "Emphysema")
    assert cases["00000002_000"].no_class
    assert cases["00000003_000"].patient == "3"
    assert cases["00000003_000"].metadata["view position"] == "AP"
    assert [cases[f"0000000{n}_000"].split for n in range(1, 5)] == ["train", "test"] * 2
    # Drawn on 1,024 pixels, stored with 16.
    assert xywh(cases["00000001_000"]) == [("Cardiomegaly", 4, 8, 2, 4, "")]
    assert xywh(cases["00000003_000"]) == [("Infiltration", 0, 0, 16, 16, "")]
    assert cases["00000002_000"].boxes is None
    words = told(plan)
    assert "00000099_000.png: the table names it, but it is not there" in words
    assert "00000004_000.png: its row in the list of boxes is too short" in words
    assert "scaled to the file" in words


def test_nih_in_the_words_of_a_project(nih):
    classes = ["infiltrate", "pleural thickening", "Cardiomegaly"]
    plan = plan_import(nih, classes=classes, task="multilabel")
    cases = by_id(plan)
    assert cases["00000003_000"].class_names == ("infiltrate",)
    assert xywh(cases["00000003_000"])[0][0] == "infiltrate"
    assert cases["00000004_000"].class_names == ()
    assert not cases["00000004_000"].no_class
    assert "Emphysema (1), Hernia (1), Mass (1)" in told(plan)


def test_nih_boxes_alone_leave_labels_as_they_are(nih):
    plan = plan_import(nih, labels=nih / "BBox_List_2017.csv")
    assert plan.format == "nih"
    assert plan.boxes_only
    assert set(by_id(plan)) == {"00000001_000", "00000003_000"}
    assert all(case.class_names is None for case in plan.cases)


def test_nih_in_a_project_where_an_image_has_one_class(nih):
    plan = plan_import(nih, classes=["Cardiomegaly", "Emphysema"], task="classification")
    assert by_id(plan)["00000001_000"].class_names is None
    assert "several classes (Cardiomegaly, Emphysema)" in told(plan)


def test_nih_needs_its_columns(nih):
    with pytest.raises(LongtailError, match="outlines its classes"):
        plan_import(nih, task="segmentation", classes=["Mass"])
    (nih / "Data_Entry_2017.csv").write_text("Image Index,Labels\na,b\n")
    (nih / "BBox_List_2017.csv").unlink()
    with pytest.raises(LongtailError, match="no table of ChestX-ray14"):
        plan_import(nih, format="nih")


RSNA = (
    "patientId,x,y,width,height,Target\n"
    "p1,,,,,0\np2,264.0,152.0,213.0,379.0,1\np2,562.0,152.0,256.0,453.0,1\np3,,,,,0\n"
    "p4,nan,1,5,5,1\np5,,,,,maybe\n"
)
DETAILED = (
    "patientId,class\np1,No Lung Opacity / Not Normal\np2,Lung Opacity\np2,Lung Opacity\n"
    "p3,Normal\np4,Lung Opacity\n"
)


def write_dicom(path, side=1024):
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    film = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    film.SOPClassUID, film.SOPInstanceUID = meta.MediaStorageSOPClassUID, generate_uid()
    film.Modality, film.Rows, film.Columns = "CR", side, side
    film.SamplesPerPixel, film.PhotometricInterpretation = 1, "MONOCHROME2"
    film.BitsAllocated, film.BitsStored, film.HighBit, film.PixelRepresentation = 8, 8, 7, 0
    film.PixelData = bytes(side * side)
    film.save_as(str(path), enforce_file_format=True)


@pytest.fixture
def rsna(tmp_path):
    for name in ("p1", "p2", "p3", "p4"):
        write_dicom(tmp_path / "stage_2_train_images" / f"{name}.dcm")
    (tmp_path / "stage_2_train_labels.csv").write_text(RSNA)
    (tmp_path / "stage_2_detailed_class_info.csv").write_text(DETAILED)
    return tmp_path


def test_rsna(rsna):
    plan = plan_import(rsna)
    assert (plan.format, plan.class_names) == ("rsna", ("Lung Opacity",))
    cases = by_id(plan)
    assert cases["p2"].class_names == ("Lung Opacity",)
    assert cases["p2"].shape == (1024, 1024)
    assert xywh(cases["p2"]) == [
        ("Lung Opacity", 264, 152, 213, 379, ""),
        ("Lung Opacity", 562, 152, 256, 453, ""),
    ]
    assert cases["p1"].no_class
    assert cases["p1"].boxes == ()
    assert cases["p1"].patient == "p1"
    assert cases["p1"].metadata == {"class": "No Lung Opacity / Not Normal"}
    assert "p5: its Target is not 0 or 1" in told(plan)
    assert "1 since a side of it is no number" in told(plan)


def test_rsna_by_other_words_and_with_three_classes(rsna):
    pneumonia = by_id(plan_import(rsna, classes=["Pneumonia"], task="multilabel"))
    assert pneumonia["p2"].class_names == ("Pneumonia",)
    assert xywh(pneumonia["p2"])[0][0] == "Pneumonia"
    names = ["Normal", "not normal", "Lung Opacity"]
    three = by_id(plan_import(rsna, classes=names, task="classification"))
    assert [three[f"p{n}"].class_names[0] for n in (1, 2, 3)] == [
        "not normal",
        "Lung Opacity",
        "Normal",
    ]


VINDR = (
    "image_id,rad_id,class_name,x_min,y_min,x_max,y_max\n"
    "one,R1,Nodule/Mass,2,3,6,9\none,R2,Nodule/Mass,2,3,7,9\none,R3,Aortic enlargement,1,1,5,5\n"
    "two,R1,No finding,,,,\ntwo,R2,No finding,,,,\ntwo,R3,No finding,,,,\n"
    "three,R1,Nodule/Mass,30,30,40,40\nthree,R2,Nodule/Mass,9,2,1,9\n"
)


@pytest.fixture
def vindr(tmp_path):
    write_pictures(tmp_path / "train", ["one.png", "two.png", "three.png"], (20, 10))
    (tmp_path / "annotations_train.csv").write_text(VINDR)
    (tmp_path / "train_meta.csv").write_text("image_id,dim0,dim1\nthree,40,80\n")
    return tmp_path


def test_vindr_keeps_readers_and_where_they_disagree(vindr):
    plan = plan_import(vindr)
    assert plan.format == "vindr"
    cases = by_id(plan)
    one = cases["one"]
    assert one.class_names == ("Nodule/Mass",)
    assert one.unknown == ("Aortic enlargement",)
    assert [box.author for box in one.boxes] == ["R1", "R2", "R3"]
    assert one.boxes[1].xywh == (2, 3, 5, 6)
    assert cases["two"].no_class
    assert cases["two"].boxes == ()
    # Drawn on 80 x 40 pixels, as the table of sizes says.
    assert [box.xywh for box in cases["three"].boxes] == [(7.5, 7.5, 2.5, 2.5)]
    words = told(plan)
    assert "In 1 case a finding stays unknown" in words
    assert "1 since it has no area" in words


CHEXPERT_HEADS = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,"
    "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,"
    "Pleural Effusion,Pleural Other,Fracture,Support Devices\n"
)
TOP = "CheXpert-v1.0-small"
CHEXPERT_ROWS = (
    f"{TOP}/train/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0"
    ",,,,,,,,,,,,,\n"
    f"{TOP}/train/patient00002/study2/view1_frontal.jpg,Female,87,Frontal,AP,"
    ",,-1.0,1.0,,-1.0,,,,0.0,,,,1.0\n"
    f"{TOP}/train/patient00002/study2/view2_lateral.jpg,Female,87,Lateral,,"
    ",,,,,nan,,,,,,,,\n"
)


@pytest.fixture
def chexpert(tmp_path):
    root = tmp_path / TOP
    for place in ("patient00001/study1", "patient00002/study2"):
        write_pictures(root / "train" / place, ["view1_frontal.jpg", "view2_lateral.jpg"])
    (root / "train.csv").write_text(CHEXPERT_HEADS + CHEXPERT_ROWS)
    return root


@pytest.mark.parametrize(
    ("uncertain", "yes", "unknown"),
    [
        ("unknown", {"Lung Opacity", "Support Devices"}, {"Cardiomegaly", "Edema"}),
        ("positive", {"Lung Opacity", "Support Devices", "Cardiomegaly", "Edema"}, set()),
        ("negative", {"Lung Opacity", "Support Devices"}, set()),
    ],
)
@pytest.mark.parametrize("above", [False, True])
def test_chexpert(chexpert, uncertain, yes, unknown, above):
    source = chexpert.parent if above else chexpert
    plan = plan_import(source, uncertain=uncertain)
    assert plan.format == "chexpert"
    assert plan.uncertain == uncertain
    cases = {case.id.partition("train/")[2]: case for case in plan.cases}
    assert len(cases) == 3
    second = cases["patient00002/study2/view1_frontal"]
    assert set(second.class_names) == yes
    assert set(second.unknown) == unknown
    assert (second.patient, second.split) == ("patient00002", None)
    assert second.metadata["ap/pa"] == "AP"
    assert cases["patient00001/study1/view1_frontal"].no_class
    assert cases["patient00002/study2/view2_lateral"].unknown == ("Edema",)
    assert f"2 uncertain findings of the whole table are taken as {uncertain}" in told(plan)
    assert "its value nan is none of 1, 0 and -1" in told(plan)


def test_chexpert_refuses_what_it_does_not_know(chexpert):
    with pytest.raises(LongtailError, match="cannot be taken for 'perhaps'"):
        plan_import(chexpert, uncertain="perhaps")


@pytest.mark.parametrize("name", ["nih", "rsna", "vindr", "chexpert", "voc", "coco"])
def test_nothing_of_that_kind_gets_a_sentence(tmp_path, name):
    write_pictures(tmp_path, ["a.png"])
    with pytest.raises(LongtailError, match="holds no"):
        plan_import(tmp_path, format=name)


def test_paths_that_lead_out_are_not_followed(tmp_path):
    write_pictures(tmp_path, ["secret.png"])
    inner = tmp_path / "study"
    write_pictures(inner / "images", ["one.png"])
    rows = "../secret.png,Mass,0,1,5,M,PA,1,1,1,1,\none.png,Mass,0,1,5,M,PA,1,1,1,1,\n"
    (inner / "Data_Entry_2017.csv").write_text(NIH_HEADS + rows)
    plan = plan_import(inner)
    assert [case.id for case in plan.cases] == ["images/one"]
    assert [item.path for item in plan.skipped] == ["../secret.png"]
