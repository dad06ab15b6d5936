"""Published protocols on generated folders of their layouts."""

import numpy as np
import pytest
from PIL import Image as PillowImage

from longtail.core.compare.contenders import read_contender
from longtail.core.compare.protocoldata import find_cases, make_project
from longtail.core.compare.protocols import (
    PROTOCOLS,
    plan_protocol,
    read_protocol,
)
from longtail.core.errors import LongtailError
from longtail.core.io.geometry import plain_geometry
from longtail.core.io.nifti_writer import write_nifti
from longtail.core.methods.catalogue import METHODS
from longtail.core.project.records import Split, Task
from longtail.core.project.store import Project

ROOMY = plain_geometry((10.0, 1.5, 1.5))


def write_volume(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_nifti(path, array, ROOMY)


@pytest.fixture
def acdc(tmp_path):
    """Twenty patients to train on and one to test on, in the challenge's layout."""
    image = np.arange(3 * 24 * 24, dtype=np.int16).reshape(3, 24, 24)
    mask = (image // 24 % 4).astype(np.uint8)
    places = [f"training/patient{number:03d}" for number in range(20)] + ["testing/patient101"]
    for place in places:
        folder = tmp_path / "ACDC" / place
        for frame in (1, 9):
            name = f"{folder.name}_frame{frame:02d}"
            write_volume(folder / f"{name}.nii.gz", image)
            write_volume(folder / f"{name}_gt.nii.gz", mask)
        (folder / "Info.cfg").write_text("ED: 1\nES: 9\nGroup: NOR\n")
    return tmp_path / "ACDC"


def made(name, data, folder):
    """Make the project of a protocol and give it with what was said."""
    protocol = read_protocol(name)
    target = folder / f"{name}.longtail"
    told = make_project(protocol, find_cases(protocol, data), target)
    return protocol, target, told


def by_part(project):
    patients = {part: set() for part in Split}
    for case in project.cases():
        patients[case.split].add(case.patient)
    return patients


def test_patients_are_divided_and_the_challenges_test_set_is_left_out(acdc, tmp_path):
    _, target, told = made("acdc", acdc, tmp_path)
    with Project.open(target, write=False) as project:
        parts = by_part(project)
        assert next(one.name for one in project.classes) == "right ventricle"
        assert len(project.cases()) == 40
    assert [len(parts[part]) for part in Split] == [14, 2, 4]
    assert not parts[Split.TRAIN] & parts[Split.TEST]
    assert "drawn as 70/10/20, since the data bring no lists" in told[0]
    assert "28 train (14 patients)" in told[0]
    assert not (tmp_path / "making-acdc.longtail").exists()


def test_three_patients_with_both_their_frames(acdc, tmp_path):
    protocol, target, _ = made("acdc", acdc, tmp_path)
    with Project.open(target, write=False) as project:
        plan = plan_protocol(project, protocol, short=True)
        three = set(project.labelled_subset(plan.labelled[0], 0))
        seven = set(project.labelled_subset(plan.labelled[1], 0))
        patients = {case.patient for case in project.cases(ids=three)}
    assert plan.labelled == ("3 patients", "7 patients")
    assert (len(three), len(patients), len(seven)) == (6, 3, 14)
    assert three < seven


def test_the_short_form(acdc, tmp_path):
    protocol, target, _ = made("acdc", acdc, tmp_path)
    with Project.open(target, write=False) as project:
        plan = plan_protocol(project, protocol, short=True)
    assert (plan.minutes, plan.iterations, plan.seeds) == (30, None, (0,))
    assert plan.validation == "none"
    assert [one.name for one in plan.contenders] == list(protocol.methods)
    assert {one.settings["patch"] for one in plan.contenders} == {"128x128"}
    assert plan.contender("action++").preset == "few-label-fast"
    assert len(list(plan.cells())) == 10
    assert any(note.startswith("Reported with 3 patients labelled: ") for note in plan.notes)
    assert any("arXiv 2304.02689" in note for note in plan.notes)


def test_lists_say_who_is_who(acdc, tmp_path):
    la = tmp_path / "LA"
    for scan in "abcdefgh":
        for name, top in (("lgemri", 200), ("laendo", 2)):
            array = np.arange(3 * 24 * 24).reshape(3, 24, 24) % top
            scale = 255 if name == "laendo" else 1
            write_nrrd(la / "Training Set" / scan / f"{name}.nrrd", (array * scale).astype("u1"))
    (la / "train.list").write_text("a\nb\nc\nd\ne\n")
    (la / "test.list").write_text("f\ng\n")
    _, target, told = made("la", la, tmp_path)
    with Project.open(target, write=False) as project:
        parts = by_part(project)
        assert all(case.status.value == "reviewed" for case in project.cases())
    assert parts == {Split.TRAIN: set("abcde"), Split.VAL: set(), Split.TEST: set("fg")}
    assert "as the lists of the data say" in told[0]


def write_nrrd(path, array):
    import SimpleITK as sitk

    path.parent.mkdir(parents=True, exist_ok=True)
    sitk.WriteImage(sitk.GetImageFromArray(array), str(path))


def write_pictures(folder, names):
    folder.mkdir(parents=True)
    for name in names:
        PillowImage.new("RGB", (8, 8)).save(folder / f"{name}.png")


def test_a_lesion_never_stands_on_both_sides(tmp_path):
    codes = ("mel", "nv", "bcc")
    rows = [f"L{n // 2},I{n},{codes[n % 8 // 3]}" for n in range(120)]
    (tmp_path / "ham").mkdir()
    (tmp_path / "ham" / "HAM10000_metadata.csv").write_text(
        "lesion_id,image_id,dx\n" + "\n".join(rows)
    )
    write_pictures(tmp_path / "ham" / "images", [f"I{n}" for n in range(120)])
    _, target, told = made("isic", tmp_path / "ham", tmp_path)
    assert "each of the lesions into one part" in told[0]
    with Project.open(target, write=False) as project:
        parts = by_part(project)
        names = {one.name for one in project.classes}
    assert not parts[Split.TRAIN] & (parts[Split.VAL] | parts[Split.TEST])
    assert sum(map(len, parts.values())) == 60
    assert names == {"melanoma", "melanocytic naevus", "basal cell carcinoma"}


def test_grades_keep_their_order(tmp_path):
    rows = "".join(f"{n:03d},{n % 5}\n" for n in range(50))
    (tmp_path / "aptos").mkdir()
    (tmp_path / "aptos" / "train.csv").write_text(f"id_code,diagnosis\n{rows}")
    write_pictures(tmp_path / "aptos" / "train_images", [f"{n:03d}" for n in range(50)])
    _, target, _ = made("aptos", tmp_path / "aptos", tmp_path)
    with Project.open(target, write=False) as project:
        assert [one.name for one in project.classes][::4] == ["no retinopathy", "proliferative"]
        assert (project.catalogue().split == 2).sum() == 10


def test_too_few_patients_are_told(acdc, tmp_path):
    for path in sorted((acdc / "training").iterdir())[5:]:
        path.rename(acdc / f"kept-{path.name}")
    protocol, target, _ = made("acdc", acdc, tmp_path)
    with (
        Project.open(target, write=False) as project,
        pytest.raises(LongtailError, match="7 labelled training patients were asked for"),
    ):
        plan_protocol(project, protocol, short=True)


def test_data_without_labels(acdc, tmp_path):
    for path in acdc.rglob("*_gt.nii.gz"):
        path.unlink()
    with pytest.raises(LongtailError, match="no labelled case for the protocol acdc"):
        find_cases(read_protocol("acdc"), acdc)
    with pytest.raises(LongtailError, match="holds no scan"):
        find_cases(read_protocol("la"), acdc)
    with pytest.raises(LongtailError, match="no protocol 'coco'"):
        read_protocol("coco")


@pytest.mark.parametrize("name", PROTOCOLS)
def test_what_a_protocol_names_is_there(name):
    protocol = read_protocol(name)
    methods = [METHODS.get(read_contender(text).method) for text in protocol.methods]
    for preset in (protocol.preset, protocol.short.preset):
        assert any(preset in method.presets for method in methods)
    if protocol.task is Task.SEGMENTATION:
        # The published size, network and optimiser are for all, so that only methods differ.
        assert all(protocol.preset in method.presets for method in methods)
    assert protocol.reference in protocol.methods
    columns = {column for row in protocol.reported.rows for column in row.values}
    assert columns == set(protocol.labelled or ("all",))
    ours = {row.ours for row in protocol.reported.rows} - {None}
    assert ours <= set(protocol.methods)
    assert len(ours) >= 2
