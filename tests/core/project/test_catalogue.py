import numpy as np
import pytest

from longtail.core.project.catalogue import natural_key
from longtail.core.project.records import ImageLabels, Split, Status, Task
from longtail.core.project.store import Project


@pytest.fixture
def listed(chest: Project, picture) -> Project:
    chest.add_cases(
        [
            picture("img10", 1, no=(2, 3), patient="Müller 2", split=Split.TEST),
            picture("img2", 2, patient="müller 10"),
            picture("IMG1"),
            picture("other/3", 1, 2, 3, split=Split.VAL),
        ]
    )
    chest.set_labels(["img2"], ImageLabels(frozenset({2})), author="me", status=Status.DRAFT)
    return chest


def test_columns(listed: Project) -> None:
    catalogue = listed.catalogue()
    assert len(catalogue) == 4
    assert catalogue.ids == ["img10", "img2", "IMG1", "other/3"]
    assert catalogue.split.tolist() == [2, 0, 0, 1]
    assert catalogue.status.tolist() == [2, 1, 0, 2]
    assert catalogue.labelled.tolist() == [True, True, False, True]
    assert catalogue.presence.tolist() == [[1, 0, 0], [-1, 1, -1], [-1, -1, -1], [1, 1, 1]]
    assert catalogue.patients == ["Müller 2", "müller 10", None, None]


def test_finding(listed: Project) -> None:
    catalogue = listed.catalogue()
    assert catalogue.find().tolist() == [0, 1, 2, 3]
    assert catalogue.find("IMG1").tolist() == [0, 2]
    assert catalogue.find("MÜLLER").tolist() == [0, 1]
    assert catalogue.find(statuses=[Status.REVIEWED, Status.DRAFT]).tolist() == [0, 1, 3]
    assert catalogue.find(splits=[Split.TRAIN]).tolist() == [1, 2]
    assert catalogue.find(class_id=1).tolist() == [0, 3]
    assert catalogue.find("img", class_id=1, splits=(Split.TEST,)).tolist() == [0]
    assert catalogue.find(class_id=99).tolist() == []
    assert catalogue.find("nothing").tolist() == []


def test_ordering(listed: Project) -> None:
    catalogue = listed.catalogue()
    rows = catalogue.find()
    names = {
        key: [catalogue.ids[row] for row in catalogue.order(rows, key)]
        for key in ("name", "status", "split", "patient")
    }
    assert names["name"] == ["IMG1", "img2", "img10", "other/3"]
    assert names["status"] == ["IMG1", "img2", "img10", "other/3"]
    assert names["split"] == ["IMG1", "img2", "other/3", "img10"]
    assert names["patient"] == ["img10", "img2", "IMG1", "other/3"]
    assert catalogue.order(np.array([3, 0]), "name").tolist() == [0, 3]
    with pytest.raises(ValueError, match="size"):
        catalogue.order(rows, "size")


def test_counts(listed: Project) -> None:
    catalogue = listed.catalogue()
    assert catalogue.class_counts() == {1: 2, 2: 2, 3: 1}
    assert catalogue.class_counts(Split.TRAIN) == {1: 0, 2: 1, 3: 0}
    assert catalogue.class_volumes() == {1: 0.0, 2: 0.0, 3: 0.0}


def test_an_empty_project(chest: Project, heart: Project) -> None:
    for project in (chest, heart):
        catalogue = project.catalogue()
        assert catalogue.find("x").tolist() == []
        assert catalogue.order(catalogue.find()).tolist() == []
        assert set(catalogue.class_counts().values()) == {0}
        assert set(catalogue.tiers().values()) == {"tail"}


def test_one_class_answers_for_the_others(blood: Project, picture) -> None:
    blood.add_cases([picture("x", 2), picture("y"), picture("z", labels=ImageLabels())])
    assert blood.catalogue().presence.tolist() == [[0, 1, 0], [-1, -1, -1], [0, 0, 0]]


def test_retired_classes_have_no_column(blood: Project, picture) -> None:
    blood.add_cases([picture("x", 3)])
    blood.retire_class(1)
    catalogue = blood.catalogue()
    assert catalogue.class_ids == (2, 3)
    assert catalogue.presence.tolist() == [[0, 1]]


def test_tiers_of_images_count_the_training_part(blood: Project, picture) -> None:
    amounts = {1: 101, 2: 100, 3: 19}
    blood.add_cases(
        [picture(f"{key} {n}", key) for key, amount in amounts.items() for n in range(amount)]
    )
    blood.add_cases([picture(f"test {n}", 3, split=Split.TEST) for n in range(50)])
    assert blood.catalogue().tiers() == {1: "head", 2: "medium", 3: "tail"}
    assert blood.catalogue().tiers(head=99, tail=5) == {1: "head", 2: "head", 3: "medium"}


def test_tiers_of_volumes_share_the_labelled_foreground(tmp_path, volume) -> None:
    names = ["large", "middle", "small", "edge"]
    array = np.zeros((4, 6, 5), np.uint8)
    array.ravel()[:100] = np.repeat([1, 2, 3, 4], [72, 4, 4, 20])
    path = tmp_path / "t.longtail"
    with Project.create(path, task=Task.SEGMENTATION, classes=names) as project:
        project.add_cases([volume("one", array)])
        tiers = project.catalogue().tiers()
    assert tiers == {1: "head", 2: "tail", 3: "tail", 4: "head"}


def test_an_absent_class_is_known_only_where_all_is_labelled(heart: Project, volume) -> None:
    whole = np.zeros((4, 6, 5), np.uint8)
    whole[0, 0, 0] = 1
    part = whole.copy()
    part[3] = 255
    heart.add_cases([volume("whole", whole), volume("part", part), volume("none")])
    catalogue = heart.catalogue()
    assert catalogue.presence.tolist() == [[1, 0], [1, -1], [-1, -1]]
    assert catalogue.class_volumes()[1] == pytest.approx(2 * 3.0 * 1.5 * 1.25)


def test_numbers_in_names_sort_by_value() -> None:
    names = ["b2", "a10", "A9", "a1b2", "a1b10"]
    assert sorted(names, key=natural_key) == ["a1b2", "a1b10", "A9", "a10", "b2"]


def test_without_an_active_class_there_are_no_columns(blood: Project, picture) -> None:
    blood.add_cases([picture("x", 3)])
    for one in blood.classes:
        blood.retire_class(one.id)
    assert blood.catalogue().presence.shape == (1, 0)
