import numpy as np
import pytest
from PIL import Image as PillowImage

from longtail.core.errors import LongtailError
from longtail.core.io.importers import headers, plan_import
from longtail.core.io.importers.patients import patient_columns, with_patients


@pytest.fixture
def folder(tmp_path):
    for name in "abcd":
        PillowImage.new("L", (6, 5)).save(tmp_path / f"{name}.png")
    return tmp_path


def plan_of(folder, text, **wishes):
    (folder / "t.csv").write_text(text)
    return plan_import(folder, labels=folder / "t.csv", **wishes)


def told(plan):
    return "\n".join(plan.sentences())


def labels_of(plan):
    return {case.id: case.class_names for case in plan.cases}


def test_one_class_a_case(folder):
    plan = plan_of(folder, "file,label,age\na.png,cat,7\nb.png,dog,\nc.png,cat,9\n")
    assert plan.task == "classification"
    assert plan.class_names == ("cat", "dog")  # the most frequent first
    assert labels_of(plan) == {"a": ("cat",), "b": ("dog",), "c": ("cat",)}
    assert plan.cases[0].metadata == {"age": "7"}
    assert plan.cases[0].shape == (5, 6)
    assert plan.cases[0].channels == (f"{folder.resolve().as_posix()}/a.png",)


def test_several_findings_none_and_unlabelled(folder):
    plan = plan_of(
        folder, "file,findings\na.png,Mass|Edema\nb.png,No Finding\nc.png,\nd.png,Mass\n"
    )
    assert plan.task == "multilabel"
    assert plan.class_names == ("Mass", "Edema")
    assert labels_of(plan) == {"a": ("Mass", "Edema"), "b": (), "c": None, "d": ("Mass",)}
    assert [case.id for case in plan.cases if case.no_class] == ["b"]
    assert "3 labelled and 1 unlabelled" in told(plan)


def test_a_declared_no_finding_is_a_class(folder):
    text = "file,findings\na.png,Mass\nb.png,No Finding\n"
    plan = plan_of(folder, text, classes=["Mass", "no finding"], task="multilabel")
    assert labels_of(plan) == {"a": ("Mass",), "b": ("no finding",)}


def test_normal_is_a_class_where_one_must_be_chosen(folder):
    plan = plan_of(folder, "file,class\na.png,normal\nb.png,ill\n", task="classification")
    assert set(plan.class_names) == {"normal", "ill"}
    plan = plan_of(folder, "file,class\na.png,normal\nb.png,ill\n", classes=["ill"])
    assert [case.no_class for case in plan.cases] == [True, False]


def test_foreign_labels_are_dropped_counted_and_named(folder):
    text = "file,findings\na.png,Mass|Hernia\nb.png,Hernia\nc.png,edema\nd.png,Fibrosis\n"
    plan = plan_of(folder, text, classes=["Mass", "Edema"], task="multilabel")
    assert "Dropped labels that are no class of the project: Hernia (2), Fibrosis (1)." in told(
        plan
    )
    assert labels_of(plan) == {"a": ("Mass",), "b": (), "c": ("Edema",), "d": ()}
    assert [case.no_class for case in plan.cases] == [False, True, False, True]
    plan = plan_of(folder, text, classes=["Mass", "Edema"], task="classification")
    assert labels_of(plan)["b"] is None  # a class outside of the project says nothing about ours


def test_two_classes_where_one_is_asked(folder):
    plan = plan_of(folder, "file,label\na.png,x|y\nb.png,x\n", task="classification")
    assert labels_of(plan) == {"a": None, "b": ("x",)}
    assert "it has 2 classes (x, y)" in told(plan)


def test_a_missing_file_is_named(folder):
    plan = plan_of(folder, "file,label\na.png,x\ngone.png,y\n")
    assert [case.id for case in plan.cases] == ["a"]
    assert "Left out: gone.png: the table names it, but it is not there." in plan.sentences()


def test_only_named_files_become_cases_found_by_stem(folder):
    plan = plan_of(folder, "file,label\na.jpg,x\n")
    assert [case.id for case in plan.cases] == ["a"]


def test_nothing_found_is_an_error(folder):
    with pytest.raises(LongtailError, match=r"None of the 2 files that t\.csv names is there"):
        plan_of(folder, "file,label\nx.png,x\ny.png,y\n")


def test_split_and_patient(folder):
    rows = ["a.png,x,Training,P1", "b.png,x,valid,P2", "c.png,x,test,", "d.png,x,odd,P2"]
    text = "\n".join(["file,label,split,subject", *rows])
    plan = plan_of(folder, text)
    assert [case.split for case in plan.cases] == ["train", "val", "test", None]
    assert [case.patient for case in plan.cases] == ["P1", "P2", None, "P2"]
    assert "odd (1)" in told(plan)


def test_rows_about_one_file_are_joined(folder):
    plan = plan_of(folder, "file,finding\na.png,Mass\na.png,Edema\nb.png,none\n")
    assert labels_of(plan) == {"a": ("Mass", "Edema"), "b": ()}


