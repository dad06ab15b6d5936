import numpy as np
import pytest
from PIL import Image

from longtail.core.errors import LongtailError
from longtail.core.predict.sources import find_sources


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "in"
    for name in ("a.png", "sub/b.png"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((8, 8), np.uint8)).save(place / name)
    return place


def test_a_folder_and_a_file(folder, tmp_path):
    found = find_sources((str(folder), str(folder / "a.png")), tmp_path / "out")
    assert sorted(one.name for one in found) == ["a", "a-2", "sub/b"]
    assert found[-1].channels == (str(folder / "a.png"),)


def test_a_source_is_never_replaced(folder):
    with pytest.raises(LongtailError, match="replace its own image"):
        find_sources((str(folder),), folder)
    with pytest.raises(LongtailError, match="replace its own image"):
        find_sources((str(folder / "sub" / "b.png"),), folder / "sub")


def test_an_absent_source_is_a_sentence(tmp_path):
    with pytest.raises(LongtailError):
        find_sources((str(tmp_path / "absent"),), tmp_path / "out")
    with pytest.raises(LongtailError, match="no image"):
        find_sources((), tmp_path / "out")
