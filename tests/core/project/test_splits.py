from collections import Counter

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.records import ImageLabels, NewCase, Split
from longtail.core.project.splits import draw_split, labelled_order, parse_split, subset_size
from longtail.core.project.store import Project


@pytest.mark.parametrize(
    ("text", "count", "numbers"),
    [
        ("150/10/40", 200, (150, 10, 40)),
        ("150/10/40", 100, (75, 5, 20)),
        ("70/10/20", 10, (7, 1, 2)),
        ("0.7/0.1/0.2", 10, (7, 1, 2)),
        ("1/1/1", 10, (4, 3, 3)),
        ("80/0/20", 5, (4, 0, 1)),
        (" 3 / 0 / 0 ", 3, (3, 0, 0)),
        ("70/10/20", 0, (0, 0, 0)),
    ],
)
def test_counts_when_they_add_up_else_shares(
    text: str, count: int, numbers: tuple[int, int, int]
) -> None:
    assert parse_split(text, count) == numbers


@pytest.mark.parametrize("text", ["70/30", "a/b/c", "", "0/0/0", "1/2/3/4", "-1/1/1", "1..2/1/1"])
def test_what_is_no_split(text: str) -> None:
    with pytest.raises(LongtailError, match="no split"):
        parse_split(text, 10)


