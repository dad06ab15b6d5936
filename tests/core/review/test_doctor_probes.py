"""Tiny classifiers and their figures, against brute force; and the shortcuts that they betray."""

from itertools import product

import numpy as np
import pytest

from longtail.core.project.records import Task
from longtail.core.review.doctor_columns import as_names, as_numbers, as_words, numbers_of
from longtail.core.review.doctor_looks import DIGEST_BYTES, Looks
from longtail.core.review.doctor_probes import auc_error, auc_of, exam_of
from longtail.core.review.doctor_records import Finding, Kind
from longtail.core.review.doctor_shortcuts import find_shortcuts
from longtail.core.review.doctor_study import Study

CASES = 240


def study(columns: dict | None = None, patients: list[str] | None = None) -> Study:
    """Two classes in turn; each case a patient of its own unless told."""
    truth = np.arange(CASES) % 2
    owners = patients or [None] * CASES
    numbers = {owner: place for place, owner in enumerate(dict.fromkeys(owners))}
    groups = np.arange(CASES) if patients is None else np.array([numbers[one] for one in owners])
    return Study(
        ids=tuple(f"case_{number:03d}" for number in range(CASES)),
        presence=np.column_stack([truth == 0, truth == 1]).astype(np.int8),
        class_ids=(1, 2),
        names=("well", "ill"),
        tiers={1: "head", 2: "head"},
        split=np.zeros(CASES, np.uint8),
        labelled=np.ones(CASES, bool),
        groups=groups,
        patients=tuple(owners),
        columns={name: tuple(texts) for name, texts in (columns or {}).items()},
        volumes={},
        task=Task.CLASSIFICATION,
    )


def looks(border: float = 0.0, inside: float = 60.0) -> Looks:
    """Noise, in which ill cases are brighter inside, or at the border."""
    rng = np.random.default_rng(0)
    small = rng.normal(110, 30, (CASES, 3, 24, 24))
    ill = (np.arange(CASES) % 2)[:, None, None, None]
    ring = np.ones((24, 24), bool)
    ring[2:-2, 2:-2] = False
    small += ill * (border * ring + inside * ~ring)
    count = np.arange(CASES)
    digest = np.zeros((CASES, DIGEST_BYTES), np.uint8)
    digest[:, 0], digest[:, 1] = count % 256, count // 256
    return Looks(
        ids=tuple(f"case_{number:03d}" for number in range(CASES)),
        digest=digest.view(f"V{DIGEST_BYTES}").reshape(-1),
        small=np.clip(small, 0, 255).astype(np.uint8),
        shape=np.tile([0, 24, 24], (CASES, 1)),
        channels=np.ones(CASES, int),
        spacing_mm=np.full((CASES, 3), np.nan),
        direction=np.full((CASES, 9), np.nan),
        levels=np.tile([0.0, 110.0, 255.0, 30.0], (CASES, 1)),
        whole_range=np.ones(CASES, bool),
    )


def embedded(strength: float) -> np.ndarray:
    """Features of an encoder that tells the classes apart more or less well."""
    rng = np.random.default_rng(1)
    features = rng.normal(0, 1, (CASES, 12)).astype(np.float32)
    features[:, 0] += strength * (np.arange(CASES) % 2)
    return features


def found(the_study: Study, the_looks: Looks, strength: float = 3.0) -> list[Finding]:
    return find_shortcuts(the_study, the_looks, embedded(strength))[0]


def test_no_shortcut_no_warning_and_thumbnails_never_warn() -> None:
    findings, probes = find_shortcuts(study(), looks(), embedded(3.0))
    assert findings == []
    by_source = {(one.source, one.class_name): one.auc for one in probes}
    assert by_source["thumbnail", "ill"] > 0.95
    assert by_source["encoder", "ill"] > 0.95
    assert by_source["border", "ill"] < 0.65


def test_a_telling_border_is_a_shortcut() -> None:
    (finding,) = found(study(), looks(border=60.0, inside=0.0))
    assert finding.kind is Kind.SHORTCUT
    assert finding.sentence.startswith("The border")
    assert len(finding.cases) == CASES / 2


def test_a_border_that_tells_less_than_the_encoder_is_none() -> None:
    assert found(study(), looks(border=4.0, inside=0.0), strength=4.0) == []


def test_blocks_of_patient_numbers_are_a_shortcut() -> None:
    numbers = [str(100 + place if place % 2 else 900 + place) for place in range(CASES)]
    (finding,) = found(study(patients=numbers), looks())
    assert finding.sentence.startswith("The patient's number alone")
    assert "from 101 to 339" in finding.sentence or "from 900 to 1138" in finding.sentence


def test_a_column_that_goes_with_the_class_is_a_shortcut() -> None:
    rng = np.random.default_rng(2)
    view = ["PA" if (place % 2) ^ (rng.random() < 0.03) else "AP" for place in range(CASES)]
    age = [str(int(rng.integers(20, 90))) for _ in range(CASES)]
    (finding,) = found(study({"view": view, "age": age}), looks())
    assert finding.sentence.startswith("The column view alone")


def test_the_label_in_other_words_is_no_shortcut() -> None:
    folder = ["Ill" if place % 2 else "Well" for place in range(CASES)]
    assert found(study({"folder": folder}), looks()) == []


def test_what_is_equal_for_all_cases_of_a_patient_cannot_be_learned_by_heart() -> None:
    # The name of each patient tells the class, but no patient is seen twice by a classifier.
    rng = np.random.default_rng(3)
    owners = [f"{hash_of(place // 4 * 2 + place % 2)}" for place in range(CASES)]
    scanner = [str(rng.integers(0, 10**6)) for _ in range(CASES)]
    assert found(study({"scanner": scanner}, owners), looks()) == []


def hash_of(number: int) -> int:
    return int(np.random.default_rng(number).integers(0, 10**9))


def test_cases_of_a_patient_are_held_out_together() -> None:
    owners = [f"p{place // 6}" for place in range(CASES)]
    exam = exam_of(study(patients=owners), np.ones(CASES, bool))
    assert exam is not None
    for owner in range(CASES // 6):
        assert len(np.unique(exam.fold[exam.groups == owner])) == 1
    held = np.bincount(exam.fold)
    assert held.max() <= 1.3 * held.min()


def test_few_cases_are_not_examined() -> None:
    few = study()
    assert exam_of(few, np.arange(CASES) < 30) is None


def test_the_auc_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(5)
    truth, scores = rng.random(40) < 0.4, np.round(rng.random(40), 1)
    pairs = list(product(scores[truth], scores[~truth]))
    wanted = np.mean([1.0 if yes > no else 0.5 if yes == no else 0.0 for yes, no in pairs])
    assert auc_of(truth, scores) == pytest.approx(wanted)


def test_the_error_of_an_auc_is_that_of_hanley_and_mcneil() -> None:
    # Their example of 1982: 51 diseased, 58 healthy, an area of 0.893 and an error of 0.032.
    assert auc_error(0.893, 51, 58) == pytest.approx(0.032, abs=1e-3)


def test_columns_become_numbers() -> None:
    assert as_numbers(["1", "2.5", "", "3"])[:, 0].tolist() == [1, 2.5, -1e9, 3]
    assert as_numbers(["7", "7", "7"]) is None
    assert as_words(["F", "M", "F"]).tolist() == [[1, 0], [0, 1], [1, 0]]
    assert as_names(["A012", "B3"]).tolist() == [[0, 12], [1, 3]]
    assert numbers_of(["same"] * 5) is None
