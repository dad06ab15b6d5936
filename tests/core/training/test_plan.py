"""From wishes to plans."""

import subprocess
import sys

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.methods.settings import SupervisedSettings
from longtail.core.methods.spec import RunSpec
from longtail.core.project.records import Case, ImageLabels, Split, Status
from longtail.core.training.estimate import estimate_run
from longtail.core.training.grid import choose_grid, choose_strides
from longtail.core.training.plan import plan_run


def case(shape, spacing):
    return Case("a", ("x",), shape, 1, spacing, Split.TRAIN, Status.REVIEWED)


def grid(shape, spacing, **settings):
    return choose_grid([case(shape, spacing)] * 3, SupervisedSettings(**settings), False)


def test_volumes_are_planned_whole(volumes):
    spec = plan_run(volumes, method="supervised", iterations=5)
    assert spec.train_labelled == ("case0", "case1", "case2", "case3")
    assert spec.train_unlabelled == ("case4",)
    assert spec.validation == "none"
    assert spec.settings["dimensions"] == "3d"
    assert spec.settings["batch"] > 0
    assert spec.iterations_planned == 5
    assert [each.examples for each in spec.classes] == [4, 4]
    assert sum(each.volume for each in spec.classes) == pytest.approx(1)
    assert RunSpec.from_mapping(spec.to_mapping()) == spec
    assert estimate_run(spec).memory_bytes > 1e8


def test_validation_is_used_on_request(volumes):
    spec = plan_run(volumes, method="supervised", validation="split")
    assert spec.val == ("case5", "case6")
    assert spec.minutes == 6


def test_a_labelled_subset_hides_the_rest(volumes):
    spec = plan_run(volumes, method="supervised", labelled="2", seed=3)
    assert len(spec.train_labelled) == 2
    assert len(spec.train_unlabelled) == 3
    assert set(spec.train_labelled) == set(volumes.labelled_subset("2", 3))
    assert any("Only 2 labelled cases" in warning for warning in spec.warnings)


def test_a_class_without_examples_is_told(volumes):
    volumes.add_class("ghost")
    spec = plan_run(volumes, method="supervised")
    assert any("ghost has no training example" in warning for warning in spec.warnings)


def test_uneven_classes_get_a_balanced_loss(pictures):
    assert plan_run(pictures, method="cross-entropy").settings["loss"] == "balanced-softmax"
    plain = plan_run(pictures, method="cross-entropy", preset="plain")
    assert plain.settings["loss"] == "ce"
    assert plain.settings["encoder"] == "resnet18"


def test_several_classes_get_theirs(findings):
    spec = plan_run(findings, method="cross-entropy")
    assert spec.settings["loss"] == "bce"
    with pytest.raises(LongtailError, match="several classes per image"):
        plan_run(findings, method="cross-entropy", settings={"loss": "ldam"})


def test_lite0_chooses_its_encoder(pictures):
    spec = plan_run(pictures, method="cross-entropy", settings={"pretrained": "lite0"})
    assert spec.settings["encoder"] == "efficientnet-lite0"
    with pytest.raises(LongtailError, match="do not fit resnet18"):
        plan_run(
            pictures,
            method="cross-entropy",
            settings={"pretrained": "lite0", "encoder": "resnet18"},
        )


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"method": "magic"}, "no method 'magic'"),
        ({"method": "cross-entropy"}, "does not do segmentation"),
        ({"preset": "best"}, "no preset 'best'"),
        ({"settings": {"sizee": 3}}, "no setting 'sizee'"),
        ({"settings": {"width": "wide"}}, r"Width \(width\) cannot be 'wide'"),
        ({"settings": {"patch": "32x32"}}, r"Patch \(patch\) cannot be '32x32'"),
        ({"minutes": 1.0, "iterations": 3}, "Both minutes and iterations"),
        ({"minutes": -1.0}, "cannot last"),
        ({"iterations": 0}, "cannot have 0"),
        ({"labelled": "9"}, "there are 4"),
        ({"validation": "some"}, "cannot be 'some'"),
    ],
)
def test_what_cannot_work_is_said(volumes, wish, words):
    with pytest.raises(LongtailError, match=words):
        plan_run(volumes, **{"method": "supervised", **wish})


def test_no_labelled_case(volumes):
    volumes.set_split(["case0", "case1", "case2", "case3"], Split.TEST)
    with pytest.raises(LongtailError, match="all 6 labelled cases are kept") as error:
        plan_run(volumes, method="supervised")
    assert "training part" in error.value.remedy


def test_nothing_but_background(volumes):
    for number in range(4):
        volumes.write_label_map(f"case{number}", np.zeros((18, 20, 16), np.uint8), author="me")
    with pytest.raises(LongtailError, match="everything labelled is background"):
        plan_run(volumes, method="supervised")


def test_one_class_only(pictures):
    ids = [each.id for each in pictures.cases()]
    pictures.set_labels(ids, ImageLabels(yes=frozenset({2})), author="me", status=Status.REVIEWED)
    with pytest.raises(LongtailError, match="All labelled training cases are stripes"):
        plan_run(pictures, method="cross-entropy")


def test_no_validation_cases(findings):
    with pytest.raises(LongtailError, match="kept for validation"):
        plan_run(findings, method="cross-entropy", validation="split")


def test_even_volumes_are_worked_on_whole():
    found = grid((36, 50, 36), (1.0, 1.0, 1.0))
    assert found.spatial_dims == 3
    assert found.patch == (40, 56, 40)


def test_thick_slices_are_worked_on_one_by_one():
    found = grid((10, 256, 216), (10.0, 1.5, 1.5))
    assert found.spatial_dims == 2
    assert found.slice_axis == 0
    assert found.spacing_mm == (0.0, 1.5, 1.5)


def test_the_slices_are_found_on_any_axis():
    assert grid((256, 256, 10), (1.5, 1.5, 8.0)).slice_axis == 2


def test_a_wish_goes_first():
    assert grid((36, 50, 36), (1.0, 1.0, 1.0), dimensions="2d").spatial_dims == 2
    assert grid((60, 90, 80), None, patch="30x40x50").patch == (32, 40, 56)
    with pytest.raises(LongtailError, match="images are flat"):
        grid((50, 36), None, dimensions="3d")


def test_mixed_cases_are_refused():
    with pytest.raises(LongtailError, match="volumes and some are single images"):
        choose_grid([case((9, 9), None), case((9, 9, 9), None)], SupervisedSettings(), False)


def test_long_axes_are_halved_later():
    strides = choose_strides((16, 64, 64), (4.0, 1.0, 1.0), 4)
    assert strides[:2] == ((1, 2, 2), (1, 2, 2))
    assert strides[2] == (2, 2, 2)
    for side, total in zip((16, 64, 64), np.prod(strides, axis=0), strict=True):
        assert side / total >= 4


def test_planning_needs_no_torch():
    code = (
        "import sys, longtail.core.training.plan, longtail.core.training.estimate, "
        "longtail.core.training.changes, longtail.core.methods.catalogue; "
        "from longtail.core.methods.catalogue import METHODS; "
        "[method.presets for method in METHODS]; "
        "sys.exit(any(name in sys.modules for name in ('torch', 'monai')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