def test_contradicting_rows_are_told(folder):
    plan = plan_of(folder, "file,label\na.png,x\na.png,y\nb.png,x\n")
    assert labels_of(plan)["a"] == ("x",)
    assert "different classes (x, y); the first counts" in told(plan)


def test_masks_in_a_table(tmp_path, voxels, volume_at):
    for name in "abc":
        volume_at(tmp_path / "images" / f"{name}.nii.gz", voxels)
    volume_at(tmp_path / "masks" / "a.nii.gz", (voxels > 50).astype(np.uint8))
    text = (
        "image,label\nimages/a.nii.gz,masks/a.nii.gz\nimages/b.nii.gz,\nimages/c.nii.gz,gone.nii\n"
    )
    plan = plan_of(tmp_path, text)
    assert plan.task == "segmentation"
    assert [case.mask is not None for case in plan.cases] == [True, False, False]
    assert plan.mask_values == {1: "class 1"}
    assert "gone.nii: the mask is not there" in told(plan)


def test_a_broken_picture_is_left_out_with_its_reason(folder):
    (folder / "b.png").write_bytes(b"broken")
    plan = plan_of(folder, "file,label\na.png,x\nb.png,y\n")
    assert [case.id for case in plan.cases] == ["a"]
    assert "b.png cannot be read" in told(plan)


def test_ids_stay_unique(folder):
    (folder / "sub").mkdir()
    PillowImage.new("L", (6, 5)).save(folder / "a.jpg")
    PillowImage.new("L", (6, 5)).save(folder / "sub" / "a.png")
    plan = plan_of(folder, "file,label\na.png,x\na.jpg,x\nsub/a.png,y\n")
    assert [case.id for case in plan.cases] == ["a.png", "a.jpg", "sub/a"]


def test_a_table_as_the_source(folder):
    (folder / "t.csv").write_text("file,label\na.png,x\n")
    assert [case.id for case in plan_import(folder / "t.csv").cases] == ["a"]


def test_nothing_outside_of_the_folders_is_named(folder):
    PillowImage.new("L", (6, 5)).save(folder.parent / "outside.png")
    plan = plan_of(folder, "file,label\na.png,x\n../outside.png,y\n")
    assert [case.id for case in plan.cases] == ["a"]


def test_a_very_large_table_is_planned_without_opening_files(tmp_path, monkeypatch):
    monkeypatch.setattr(headers, "LOOKED_INTO_AT_MOST", 100)
    names = [f"{index:05d}.png" for index in range(20_000)]
    (tmp_path / "images").mkdir()
    for name in names:
        (tmp_path / "images" / name).touch()
    rows = "\n".join(
        f"{name},{'Mass|Edema' if i % 3 else 'No Finding'},{i // 4}" for i, name in enumerate(names)
    )
    (tmp_path / "t.csv").write_text(f"Image Index,Finding Labels,Patient ID\n{rows}\n")

    def opened(*_):
        raise AssertionError("a file was opened")

    monkeypatch.setattr(headers, "read_header", opened)
    plan = plan_import(tmp_path / "images", labels=tmp_path / "t.csv")
    assert len(plan.cases) == 20_000
    assert plan.cases[0].shape == ()
    assert plan.cases[7].patient == "1"
    assert "opened on use" in told(plan)


def test_real_tables(shared):
    cells = shared / "pbc8_sample"
    plan = plan_import(cells, labels=cells / "longtail_draw0.csv")
    assert len(plan.cases) == 2352
    assert len(plan.class_names) == 8
    assert sum(case.split == "train" for case in plan.cases) == 992
    chests = shared / "nih_cxr1000"
    plan = plan_import(chests / "images_448", labels=chests / "labels.csv")
    assert len(plan.cases) == 1000
    assert not plan.skipped
    assert len({case.patient for case in plan.cases}) == 682
    assert sum(case.no_class for case in plan.cases) == 500


SLIDES = (
    "file,label,Slide,stain,scan\n"
    "a.png,x,s1,HE,1\nb.png,y,s1,HE,2\nc.png,x,s2,HE,3\nd.png,y,,HE,4\n"
)


def test_a_column_can_tell_which_images_belong_together(folder):
    plan = plan_of(folder, SLIDES)
    assert [case.patient for case in plan.cases] == [None] * 4
    # One stain for all says nothing, and a number of its own for each image neither.
    assert patient_columns(plan) == ("Slide",)
    grouped = with_patients(plan, "slide")
    assert [case.patient for case in grouped.cases] == ["s1", "s1", "s2", None]
    assert "Images with the same Slide stay together: 2 groups." in told(grouped)
    with pytest.raises(LongtailError, match="no column 'field'") as failure:
        with_patients(plan, "field")
    assert "it has Slide, stain, scan" in str(failure.value)


@pytest.mark.parametrize("head", ["patient", "Subject_ID", "participant_id"])
def test_the_usual_names_of_patients_are_known(folder, head):
    plan = plan_of(folder, f"file,label,{head}\na.png,x,p1\nb.png,y,p1\n")
    assert [case.patient for case in plan.cases] == ["p1", "p1"]
