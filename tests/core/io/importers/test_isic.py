"""Skin photographs: ISIC's one-hot tables and HAM10000's lesions."""

import pytest
from PIL import Image as PillowImage

from longtail.core.errors import LongtailError
from longtail.core.io.importers import plan_import

HEADS = "image,MEL,NV,BCC,AK,BKL,DF,VASC,SCC,UNK"
CODES = HEADS.lower().split(",")[1:]


def told(plan):
    return "\n".join(plan.sentences())


def write_images(folder, names, suffix=".jpg"):
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        PillowImage.new("RGB", (6, 5)).save(folder / f"{name}{suffix}")


def one_hot(path, rows):
    lines = [
        f"{name}," + ",".join("1.0" if code == yes else "0.0" for code in CODES)
        for name, yes in rows.items()
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([HEADS, *lines]))


@pytest.fixture
def isic(tmp_path):
    rows = {"ISIC_1": "nv", "ISIC_2": "mel", "ISIC_3": "nv", "ISIC_4": "ak"}
    one_hot(tmp_path / "ISIC_2019_Training_GroundTruth.csv", rows)
    (tmp_path / "ISIC_2019_Training_Metadata.csv").write_text(
        "image,age_approx,anatom_site_general,lesion_id,sex\n"
        "ISIC_1,55.0,torso,L1,male\nISIC_2,30.0,,L2,female\nISIC_3,55.0,torso,L1,male\nISIC_4,,,,\n"
    )
    write_images(tmp_path / "ISIC_2019_Training_Input", rows)
    return tmp_path


def test_one_hot_and_lesions(isic):
    plan = plan_import(isic)
    assert plan.format == "isic"
    assert plan.task == "classification"
    assert plan.class_names[:3] == ("melanoma", "melanocytic naevus", "basal cell carcinoma")
    assert len(plan.class_names) == 8
    cases = {case.id.rpartition("/")[2]: case for case in plan.cases}
    assert cases["ISIC_2"].class_names == ("melanoma",)
    assert cases["ISIC_4"].class_names == ("actinic keratosis",)
    assert cases["ISIC_1"].patient == cases["ISIC_3"].patient == "L1"
    assert cases["ISIC_4"].patient is None
    assert cases["ISIC_1"].metadata == {
        "age_approx": "55.0",
        "anatom_site_general": "torso",
        "sex": "male",
    }
    assert {case.split for case in plan.cases} == {None}
    assert "The lesion of 1 image is not known" in told(plan)


def test_tables_of_several_parts_give_the_split(isic):
    one_hot(isic / "test" / "ISIC_2019_Test_GroundTruth.csv", {"ISIC_9": "unk"})
    write_images(isic / "ISIC_2019_Test_Input", ["ISIC_9"])
    plan = plan_import(isic)
    splits = {case.id.rpartition("/")[2]: case.split for case in plan.cases}
    assert splits == dict.fromkeys(("ISIC_1", "ISIC_2", "ISIC_3", "ISIC_4"), "train") | {
        "ISIC_9": "test"
    }
    assert plan.class_names[-1] == "none of the others"


def test_ham10000_alone(tmp_path):
    (tmp_path / "HAM10000_metadata.csv").write_text(
        "lesion_id,image_id,dx,dx_type,age,sex,localization\n"
        "HAM_0,ISIC_1,bkl,histo,80.0,male,scalp\nHAM_0,ISIC_2,bkl,histo,80.0,male,scalp\n"
        "HAM_1,ISIC_3,akiec,consensus,60.0,female,face\nHAM_2,ISIC_4,odd,histo,1,male,face\n"
    )
    write_images(tmp_path / "HAM10000_images_part_1", ["ISIC_1"])
    write_images(tmp_path / "HAM10000_images_part_2", ["ISIC_2", "ISIC_3", "ISIC_4"])
    plan = plan_import(tmp_path)
    assert plan.format == "isic"
    assert [case.patient for case in plan.cases] == ["HAM_0", "HAM_0", "HAM_1", "HAM_2"]
    assert plan.class_names == ("actinic keratosis", "benign keratosis")
    assert plan.cases[3].class_names is None
    assert plan.cases[0].metadata["localization"] == "scalp"


def test_the_table_given_and_images_elsewhere(isic):
    table = isic / "ISIC_2019_Training_GroundTruth.csv"
    plan = plan_import(isic / "ISIC_2019_Training_Input", labels=table)
    assert plan.format == "isic"
    assert [case.id for case in plan.cases] == ["ISIC_1", "ISIC_2", "ISIC_3", "ISIC_4"]


def test_classes_of_the_project(isic):
    plan = plan_import(isic, classes=["NV", "Melanoma"], task="classification")
    assert {case.class_names for case in plan.cases} == {("NV",), ("Melanoma",), None}
    assert "no class of the project: actinic keratosis (1)" in told(plan)


def test_missing_images_and_two_diagnoses(isic):
    (isic / "ISIC_2019_Training_Input" / "ISIC_3.jpg").unlink()
    table = isic / "ISIC_2019_Training_GroundTruth.csv"
    table.write_text(table.read_text().replace("ISIC_2,1.0,0.0", "ISIC_2,1.0,1.0"))
    plan = plan_import(isic)
    assert len(plan.cases) == 3
    assert "ISIC_3: the table names it, but it is not there." in told(plan)
    assert "ISIC_2: its row says several diagnoses (melanoma, melanocytic naevus)." in told(plan)


def test_no_image_at_all(isic):
    for path in (isic / "ISIC_2019_Training_Input").iterdir():
        path.unlink()
    with pytest.raises(LongtailError, match="None of the 4 images"):
        plan_import(isic)


def test_a_project_that_outlines(isic):
    with pytest.raises(LongtailError, match="ISIC skin photographs have a class for a whole image"):
        plan_import(isic, task="segmentation")


def test_other_tables_stay_tables(tmp_path):
    write_images(tmp_path, ["a"])
    (tmp_path / "labels.csv").write_text("image,label\na.jpg,x\n")
    assert plan_import(tmp_path).format == "csv"
    with pytest.raises(LongtailError, match="holds no table of ISIC"):
        plan_import(tmp_path, format="isic")
