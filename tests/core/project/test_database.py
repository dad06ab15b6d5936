import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from longtail.core.errors import LongtailError
from longtail.core.project import database, location
from longtail.core.project.migrate import MIGRATIONS
from longtail.core.project.records import Task
from longtail.core.project.schema import SCHEMA_VERSION, metadata
from longtail.core.project.store import Project


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.longtail"
    Project.create(path, task=Task.SEGMENTATION, classes=["a"]).close()
    return path


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 KiB; skipped where mounting is not allowed."""
    folder = tmp_path / "tiny disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if (
        mount is None
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True
        ).returncode
    ):
        pytest.skip("no right to mount a disk here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _pragma(path: Path, words: str) -> object:
    connection = sqlite3.connect(path / "project.db")
    try:
        return connection.execute(f"PRAGMA {words}").fetchone()
    finally:
        connection.close()


def test_the_migrations_make_what_the_schema_says(heart: Project) -> None:
    with heart._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == f"{SCHEMA_VERSION:03d}"


def test_the_version_counts_the_migrations() -> None:
    script = ScriptDirectory(str(MIGRATIONS), version_locations=[str(MIGRATIONS)])
    assert len(list(script.walk_revisions())) == SCHEMA_VERSION


def test_a_project_of_a_newer_version_is_refused_and_untouched(study: Path) -> None:
    connection = sqlite3.connect(study / "project.db")
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    before = (study / "project.db").read_bytes()
    for write in (True, False):
        with pytest.raises(LongtailError, match="newer version of Longtail") as caught:
            Project.open(study, write=write)
        assert "Update" in caught.value.remedy
    assert (study / "project.db").read_bytes() == before
    assert not (study / "project.lock").exists()


def test_an_older_project_is_updated_when_it_can_be_written(study: Path) -> None:
    connection = sqlite3.connect(study / "project.db")
    tables = "box_versions predictions annotations cases runs trash roots classes"
    for table in tables.split():
        connection.execute(f"DROP TABLE {table}")
    connection.execute("DROP TABLE facts")
    connection.execute("DELETE FROM alembic_version")
    connection.execute("PRAGMA user_version = 0")
    connection.commit()
    connection.close()
    with pytest.raises(LongtailError, match="older version"):
        Project.open(study, write=False)
    with pytest.raises(LongtailError, match="interrupted"):
        Project.open(study)
    assert _pragma(study, "user_version") == (SCHEMA_VERSION,)


def test_a_broken_database_is_told_in_a_sentence(study: Path) -> None:
    (study / "project.db").write_bytes(b"this is not a database, it only looks like one" * 100)
    with pytest.raises(LongtailError, match="damaged") as caught:
        Project.open(study)
    assert "backup" in caught.value.remedy
    assert not (study / "project.lock").exists()


def test_a_torn_database_is_told_in_a_sentence(study: Path) -> None:
    content = (study / "project.db").read_bytes()
    (study / "project.db").write_bytes(content[:5000])
    with pytest.raises(LongtailError, match=r"damaged|could not be used"):
        Project.open(study).cases()


def test_wal_on_a_disk_and_no_wal_on_a_share(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Project.open(study):
        assert _pragma(study, "journal_mode") == ("wal",)
    monkeypatch.setattr(database, "on_network", lambda _: True)
    with Project.open(study) as project:
        project.add_class("b")
        assert not (study / "project.db-wal").exists()
        assert _pragma(study, "journal_mode") == ("delete",)


@pytest.mark.parametrize(
    ("kind", "options", "remote"),
    [
        ("nfs4", "rw", True),
        ("cifs", "rw", True),
        ("ext4", "rw", False),
        ("ntfs", "rw,remote", True),
    ],
)
def test_a_share_is_known_by_its_mount(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, options: str, remote: bool
) -> None:
    class Part:
        def __init__(self, mountpoint: str, fstype: str, opts: str) -> None:
            self.mountpoint, self.fstype, self.opts = mountpoint, fstype, opts

    parts = [Part("/", "nfs" if not remote else "ext4", "rw"), Part(str(tmp_path), kind, options)]
    monkeypatch.setattr(location.psutil, "disk_partitions", lambda all: parts)
    assert location.on_network(tmp_path / "study.longtail") is remote


def test_a_read_only_folder_opens_for_reading(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("longtail.core.project.folder.can_write", lambda _: False)
    monkeypatch.setattr(database, "can_write", lambda _: False)
    before = {path.name for path in study.iterdir()}
    with Project.open(study) as project:
        assert not project.writable
        assert project.lock_holder is None
        assert [record.name for record in project.classes] == ["a"]
        with pytest.raises(LongtailError, match="reading only"):
            project.add_class("b")
        assert {path.name for path in study.iterdir()} == before


def test_a_read_only_folder_shows_what_waits_in_the_log(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Project.open(study) as project:
        project.add_class("waiting")
        copy = tmp_path / "copy.longtail"
        shutil.copytree(study, copy)
    assert (copy / "project.db-wal").stat().st_size > 0
    monkeypatch.setattr("longtail.core.project.folder.can_write", lambda _: False)
    monkeypatch.setattr(database, "can_write", lambda _: False)
    with Project.open(copy) as project:
        assert [record.name for record in project.classes] == ["a", "waiting"]


def test_a_mounted_read_only_folder(tiny_disk: Path) -> None:
    path = tiny_disk / "study.longtail"
    Project.create(path, task=Task.SEGMENTATION, classes=["a"]).close()
    subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], check=True)
    with Project.open(path) as project:
        assert not project.writable
        assert project.catalogue().ids == []
    with pytest.raises(LongtailError, match="cannot be written"):
        Project.create(tiny_disk / "other", task=Task.SEGMENTATION, classes=["a"])


def test_a_full_disk_while_adding_cases(tiny_disk: Path, picture) -> None:
    with Project.create(tiny_disk / "s", task=Task.MULTILABEL, classes=["a"]) as project:
        project.add_cases([picture("kept", 1)])
        with pytest.raises(LongtailError, match="disk is full"):
            project.add_cases([picture(f"case {number}", 1) for number in range(20000)])
        assert [case.id for case in project.cases()] == ["kept"]
    with Project.open(tiny_disk / "s") as project:
        assert [case.id for case in project.cases()] == ["kept"]


def test_a_full_disk_while_saving_a_map(tiny_disk: Path, volume, mask: np.ndarray) -> None:
    with Project.create(tiny_disk / "s", task=Task.SEGMENTATION, classes=["a", "b"]) as project:
        project.add_cases([volume("one")])
        project.write_label_map("one", mask, author="me")
        project.journal("one").append((np.array([0]), np.array([0]), np.array([0])), 2)
        array = project.read_label_map("one")
        filler = tiny_disk / "filler"
        _fill(filler)
        with pytest.raises(LongtailError, match="disk is full"):
            project.write_label_map("one", array, author="me")
        with pytest.raises(LongtailError, match="disk is full"):
            _draw_without_end(project, mask)
        filler.unlink()
        np.testing.assert_array_equal(project.read_history_map("one", 1), mask)
        assert project.read_label_map("one")[0, 0, 0] in (0, 2)
        project.write_label_map("one", array, author="me")
        assert project.journal("one").pending == 0


def _draw_without_end(project: Project, mask: np.ndarray) -> None:
    while True:
        project.journal("one").append(np.nonzero(mask < 9), np.arange(120) % 3)


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(1024)):
            pass


def test_a_full_database_keeps_what_was_there(
    study: Path, picture, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = sqlite3.connect

    def small(*args: object, **settings: object) -> sqlite3.Connection:
        connection = real(*args, **settings)
        connection.execute("PRAGMA max_page_count = 40")
        return connection

    monkeypatch.setattr(database.sqlite3, "connect", small)
    with Project.open(study) as project:
        with pytest.raises(LongtailError, match="disk is full"):
            project.add_cases([picture(f"case {number}") for number in range(5000)])
        assert project.case_count == 0
        project.add_cases([picture("one")])
        assert project.case_count == 1
