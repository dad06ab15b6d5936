"""Files of embeddings from anywhere: whatever is not one gets a sentence, and nothing is run."""

import json

import numpy as np
import pytest

from longtail.core.errors import LongtailError
from longtail.core.explain.embedding_arrays import packed, unpacked, write_arrays
from longtail.core.explain.embedding_file import (
    Embedding,
    EmbeddingAbout,
    Frames,
    Picture,
    PictureAbout,
    read_about,
    read_embedding,
    read_frames,
    read_picture,
    write_embedding,
    write_frames,
    write_picture,
)
from longtail.core.explain.embedding_frames import (
    frame_name,
    frame_steps,
    read_case_ids,
    read_frame,
    write_about_frames,
)

ABOUT = EmbeddingAbout(
    key="0" * 16, kind="images", encoder="known ü", eyes="1" * 16, weights_hash="2" * 64
)


@pytest.fixture
def embedding():
    count = 4
    return Embedding(
        ABOUT,
        np.arange(12, dtype=np.float16).reshape(count, 3),
        ("a/1", "ü", "c"),
        np.array([0, 1, 2, 2], np.int32),
        np.full((count, 3), -1, np.int32),
        np.arange(count, dtype=np.int32),
        np.arange(count, dtype=np.int32),
        np.zeros((count, 0), np.float32),
        np.arange(count, dtype=np.uint64),
    )


def parts(embedding):
    arrays = embedding._asdict()
    about, ids = arrays.pop("about"), arrays.pop("case_ids")
    return {**arrays, "ids": packed(ids)}, about.model_dump(mode="json")


def test_an_embedding_comes_back_as_it_was(tmp_path, embedding):
    write_embedding(tmp_path / "e.npz", embedding)
    found = read_embedding(tmp_path / "e.npz")
    assert found.about == embedding.about == read_about(tmp_path / "e.npz")
    assert found.case_ids == embedding.case_ids
    assert (found.features == embedding.features).all()


@pytest.mark.parametrize("texts", [[], ["one"], ["ü", "b/c"]])
def test_texts_come_back(texts):
    assert unpacked(packed(texts)) == texts


@pytest.mark.parametrize(
    "change",
    [
        {"features": np.zeros((4, 3), "O")},
        {"features": np.zeros((4, 3), "U5")},
        {"features": np.zeros(4, np.float16)},
        {"features": np.zeros((9, 3), np.float16)},
        {"rows": np.array([0, 1, 2, 3], np.int32)},
        {"rows": np.array([0, 1, -1, 2], np.int32)},
        {"rows": np.zeros(4)},
        {"places": np.zeros((4, 2), np.int32)},
        {"logits": np.zeros((4, 2), np.float32)},
        {"ids": np.array([255, 254], np.uint8)},
        {"classes": np.zeros((4, 4), np.int32)},
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, embedding, change):
    arrays, about = parts(embedding)
    arrays |= change
    path = tmp_path / "e.npz"
    np.savez(path, about=packed([json.dumps(about)]), **arrays)
    with pytest.raises(LongtailError, match=r"e\.npz cannot be read"):
        read_embedding(path)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "folders"},
        {"eyes": "../.."},
        {"format": 2},
        {"more": 1},
        {"class_ids": [1, 2], "class_names": ["one"]},
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path, embedding, change):
    arrays, about = parts(embedding)
    write_arrays(tmp_path / "e.npz", arrays, {**about, **change})
    with pytest.raises(LongtailError, match="cannot be read"):
        read_embedding(tmp_path / "e.npz")


def test_a_compressed_file_is_refused_before_it_is_unpacked(tmp_path, embedding):
    arrays, about = parts(embedding)
    np.savez_compressed(tmp_path / "e.npz", about=packed([json.dumps(about)]), **arrays)
    with pytest.raises(LongtailError, match="something else"):
        read_embedding(tmp_path / "e.npz")


def test_a_header_that_promises_more_than_there_is_is_refused(tmp_path, embedding):
    write_embedding(tmp_path / "e.npz", embedding)
    text = (tmp_path / "e.npz").read_bytes()
    assert text.count(b"(4, 3)") == 2
    (tmp_path / "e.npz").write_bytes(text.replace(b"(4, 3), ", b"(9999,3)"))
    with pytest.raises(LongtailError):
        read_embedding(tmp_path / "e.npz")


@pytest.mark.parametrize("content", [b"", b"PK", b"\x00" * 200])
def test_a_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "e.npz").write_bytes(content)
    for read in (read_embedding, read_picture, read_frames):
        with pytest.raises(LongtailError, match="damaged"):
            read(tmp_path / "e.npz")


def test_a_file_that_is_gone_is_told_so(tmp_path):
    with pytest.raises(LongtailError, match="is gone"):
        read_embedding(tmp_path / "e.npz")


def test_numbers_that_are_none_do_not_reach_the_screen(tmp_path):
    about = PictureAbout(key="0" * 16, way="pca", seed=0)
    points = np.array([[np.nan, 1], [np.inf, 2]], np.float32)
    write_picture(tmp_path / "p.npz", Picture(about, points))
    assert np.isfinite(read_picture(tmp_path / "p.npz").points).all()


def test_frames_must_fit_their_cases(tmp_path):
    about = PictureAbout(key="0" * 16, way="pca", seed=0)
    points = np.zeros((2, 3, 2), np.float32)
    write_frames(tmp_path / "f.npz", Frames(about, ("a", "b", "c"), (1, 2), points))
    assert read_frames(tmp_path / "f.npz").steps == (1, 2)
    write_frames(tmp_path / "f.npz", Frames(about, ("a", "b"), (1, 2), points))
    with pytest.raises(LongtailError, match="do not fit"):
        read_frames(tmp_path / "f.npz")


@pytest.mark.parametrize("text", ["", "{}", '{"case_ids": 5}', "[1]", '{"case_ids": {}}'])
def test_a_list_of_cases_that_is_none_is_refused(tmp_path, text):
    (tmp_path / "embeddings").mkdir()
    (tmp_path / "embeddings" / "about.json").write_text(text)
    with pytest.raises(LongtailError, match="cannot be read"):
        read_case_ids(tmp_path)


def test_a_frame_must_hold_its_cases(tmp_path):
    folder = tmp_path / "embeddings"
    write_about_frames(folder, ["a", "b"])
    assert read_case_ids(tmp_path) == ("a", "b")
    write_arrays(folder / frame_name(7), {"features": np.ones((2, 3), np.float16)}, {})
    write_arrays(folder / "step-abc.npz", {"features": np.ones((2, 3), np.float16)}, {})
    assert frame_steps(tmp_path) == [7]
    assert read_frame(tmp_path, 7, 2).shape == (2, 3)
    with pytest.raises(LongtailError, match="cannot be read"):
        read_frame(tmp_path, 7, 3)
