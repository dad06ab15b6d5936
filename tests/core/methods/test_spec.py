"""Plans on disk."""

import pytest

from longtail.core.errors import LongtailError
from longtail.core.methods.spec import RunSpec, SpecClass, SpecGrid, read_spec, write_spec
from longtail.core.project.records import Task


def spec():
    return RunSpec(
        method="supervised",
        settings={"width": 8},
        task=Task.SEGMENTATION,
        classes=(SpecClass(id=1, name="Näher"), SpecClass(id=4, name="b", examples=3)),
        grid=SpecGrid(spatial_dims=2, spacing_mm=(0.0, 1.0, 1.0), patch=(8, 8), strides=((2, 2),)),
        train_labelled=("a/b", "c"),
        warnings=("Careful.",),
    )


def test_a_plan_survives_the_disk(tmp_path):
    folder = tmp_path / "ein Lauf"
    write_spec(folder, spec())
    assert read_spec(folder) == spec()


def test_changes_are_checked():
    assert spec().replace(seed=3).seed == 3
    assert spec().replace(seed=3).class_ids == (1, 4)
    with pytest.raises(ValueError, match="validation"):
        spec().replace(validation="maybe")


def test_plans_cannot_be_changed_in_place():
    with pytest.raises(ValueError, match="frozen"):
        spec().seed = 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("- 1", "is empty"),
        ("a: [", "cannot be read"),
        ("format: 9\nmethod: x", "newer Longtail"),
        ("method: x\ntask: cooking\nclasses: []", "damaged: task"),
        ("method: x\ntask: segmentation\nclasses: []\nfuture: 1", "damaged: future"),
        ("!!python/object/apply:os.getcwd []", "cannot be read"),
    ],
)
def test_damaged_plans_are_said(tmp_path, text, words):
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(LongtailError, match=words):
        read_spec(tmp_path)


def test_a_missing_plan_is_said(tmp_path):
    with pytest.raises(LongtailError, match="cannot be read"):
        read_spec(tmp_path)