def _draw(presence: np.ndarray, counts: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    return draw_split(list(range(len(presence))), presence, counts, seed)


def test_single_cases_are_dealt_exactly() -> None:
    rng = np.random.default_rng(0)
    presence = rng.random((200, 6)) < 0.5 ** np.arange(1, 7)
    for seed in range(5):
        parts = _draw(presence, (150, 10, 40), seed)
        assert np.bincount(parts, minlength=3).tolist() == [150, 10, 40]


def test_rare_classes_are_spread_in_proportion() -> None:
    presence = np.zeros((1000, 2), bool)
    presence[:10, 0] = True
    presence[5:305, 1] = True
    for seed in range(10):
        parts = _draw(presence, (700, 100, 200), seed)
        assert np.bincount(parts[:10], minlength=3).tolist() == [7, 1, 2]
        common = np.bincount(parts[5:305], minlength=3)
        assert np.abs(common - [210, 30, 60]).max() <= 2


def test_seeds_draw_differently_and_repeatably() -> None:
    presence = np.zeros((60, 1), bool)
    first, again, other = (_draw(presence, (40, 10, 10), seed) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()


def test_groups_stay_together_and_near_the_numbers() -> None:
    rng = np.random.default_rng(1)
    groups = np.sort(rng.integers(0, 60, 300))
    groups = np.unique(groups, return_inverse=True)[1]
    presence = rng.random((300, 3)) < 0.2
    parts = draw_split(groups.tolist(), presence, (210, 30, 60), 3)
    for group in np.unique(groups):
        assert len(set(parts[groups == group])) == 1
    assert np.abs(np.bincount(parts, minlength=3) - [210, 30, 60]).max() <= 6


def test_an_empty_part_stays_empty() -> None:
    groups = [0, 0, 0, 1, 1, 1, 2, 2, 2]
    parts = draw_split(groups, np.zeros((9, 1), bool), (7, 0, 2), 0)
    assert 1 not in parts


def test_nothing_to_draw() -> None:
    assert len(_draw(np.zeros((0, 2), bool), (0, 0, 0))) == 0


def test_smaller_subsets_lie_inside_larger_ones_and_hold_every_class() -> None:
    rng = np.random.default_rng(0)
    presence = np.zeros((500, 5), bool)
    presence[np.arange(500), rng.choice(5, 500, p=[0.6, 0.3, 0.06, 0.03, 0.01])] = True
    for seed in range(5):
        order = labelled_order(presence, seed)
        assert sorted(order.tolist()) == list(range(500))
        assert presence[order[:5]].any(axis=0).all()
    assert labelled_order(presence, 0)[5:].tolist() != labelled_order(presence, 1)[5:].tolist()


def test_a_class_without_examples_does_not_stop_the_choice() -> None:
    presence = np.array([[True, False], [True, False]])
    assert sorted(labelled_order(presence, 0).tolist()) == [0, 1]


def test_the_rest_of_a_subset_is_drawn_at_random() -> None:
    presence = np.ones((40, 2), bool)
    taken = Counter(place for seed in range(200) for place in labelled_order(presence, seed)[:10])
    assert len(taken) == 40
    assert min(taken.values()) > 20


@pytest.mark.parametrize(
    ("wish", "size"), [("10", 10), ("5%", 2), ("100%", 40), ("0.1%", 1), (" 40 ", 40), ("12.5%", 5)]
)
def test_sizes_of_subsets(wish: str, size: int) -> None:
    assert subset_size(wish, 40) == size


@pytest.mark.parametrize("wish", ["0", "-1", "all", "", "1.5", "0%", "101%", "10 %%"])
def test_what_is_no_size(wish: str) -> None:
    with pytest.raises(LongtailError, match="no number of labelled cases"):
        subset_size(wish, 40)


def test_more_than_there_are() -> None:
    with pytest.raises(LongtailError, match=r"41 labelled training cases.*there are 40"):
        subset_size("41", 40)


def _images(order: list[int], patients: int = 1) -> list[NewCase]:
    return [
        NewCase(
            f"x{number:03d}",
            (f"/d/x/{number}.png",),
            (8, 8),
            1,
            None,
            patient=f"p{number // patients}" if patients > 1 else None,
            labels=ImageLabels(frozenset({1 + (number % 7 == 0) + (number % 30 == 0)})),
        )
        for number in order
    ]


def test_a_split_does_not_depend_on_the_order_of_import(blood: Project, tmp_path) -> None:
    blood.add_cases(_images(list(range(90))))
    blood.assign_splits("60/10/20", 5)
    first = {case.id: case.split for case in blood.cases()}
    blood.set_split(list(first), Split.TRAIN)
    with Project.create(tmp_path / "o", task=blood.task, classes=["a", "b", "c"]) as other:
        other.add_cases(_images(list(range(89, -1, -1))))
        other.assign_splits("60/10/20", 5)
        assert {case.id: case.split for case in other.cases()} == first
    assert Counter(first.values()) == {Split.TRAIN: 60, Split.VAL: 10, Split.TEST: 20}


def test_patients_stay_together(blood: Project) -> None:
    blood.add_cases(_images(list(range(120)), patients=4))
    blood.assign_splits("70/10/20", 0)
    parts = {}
    for case in blood.cases():
        assert parts.setdefault(case.patient, case.split) is case.split
    counts = Counter(case.split for case in blood.cases())
    assert abs(counts[Split.TRAIN] - 84) <= 4
    assert counts[Split.VAL] >= 8


def test_known_patients_draw_their_new_cases_to_them(blood: Project) -> None:
    blood.add_cases(_images(list(range(0, 120, 2)), patients=4))
    blood.assign_splits("70/10/20", 0)
    before = {case.patient: case.split for case in blood.cases()}
    later = _images(list(range(1, 120, 2)), patients=4)
    fresh = [NewCase(f"new{n}", ("/d/x/n.png",), (8, 8), 1, None) for n in range(10)]
    blood.add_cases([*later, *fresh])
    blood.assign_splits("70/10/20", 0, ids=[case.id for case in [*later, *fresh]])
    assert {case.patient: case.split for case in blood.cases() if case.patient} == before
    parts = Counter(case.split for case in blood.cases() if not case.patient)
    assert sum(parts.values()) == 10


def test_only_the_named_cases_are_drawn(blood: Project) -> None:
    blood.add_cases(_images(list(range(20))))
    blood.set_split([f"x{n:03d}" for n in range(10)], Split.TEST)
    blood.assign_splits("0/1/0", 0, ids=[f"x{n:03d}" for n in range(10, 20)])
    counts = Counter(case.split for case in blood.cases())
    assert counts == {Split.TEST: 10, Split.VAL: 10}


def test_a_labelled_subset_is_of_the_training_part(blood: Project, picture) -> None:
    blood.add_cases(_images(list(range(60))))
    blood.add_cases([picture("z unlabelled")])
    blood.set_split([f"x{n:03d}" for n in range(0, 60, 2)], Split.TEST)
    four, eight = blood.labelled_subset("4", 7), blood.labelled_subset("8", 7)
    assert set(four) < set(eight)
    assert len(eight) == 8
    assert all(case.split is Split.TRAIN for case in blood.cases(ids=eight))
    assert blood.labelled_subset("8", 7) == eight
    assert set(blood.labelled_subset("8", 8)) != set(eight)
    assert len(blood.labelled_subset("100%", 0)) == 30


def test_a_labelled_subset_of_whole_patients(blood: Project) -> None:
    blood.add_cases(_images(list(range(60)), patients=2))
    three, seven = (set(blood.labelled_subset(f"{n} patients", 5)) for n in (3, 7))
    assert (len(three), len(seven)) == (6, 14)
    assert three < seven
    patients = Counter(case.patient for case in blood.cases(ids=seven))
    assert set(patients.values()) == {2}
    assert set(blood.labelled_subset("1 patient", 5)) < three
    with pytest.raises(LongtailError, match=r"31 labelled training patients.*there are 30"):
        blood.labelled_subset("31 patients", 5)


def test_who_has_no_patient_counts_alone(blood: Project) -> None:
    blood.add_cases(_images(list(range(20))))
    assert set(blood.labelled_subset("4 patients", 1)) == set(blood.labelled_subset("4", 1))


def test_a_labelled_subset_of_nothing(blood: Project, picture) -> None:
    blood.add_cases([picture("x")])
    with pytest.raises(LongtailError, match="there are 0"):
        blood.labelled_subset("1", 0)
    with pytest.raises(LongtailError, match="there are 0"):
        blood.labelled_subset("10%", 0)
