"""What rows and bars say, without Qt."""

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from longtail.app.panels.cases_bars import UNLABELLED_KEY, class_bars, unlabelled_bar
from longtail.app.panels.cases_filter import (
    UNSURE_FIRST as UNSURE,
)
from longtail.app.panels.cases_filter import (
    CaseFilter,
    matching,
    split_counts,
    status_counts,
)
from longtail.app.panels.cases_predicted import Guess, Guesses, guess_of, read_guesses
from longtail.app.panels.cases_text import (
    aspect_of,
    row_of,
    size_words,
    spacing_words,
    view_words,
    with_doubt,
)
from longtail.core.project.records import (
    Case,
    ClassRecord,
    ImageLabels,
    PredictionRecord,
    Split,
    Status,
    Task,
)
from longtail.core.project.store import Project

CLASSES = {1: ClassRecord(1, "Pneumonia", "#111111"), 2: ClassRecord(2, "Hernia", "#222222")}
TIERS = {1: "head", 2: "tail"}


def case(**changes):
    known = {
        "id": "a/b/scan_001",
        "channels": ("x.nii",),
        "shape": (35, 51, 40),
        "channel_count": 1,
        "spacing_mm": (1.0, 1.0, 1.0),
        "split": Split.TRAIN,
        "status": Status.UNLABELLED,
    }
    return Case(**{**known, **changes})


def test_a_scan_says_its_size_as_x_y_z_and_its_spacing():
    row = row_of(case(), CLASSES, TIERS)
    assert (row.name, row.detail, row.status) == ("scan_001", "40×51×35 · 1 mm", "unlabelled")  # noqa: RUF001
    assert spacing_words((3.0, 0.78125, 0.78125)) == "0.781×0.781×3 mm"  # noqa: RUF001


@pytest.mark.parametrize("spacing", [None, (), (math.nan, 1, 1), (0, 1, 1), (math.inf, 1, 1)])
def test_a_spacing_that_is_none_is_not_shown(spacing):
    assert spacing_words(spacing) == ""


def test_a_case_that_was_not_read_has_no_size():
    assert size_words(case(shape=())) == ""
    assert aspect_of(case(shape=())) == 1


def test_the_shape_of_a_slice_in_space():
    assert aspect_of(case(shape=(5, 10, 20), spacing_mm=(1, 2, 1))) == 1
    assert aspect_of(case(shape=(10, 20), spacing_mm=None)) == 2
    assert aspect_of(case(shape=(0, 20), spacing_mm=None)) == 1


def test_a_radiograph_says_patient_and_view():
    image = case(
        shape=(10, 10),
        spacing_mm=None,
        patient="8365",
        metadata={"View Position": "PA", "age": "50"},
        split=Split.TEST,
    )
    assert row_of(image, CLASSES, TIERS).detail == "test · patient 8365 · PA"
    assert view_words({}) == ""


def test_the_chip_names_the_rarest_class():
    both = ImageLabels(frozenset({1, 2}), frozenset())
    row = row_of(case(labels=both, status=Status.REVIEWED), CLASSES, TIERS)
    assert (row.chip, row.tier) == ("Hernia +1", "tail")


def test_none_of_the_classes_is_an_answer():
    none = ImageLabels(frozenset(), frozenset({1, 2}))
    assert row_of(case(labels=none, status=Status.REVIEWED), CLASSES, TIERS).chip == "no finding"
    retired = ImageLabels(frozenset({99}), frozenset())
    assert row_of(case(labels=retired, status=Status.DRAFT), CLASSES, TIERS).chip == "no finding"


def test_a_guess_shows_only_where_nobody_has_labelled():
    guess = Guess((2,), 0.45)
    row = row_of(case(split=Split.TEST), CLASSES, TIERS, guess)
    assert (row.status, row.chip, row.guessed) == ("predicted", "Hernia", True)
    assert row.detail == "test · p = 0.45"
    labelled = row_of(case(status=Status.REVIEWED), CLASSES, TIERS, guess)
    assert (labelled.status, labelled.guessed) == ("reviewed", False)


def test_scans_name_only_their_rare_classes():
    drawn = case(status=Status.REVIEWED, has_mask=True, volumes_mm3={1: 900.0, 2: 3.0, 255: 1.0})
    assert row_of(drawn, CLASSES, TIERS).chip == "Hernia"
    common = case(status=Status.REVIEWED, has_mask=True, volumes_mm3={1: 900.0, 2: 0.0})
    assert row_of(common, CLASSES, TIERS).chip == ""
    assert row_of(case(), CLASSES, TIERS, Guess((1, 2))).chip == "Hernia"
    assert row_of(case(), CLASSES, TIERS, Guess((1,))).chip == ""


def record(logits=None, file=None):
    values = None if logits is None else np.array(logits, np.float32)
    return PredictionRecord("a", "run", "hash", 1, file, values)


def test_logits_become_classes(tmp_path):
    one = guess_of(record([0.0, 3.0]), [1, 2], Task.CLASSIFICATION, tmp_path)
    assert one.class_ids == (2,)
    assert one.probability == pytest.approx(1 / (1 + math.exp(-3)), abs=1e-6)
    several = guess_of(record([2.0, -3.0]), [1, 2], Task.MULTILABEL, tmp_path)
    assert several.class_ids == (1,)
    none = guess_of(record([-2.0, -3.0]), [1, 2], Task.MULTILABEL, tmp_path)
    assert none.class_ids == ()


