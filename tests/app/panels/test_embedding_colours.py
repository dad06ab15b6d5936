"""Colour and shape of points, and that they can be told apart without seeing red and green."""

import itertools

import numpy as np
import pytest

from longtail.app.panels.embedding_colours import (
    CLASS,
    COLUMN,
    CONFIDENCE,
    ERROR,
    PART,
    PREDICTION,
    STATUS,
    TIER,
    WORDS,
    as_numbers,
    coloured,
    kinds_of,
)
from longtail.app.panels.embedding_facts import NOTHING, UNKNOWN, Facts
from longtail.app.panels.embedding_raster import SHAPES
from longtail.app.theme import to_rgb
from longtail.core.project.records import (
    CLASS_PALETTE,
    ClassRecord,
    ImageLabels,
    NewCase,
    Split,
    Task,
)
from longtail.core.project.store import Project

CLASSES = tuple(ClassRecord(i + 1, f"c{i}", CLASS_PALETTE[i]) for i in range(3))


@pytest.fixture
def catalogue(tmp_path):
    with Project.create(
        tmp_path / "p.longtail", task=Task.CLASSIFICATION, classes=["c0", "c1", "c2"]
    ) as project:
        project.add_cases(
            NewCase(
                f"case{i}",
                (f"/x/{i}.png",),
                (4, 4),
                1,
                None,
                Split.TEST if i == 3 else Split.TRAIN,
                None,
                ImageLabels(frozenset({i + 1})) if i < 3 else None,
            )
            for i in range(4)
        )
        return project.catalogue()


def facts(case=(0, 1, 2, 3, -1)):
    return Facts(
        np.array(case),
        np.array([1, 2, NOTHING, UNKNOWN, 3], np.int16),
        np.array([1, 3, 3, UNKNOWN, 99], np.int16),
        np.array([0.2, 0.7, 0.995, np.nan, 0.5], np.float32),
        np.array([1, 0, UNKNOWN, UNKNOWN, 0], np.int16),
    )


def named(by, catalogue, values=None):
    shown = coloured(by, facts(), catalogue, CLASSES, values)
    return [shown.kinds[code].name for code in shown.codes], shown


def test_every_point_is_told_what_it_is(catalogue):
    assert named(CLASS, catalogue)[0] == ["c0", "c1", "no class", "not labelled", "c2"]
    assert named(PREDICTION, catalogue)[0] == ["c0", "c2", "c2", "not predicted", "not predicted"]
    assert named(ERROR, catalogue)[0] == ["right", "wrong", "not known", "not known", "wrong"]
    assert named(PART, catalogue)[0] == ["train", "train", "train", "test", "deleted"]
    assert named(STATUS, catalogue)[0][3:] == ["unlabelled", "deleted"]
    assert named(TIER, catalogue)[0] == ["tail", "tail", "no class", "not labelled", "tail"]
    assert named(CONFIDENCE, catalogue)[0] == [
        "below .40",
        ".60 to .80",
        ".99 and more",
        "not predicted",
        ".40 to .60",
    ]


def test_only_kinds_that_there_are_are_explained_and_counted(catalogue):
    _, shown = named(PREDICTION, catalogue)
    assert [kind.name for kind in shown.kinds] == ["c0", "c2", "not predicted"]
    assert shown.counts == [1, 2, 2]
    assert [shown.kinds[i].name for i in shown.starred] == ["c0", "c2"]


def test_a_column_of_words_and_one_of_numbers(catalogue):
    words, shown = named(f"{COLUMN}site", catalogue, ["north", "south", None, "north"])
    assert words == ["north", "south", "empty", "north", "empty"]
    many = Facts(*(np.zeros(40, np.int64) for _ in range(5)))
    many = Facts(np.arange(40), *(getattr(facts(), n) for n in ("true", "said", "share", "right")))
    ages = [str(20 + i) for i in range(39)] + [None]
    shown = coloured(f"{COLUMN}age", many, catalogue, CLASSES, ages)
    assert shown.kinds[0].name.startswith("20 to ")
    assert shown.kinds[-1].name == "empty"
    assert (np.diff(shown.codes[:39]) >= 0).all()
    assert len(set(shown.codes.tolist())) == len(shown.kinds)


def test_rare_values_of_a_column_are_put_together(catalogue):
    many = Facts(np.arange(60), *(getattr(facts(), n) for n in ("true", "said", "share", "right")))
    values = [f"site {i % 15}" for i in range(60)]
    shown = coloured(f"{COLUMN}site", many, catalogue, CLASSES, values)
    assert len(shown.kinds) == 11
    assert shown.kinds[-1].name == "5 others"


@pytest.mark.parametrize("values", [["1", "2", "1"], ["a"] * 30, [f"v{i}" for i in range(30)]])
def test_few_values_and_words_are_no_numbers(values):
    assert as_numbers(values) is None


def test_an_unknown_way_is_refused(catalogue):
    with pytest.raises(ValueError, match="cannot be coloured"):
        coloured("nonsense", facts(), catalogue, CLASSES)


def deuteranopic(colour):
    """What someone without the cones for green sees (Vienot, Brettel and Mollon 1999), linear."""
    srgb = np.array(to_rgb(colour)) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    lms = np.array(
        [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
    )
    blind = np.array([[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]])
    return np.linalg.inv(lms) @ blind @ lms @ linear


def test_without_red_and_green_classes_differ_in_colour_or_in_shape():
    records = [ClassRecord(i + 1, f"c{i}", CLASS_PALETTE[i]) for i in range(len(CLASS_PALETTE))]
    kinds = kinds_of(records)
    for one, other in itertools.combinations(kinds, 2):
        apart = np.abs(deuteranopic(one.colour) - deuteranopic(other.colour)).max()
        assert one.shape != other.shape or apart > 0.1, (one, other)


@pytest.mark.parametrize("by", [ERROR, TIER, PART])
def test_kinds_of_every_other_colouring_have_shapes_of_their_own(catalogue, by):
    shown = coloured(by, facts(), catalogue, CLASSES)
    known = [kind for kind in shown.kinds if kind.shape != SHAPES[-1]]
    assert len({kind.shape for kind in known}) == len(known)


def test_what_runs_from_low_to_high_gets_lighter(catalogue):
    shown = coloured(CONFIDENCE, facts(), catalogue, CLASSES)
    light = [deuteranopic(kind.colour).sum() for kind in shown.kinds[:-1]]
    assert light == sorted(light)


def test_every_way_has_words():
    assert set(WORDS) == {CLASS, PREDICTION, ERROR, PART, STATUS, CONFIDENCE, TIER}
