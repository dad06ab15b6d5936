"""Planted faults are found, each by its kind, and a clean study gives nothing."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PIL import Image

from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project
from longtail.core.review.doctor import diagnose
from longtail.core.review.doctor_looks import look_at, stack
from longtail.core.review.doctor_records import Kind, Report, Severity
from longtail.core.review.doctor_study import study_of

CLASSES = ("common", "usual", "rare")
COUNTS = {"common": 48, "usual": 28, "rare": 24}
SIDE = 40


def picture(number: int, kind: int) -> np.ndarray:
    """Draw an image with an up and a left, and a blob that tells the class; uint8 (y, x)."""
    rng = np.random.default_rng(number)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    ground = 90 + 60 * y + 25 * x + 12 * np.sin(5 * x + number) * np.cos(4 * y + number / 3)
    at_y, at_x = 0.3 + 0.06 * rng.random(), 0.35 + 0.06 * rng.random()
    blob = np.exp(-((y - at_y) ** 2 + (x - at_x) ** 2) / (0.006 + 0.008 * kind))
    noise = rng.normal(0, 14, (SIDE, SIDE))
    return np.clip(ground + 80 * blob + noise, 0, 255).astype(np.uint8)


@dataclass
class Study:
    """A study on the disk that faults can be planted into."""

    folder: Path
    cases: dict[str, NewCase]
    task: Task = Task.CLASSIFICATION

    def change(self, case_id: str, **facts: object) -> None:
        self.cases[case_id] = replace(self.cases[case_id], **facts)

    def file(self, case_id: str) -> Path:
        return Path(self.cases[case_id].channels[0])

    def of(self, name: str, split: Split) -> list[str]:
        return [i for i, one in self.cases.items() if i.startswith(name) and one.split is split]

    def project(self) -> Project:
        project = Project.create(self.folder / "study", task=self.task, classes=CLASSES)
        project.add_cases(self.cases.values())
        return project

    def report(self) -> Report:
        with self.project() as project:
            cases = project.cases()
            study = study_of(project.catalogue(), project.classes, cases)
        looks = stack([one.id for one in cases], [look_at(one.channels) for one in cases])
        return diagnose(study, looks)


def part_of(place: int, count: int) -> Split:
    share = place / count
    return Split.TRAIN if share < 0.5 else Split.VAL if share < 0.7 else Split.TEST


@pytest.fixture
def clean(tmp_path: Path) -> Study:
    """Images of three classes, two of each patient, every class in every part."""
    cases = {}
    for kind, (name, count) in enumerate(COUNTS.items()):
        for place in range(count):
            case_id = f"{name}_{place:02d}"
            path = tmp_path / f"{case_id}.png"
            Image.fromarray(picture(1000 * kind + place, kind)).save(path)
            first = place // 2 * 2
            cases[case_id] = NewCase(
                case_id,
                (path.as_posix(),),
                (SIDE, SIDE),
                1,
                None,
                split=part_of(first, count),
                patient=f"{name}-{first}",
                labels=ImageLabels(frozenset({kind + 1})),
            )
    return Study(tmp_path, cases)


def kinds(report: Report) -> list[Kind]:
    return [one.kind for one in report.findings]


def test_a_clean_study_gives_nothing(clean: Study) -> None:
    report = clean.report()
    assert report.findings == ()
    assert report.cases == sum(COUNTS.values())
    assert [(one.name, one.parts[0]) for one in report.classes] == [
        ("common", (24, 12)),
        ("usual", (14, 7)),
        ("rare", (12, 6)),
    ]
    assert report.classes[2].tier == "tail"
    assert report.classes[0].effective == pytest.approx((1 - 0.999**24) / 0.001)


def test_a_patient_on_both_sides_is_a_leak(clean: Study) -> None:
    ids = clean.of("common", Split.TRAIN)[:2]
    clean.change(clean.of("common", Split.TEST)[0], patient="leaked")
    for case_id in ids:
        clean.change(case_id, patient="leaked")
    (found,) = clean.report().findings
    assert (found.kind, found.severity) == (Kind.LEAK, Severity.ERROR)
    assert "leaked" in found.sentence
    assert set(found.cases) == {*ids, clean.of("common", Split.TEST)[0]}
    assert found.fix is not None
    assert dict(found.fix.parts) == {clean.of("common", Split.TEST)[0]: "train"}


@pytest.mark.parametrize("part", [Split.VAL, Split.TEST])
def test_a_class_that_a_part_lacks_is_missing(clean: Study, part: Split) -> None:
    for case_id in clean.of("rare", part):
        clean.change(case_id, split=Split.TRAIN)
    (found,) = clean.report().findings
    assert found.kind is Kind.MISSING_CLASS
    assert found.sentence.startswith("rare")
    assert found.fix is not None
    assert set(found.fix.parts.values()) == {part.value}
    # Whole patients move, and most of the class stays where it is learned.
    moved = {clean.cases[case_id].patient for case_id in found.fix.parts}
    for patient in moved:
        both = {i for i, one in clean.cases.items() if one.patient == patient}
        assert both <= set(found.fix.parts)
    assert len(found.fix.parts) <= COUNTS["rare"] / 2


def test_a_class_without_any_case_is_missing(clean: Study) -> None:
    for case_id in [i for i in clean.cases if i.startswith("rare")]:
        del clean.cases[case_id]
    (found,) = clean.report().findings
    assert (found.kind, found.cases, found.fix) == (Kind.MISSING_CLASS, (), None)


def test_a_class_with_few_test_images_cannot_be_measured(clean: Study) -> None:
    for case_id in clean.of("rare", Split.TEST)[2:]:
        clean.change(case_id, split=Split.TRAIN)
    (found,) = clean.report().findings
    assert found.kind is Kind.TOO_FEW
    assert "rare (2)" in found.sentence
    assert found.fix is not None
    assert set(found.fix.parts.values()) == {"test"}
    assert len(found.fix.parts) == 4  # two whole patients, where three images are wanted
    for case_id, part in found.fix.parts.items():
        clean.change(case_id, split=Split(part))
    clean.folder = clean.folder / "mended"
    assert clean.report().findings == ()


def test_what_train_cannot_spare_stays(clean: Study) -> None:
    for case_id in clean.of("rare", Split.TEST)[4:]:
        del clean.cases[case_id]
    for case_id in clean.of("rare", Split.TRAIN)[6:]:
        clean.change(case_id, split=Split.VAL)
    (found,) = clean.report().findings
    assert (found.kind, found.fix) == (Kind.TOO_FEW, None)


def test_a_copied_file_in_another_part_is_a_duplicate(clean: Study) -> None:
    first, second = clean.of("usual", Split.TRAIN)[0], clean.of("usual", Split.TEST)[0]
    clean.file(second).write_bytes(clean.file(first).read_bytes())
    (found,) = clean.report().findings
    assert (found.kind, found.severity) == (Kind.DUPLICATE, Severity.ERROR)
    assert set(found.cases) == {first, second}
    assert found.fix is not None
    assert found.fix.leave_out == (first,)  # what measures stays


def test_a_picture_saved_again_is_a_near_duplicate(clean: Study) -> None:
    first, second = clean.of("usual", Split.TRAIN)[0], clean.of("usual", Split.TEST)[0]
    saved = Image.open(clean.file(first)).resize((64, 64)).point(lambda value: value * 0.9)
    path = clean.folder / "again.jpg"
    saved.save(path, quality=70)
    clean.change(second, channels=(path.as_posix(),), shape=(64, 64))
    (found,) = clean.report().findings
    assert (found.kind, found.severity) == (Kind.DUPLICATE, Severity.WARNING)
    assert set(found.cases) == {first, second}


def test_pictures_of_one_patient_may_look_alike(clean: Study) -> None:
    first = clean.of("usual", Split.TRAIN)[0]
    second = clean.of("rare", Split.TRAIN)[0]
    Image.open(clean.file(first)).point(lambda value: value * 0.9).save(clean.file(second))
    assert kinds(clean.report()) == [Kind.LABEL_CONFLICT]
    clean.change(second, patient=clean.cases[first].patient)
    clean.folder = clean.folder / "again"
    assert kinds(clean.report()) == []


def test_one_picture_with_two_labels_is_a_conflict(clean: Study) -> None:
    first, second = clean.of("usual", Split.TRAIN)[0], clean.of("rare", Split.TRAIN)[0]
    clean.file(second).write_bytes(clean.file(first).read_bytes())
    (found,) = clean.report().findings
    assert found.kind is Kind.LABEL_CONFLICT
    assert "usual" in found.sentence
    assert "rare" in found.sentence
    assert found.fix is not None
    assert set(found.fix.unlabel) == {first, second}


def test_copies_side_by_side_are_told_without_alarm(clean: Study) -> None:
    first, second = clean.of("usual", Split.TRAIN)[:2]
    clean.file(second).write_bytes(clean.file(first).read_bytes())
    (found,) = clean.report().findings
    assert (found.kind, found.severity) == (Kind.DUPLICATE, Severity.INFO)


@pytest.mark.parametrize("turn", [np.flipud, lambda array: np.rot90(array, 2)])
def test_a_picture_upside_down_is_found(clean: Study, turn) -> None:
    case_id = clean.of("common", Split.TRAIN)[3]
    Image.fromarray(turn(picture(3, 0)).copy()).save(clean.file(case_id))
    (found,) = clean.report().findings
    assert (found.kind, found.cases) == (Kind.GEOMETRY, (case_id,))


def test_pictures_without_an_up_are_never_turned(clean: Study) -> None:
    for number, case_id in enumerate(clean.cases):
        Image.fromarray(np.rot90(picture(number, 0), number % 4).copy()).save(clean.file(case_id))
    assert clean.report().findings == ()


def test_empty_dark_large_and_coloured_pictures_are_outliers(clean: Study) -> None:
    empty, dark, large, coloured = list(clean.cases)[:4]
    Image.fromarray(np.full((SIDE, SIDE), 128, np.uint8)).save(clean.file(empty))
    Image.fromarray(picture(1, 0) // 8).save(clean.file(dark))
    Image.fromarray(np.kron(picture(2, 0), np.ones((3, 3), np.uint8))).save(clean.file(large))
    Image.fromarray(np.stack([picture(3, 0)] * 3, -1)).save(clean.file(coloured))
    found = clean.report().findings
    assert {one.kind for one in found} == {Kind.OUTLIER}
    assert {one.cases for one in found} == {
        (case_id,) for case_id in (empty, dark, large, coloured)
    }


def volume(number: int) -> np.ndarray:
    rng = np.random.default_rng(number)
    z, y, x = np.mgrid[:12, :16, :14]
    body = (
        60 * z + 40 * y + 25 * x + 300 * np.exp(-((z - 4) ** 2 + (y - 5) ** 2 + (x - 9) ** 2) / 6)
    )
    return (body + rng.normal(0, 40, body.shape)).astype(np.int16)


@pytest.fixture
def scans(tmp_path: Path) -> Study:
    """Volumes of one kind with a label map each."""
    cases = {}
    for number in range(20):
        case_id = f"scan_{number:02d}"
        path, mask = tmp_path / f"{case_id}.nii.gz", tmp_path / f"{case_id}_mask.nii.gz"
        drawn = np.zeros((12, 16, 14), np.uint8)
        drawn[3:6, 4:7, 8:11], drawn[8, 8, 2:6], drawn[0, 0, 0:3] = 1, 2, 3
        for array, place in ((volume(number), path), (drawn, mask)):
            write(place, array)
        cases[case_id] = NewCase(
            case_id,
            (path.as_posix(),),
            (12, 16, 14),
            1,
            (2.0, 1.0, 1.0),
            split=part_of(number, 20),
            mask=mask.as_posix(),
            mask_values={1: 1, 2: 2, 3: 3},
        )
    return Study(tmp_path, cases, Task.SEGMENTATION)


def write(path: Path, array: np.ndarray, spacing=(1.0, 1.0, 2.0), turned: bool = False) -> None:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing)
    image.SetDirection((1, 0, 0, 0, -1, 0, 0, 0, 1) if turned else (1, 0, 0, 0, 1, 0, 0, 0, 1))
    sitk.WriteImage(image, str(path))


def test_clean_scans_give_nothing(scans: Study) -> None:
    assert kinds(scans.report()) == []


def test_another_orientation_in_the_header_is_found(scans: Study) -> None:
    write(scans.file("scan_03"), volume(3), turned=True)
    (found,) = scans.report().findings
    assert (found.kind, found.cases) == (Kind.GEOMETRY, ("scan_03",))
    assert "LAS" in found.sentence
    assert "LPS" in found.sentence


def test_oblique_scans_are_not_in_another_orientation(scans: Study) -> None:
    for number, case_id in enumerate(scans.cases):
        angle = np.radians(45 + number - 10)
        image = sitk.GetImageFromArray(volume(number))
        image.SetSpacing((1.0, 1.0, 2.0))
        turn = ((np.cos(angle), -np.sin(angle), 0), (np.sin(angle), np.cos(angle), 0), (0, 0, 1))
        image.SetDirection(np.array(turn).ravel().tolist())
        sitk.WriteImage(image, str(scans.file(case_id)))
    assert kinds(scans.report()) == []


def test_voxels_mirrored_under_an_innocent_header_are_found(scans: Study) -> None:
    write(scans.file("scan_05"), volume(5)[:, ::-1].copy())
    (found,) = scans.report().findings
    assert (found.kind, found.cases) == (Kind.GEOMETRY, ("scan_05",))
    assert "mirrored along y" in found.sentence


def test_another_voxel_size_and_another_range_are_found(scans: Study) -> None:
    write(scans.file("scan_07"), volume(7), spacing=(1.0, 1.0, 5.0))
    write(scans.file("scan_09"), volume(9).astype(np.float32) * 500)
    found = scans.report().findings
    assert [(one.kind, one.cases) for one in found] == [
        (Kind.OUTLIER, ("scan_09",)),
        (Kind.GEOMETRY, ("scan_07",)),
    ]


def test_the_same_data_give_the_same_report(clean: Study) -> None:
    clean.file("usual_00").write_bytes(clean.file("rare_01").read_bytes())
    first = clean.report()
    assert first == Study(clean.folder / "again", clean.cases).report()
    assert Report.from_mapping(first.to_mapping()) == first
