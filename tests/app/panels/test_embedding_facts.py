"""What is known of each point: its class, what a run says of it, and whether that is right."""

import numpy as np
import pytest

from longtail.app.panels.cases_predicted import Guess
from longtail.app.panels.embedding_facts import NOTHING, RIGHT, UNKNOWN, WRONG, facts_of
from longtail.core.evaluate.setting import Setting
from longtail.core.explain.embedding_file import Embedding, EmbeddingAbout
from longtail.core.project.records import ImageLabels, NewCase, Split, Task
from longtail.core.project.store import Project


def embedding(ids, rows=None, logits=None, class_ids=(), kind="images", classes=None, said=None):
    rows = np.arange(len(ids)) if rows is None else np.asarray(rows)
    count = len(rows)
    about = EmbeddingAbout(
        key="0" * 16,
        kind=kind,
        run="run-001" if class_ids else None,
        encoder="a network",
        eyes="1" * 16,
        weights_hash="2" * 64,
        class_ids=class_ids,
        class_names=tuple(str(i) for i in class_ids),
        prior=None,
    )
    unknown = np.full(count, -1, np.int32)
    return Embedding(
        about,
        np.zeros((count, 3), np.float16),
        tuple(ids),
        rows.astype(np.int32),
        np.full((count, 3), -1, np.int32),
        unknown if classes is None else np.asarray(classes, np.int32),
        unknown if said is None else np.asarray(said, np.int32),
        np.zeros((count, 0), np.float32) if logits is None else np.asarray(logits, np.float32),
        np.zeros(count, np.uint64),
    )


def catalogue(tmp_path, task, given):
    with Project.create(tmp_path / "p.longtail", task=task, classes=["a", "b", "c"]) as project:
        project.add_cases(
            NewCase(name, (f"/x/{name}.png",), (4, 4), 1, None, Split.TRAIN, None, labels)
            for name, labels in given.items()
        )
        return project.catalogue()


def yes(*ids, no=()):
    return ImageLabels(frozenset(ids), frozenset(no))


def test_single_classes_and_what_a_run_says(tmp_path):
    known = catalogue(
        tmp_path,
        Task.CLASSIFICATION,
        {"one": yes(1), "two": yes(2), "three": None, "four": yes(3)},
    )
    seen = embedding(
        ["two", "one", "gone", "three", "four"],
        logits=[[0, 3, 0], [0, 3, 0], [9, 0, 0], [0, 0, 2], [0, 0, 2]],
        class_ids=(1, 2, 3),
    )
    facts = facts_of(seen, known)
    assert facts.case.tolist() == [1, 0, -1, 2, 3]
    assert facts.true.tolist() == [2, 1, UNKNOWN, UNKNOWN, 3]
    assert facts.said.tolist() == [2, 2, 1, 3, 3]
    assert facts.right.tolist() == [RIGHT, WRONG, UNKNOWN, UNKNOWN, RIGHT]
    assert facts.share[0] == pytest.approx(np.exp(3) / (np.exp(3) + 2))


def test_the_prior_slider_moves_what_is_said(tmp_path):
    known = catalogue(tmp_path, Task.CLASSIFICATION, {"one": yes(2)})
    seen = embedding(["one"], logits=[[1.0, 0.5, 0.0]], class_ids=(1, 2, 3))
    about = seen.about.model_copy(update={"prior": (0.9, 0.05, 0.05)})
    seen = seen._replace(about=about)
    assert facts_of(seen, known).said.tolist() == [1]
    moved = facts_of(seen, known, Setting(target=(1 / 3, 1 / 3, 1 / 3)))
    assert moved.said.tolist() == [2]
    assert moved.right.tolist() == [RIGHT]


def test_of_several_classes_the_rarest_is_shown_and_all_must_be_right(tmp_path):
    known = catalogue(
        tmp_path,
        Task.MULTILABEL,
        {
            "both": yes(1, 2, no=(3,)),
            "first": yes(1, no=(2, 3)),
            "none": yes(no=(1, 2, 3)),
            "half": yes(1),
        },
    )
    seen = embedding(
        ["both", "first", "none", "half"],
        logits=[[2, 1, -9], [2, 2, -9], [-9, -9, -9], [2, 5, -9]],
        class_ids=(1, 2, 3),
    )
    facts = facts_of(seen, known)
    assert facts.true.tolist() == [2, 1, NOTHING, 1]
    assert facts.said.tolist() == [1, 1, NOTHING, 2]
    assert facts.right.tolist() == [RIGHT, WRONG, RIGHT, RIGHT]


def test_the_pretrained_encoder_borrows_what_the_chosen_run_says(tmp_path):
    known = catalogue(tmp_path, Task.CLASSIFICATION, {"one": yes(1), "two": yes(2)})
    guesses = {"one": Guess((1,), 0.7), "two": Guess((1,), 0.6)}
    facts = facts_of(embedding(["one", "two"]), known, guesses=guesses)
    assert facts.said.tolist() == [1, 1]
    assert facts.right.tolist() == [RIGHT, WRONG]
    assert facts.share.tolist() == pytest.approx([0.7, 0.6])
    alone = facts_of(embedding(["one", "two"]), known)
    assert alone.said.tolist() == [UNKNOWN, UNKNOWN]
    assert np.isnan(alone.share).all()


def test_pixels_carry_their_own_classes(tmp_path):
    known = catalogue(tmp_path, Task.SEGMENTATION, {"one": None, "two": None})
    seen = embedding(
        ["one", "two"],
        rows=[0, 0, 1, 1],
        kind="pixels",
        classes=[0, 1, 255, 2],
        said=[0, 2, 1, 2],
    )
    facts = facts_of(seen, known)
    assert facts.case.tolist() == [0, 0, 1, 1]
    assert facts.true.tolist() == [NOTHING, 1, UNKNOWN, 2]
    assert facts.right.tolist() == [RIGHT, WRONG, UNKNOWN, RIGHT]
