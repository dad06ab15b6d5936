from pathlib import Path

import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.paths import StoredPaths, file_stem, inside


@pytest.fixture
def paths() -> StoredPaths:
    return StoredPaths(Path("/work/study.longtail"), {"scans": "/data/scans"})


def test_there_and_back(paths: StoredPaths) -> None:
    assert paths.store("/work/study.longtail/images/x.png") == "images/x.png"
    assert paths.store("/data/scans/a/ü x.nii#3") == "root:scans/a/ü x.nii#3"
    for path in ("/work/study.longtail/images/x.png", "/data/scans/a/ü x.nii#3"):
        assert paths.resolve(paths.store(path)) == path


@pytest.mark.parametrize(
    "stored",
    [
        "../secrets",
        "a/../../b",
        "/etc/passwd",
        "\\\\server\\share",
        "a\\..\\..\\b",
        "C:/windows",
        "root:scans/../x",
        "root:scans//etc",
        "root:scans/a/../../../etc/passwd",
    ],
)
def test_a_stored_path_never_leads_out(paths: StoredPaths, stored: str) -> None:
    with pytest.raises(LongtailError, match="leads out"):
        paths.resolve(stored)


def test_files_of_the_project_stay_in_it(tmp_path: Path) -> None:
    assert inside(tmp_path, "annotations/x.nii.gz") == tmp_path / "annotations/x.nii.gz"
    with pytest.raises(LongtailError, match="leads out"):
        inside(tmp_path, "../x")


def test_an_unknown_root(paths: StoredPaths) -> None:
    with pytest.raises(LongtailError, match="no folder named 'other'"):
        paths.resolve("root:other/x")


def test_roots_join_folders_but_never_the_whole_disk(paths: StoredPaths) -> None:
    added = paths.add_roots(
        ["/data/scans/covered.nii", "/mnt/one/a/x.nii", "/mnt/one/b/y.nii", "/home/me/scans/z.nii"]
    )
    assert added == {"one": "/mnt/one", "scans-2": "/home/me/scans"}
    assert paths.store("/mnt/one/b/y.nii") == "root:one/b/y.nii"
    assert paths.add_roots(["/mnt/one/c/new.nii"]) == {}


def test_a_neighbour_with_the_same_beginning_is_not_inside(paths: StoredPaths) -> None:
    with pytest.raises(LongtailError, match="no folder that the project knows"):
        paths.store("/data/scans-old/x.nii")


def test_the_files_of_a_case_have_a_flat_name() -> None:
    assert file_stem("a/b/c") == "a__b__c"