@pytest.mark.parametrize("logits", [[math.nan, 1.0], [math.inf, 0.0], [1.0], []])
def test_odd_logits_are_no_guess(tmp_path, logits):
    assert guess_of(record(logits), [1, 2], Task.CLASSIFICATION, tmp_path) is None


def test_a_prediction_without_a_file_is_no_guess(tmp_path):
    assert guess_of(record(file="gone.nii.gz"), [1], Task.SEGMENTATION, tmp_path) is None
    assert guess_of(record(), [1], Task.SEGMENTATION, tmp_path) is None


def test_guesses_are_counted_where_nobody_has_labelled():
    guesses = Guesses("run", {"a": Guess((1,)), "b": Guess((1, 2)), "c": Guess((2,))})
    assert guesses.counts({"a", "b"}) == {1: 2, 2: 1}
    assert guesses.counts(set()) == {}


def test_guesses_are_read_from_the_project(cells):
    spec = {"task": "classification", "classes": [{"id": 1}, {"id": 2}], "method": "cross-entropy"}
    with Project.open(cells) as project:
        run = project.new_run(spec)
        values = np.array([0.0, 2.0], np.float32)
        project.record_predictions([PredictionRecord("cell_07", run.id, "h", 1, logits=values)])
        assert read_guesses(project, run.id).by_case["cell_07"].class_ids == (2,)
        # At a prior under which the other class is far more frequent it is taken for that one.
        project.record_run(run.id, state="completed", result={"prior": [0.1, 0.9]})
        project.set_run_setting(run.id, "prior_target", [0.9, 0.1])
        assert read_guesses(project, run.id).by_case["cell_07"].class_ids == (1,)


@pytest.fixture
def catalogue(cells):
    with Project.open(cells) as project:
        yield project.catalogue()


def test_bars_count_the_training_part_and_are_sorted(catalogue):
    classes = [ClassRecord(2, "rare", "#222222"), ClassRecord(1, "common", "#111111")]
    bars = class_bars(catalogue, classes, {2: 3})
    assert [(b.name, b.solid, b.predicted, b.tier) for b in bars] == [
        ("common", 5, None, "tail"),
        ("rare", 1, 3, "tail"),
    ]
    waiting = unlabelled_bar(catalogue)
    assert (waiting.key, waiting.solid) == (UNLABELLED_KEY, 6)


def test_counts(catalogue):
    assert status_counts(catalogue) == {
        Status.UNLABELLED: 6,
        Status.DRAFT: 1,
        Status.REVIEWED: 5,
    }
    assert split_counts(catalogue) == {Split.TRAIN: 10, Split.VAL: 0, Split.TEST: 2}


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (CaseFilter(), 12),
        (CaseFilter(text="CELL_0"), 10),
        (CaseFilter(status=Status.DRAFT), 1),
        (CaseFilter(split=Split.TEST), 2),
        (CaseFilter(class_id=2), 1),
        (CaseFilter(class_id=2, text="nothing"), 0),
    ],
)
def test_filters(catalogue, wanted, count):
    assert len(matching(catalogue, wanted)) == count
    assert wanted.narrows == (count < 12)


def test_the_least_sure_come_first_and_what_is_not_predicted_last(catalogue):
    doubts = Guesses(
        "run",
        {
            "cell_07": Guess((1,), uncertainty=0.2),
            "cell_02": Guess((1,), uncertainty=0.9),
            "cell_03": Guess((1,), uncertainty=math.nan),
            "cell_04": Guess((1,)),
            "cell_09": Guess((1,), uncertainty=0.0),
        },
    ).doubts
    assert set(doubts) == {"cell_07", "cell_02", "cell_09"}
    ids = [catalogue.ids[row] for row in matching(catalogue, CaseFilter(order=UNSURE), doubts)]
    assert ids[:5] == ["cell_02", "cell_07", "cell_09", "cell_00", "cell_01"]
    assert len(ids) == 12
    plain = matching(catalogue, CaseFilter(order=UNSURE)).tolist()
    assert plain == matching(catalogue, CaseFilter()).tolist()


def test_the_uncertainty_stands_in_the_row():
    row = row_of(case(), CLASSES, TIERS, Guess((1,)))
    assert with_doubt(row, Guess((1,), uncertainty=0.1234)).detail == "unsure 0.123"
    assert with_doubt(row, Guess((1,), uncertainty=1e-6)).detail == "unsure < 0.001"
    for odd in (None, Guess((1,)), Guess((1,), uncertainty=math.nan)):
        assert with_doubt(row, odd) == row


def test_a_cleared_filter_keeps_its_order():
    wanted = CaseFilter("a", Status.DRAFT, Split.VAL, 3, "patient")
    assert wanted.cleared() == CaseFilter(order="patient")
    assert wanted.without_class().class_id is None


def test_times_are_no_part_of_a_row():
    changed = datetime.now(UTC)
    assert row_of(case(changed=changed), CLASSES, TIERS) == row_of(case(), CLASSES, TIERS)
