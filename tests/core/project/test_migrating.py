"""A project of the first schema, as step 3 wrote it, opens and keeps all that it held."""

import sqlite3
from pathlib import Path

import pytest

from longtail.core.project.boxes import DrawnBox
from longtail.core.project.records import ImageLabels, Task
from longtail.core.project.schema import SCHEMA_VERSION
from longtail.core.project.store import Project


@pytest.fixture
def old(tmp_path: Path, picture) -> Path:
    """A project with everything that came after the first schema taken out."""
    path = tmp_path / "old.longtail"
    with Project.create(path, task=Task.MULTILABEL, classes=["a", "b"]) as project:
        project.add_cases([picture("one", 1, no=(2,), patient="p"), picture("two", 2)])
    connection = sqlite3.connect(path / "project.db")
    connection.execute("DROP TABLE box_versions")
    connection.execute("ALTER TABLE cases DROP COLUMN box_counts")
    connection.execute("UPDATE alembic_version SET version_num = '001'")
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
    return path


def _version(path: Path) -> int:
    connection = sqlite3.connect(path / "project.db")
    try:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])
    finally:
        connection.close()


def _check(project: Project) -> None:
    assert [case.id for case in project.cases()] == ["one", "two"]
    assert project.case("one").labels == ImageLabels(frozenset({1}), frozenset({2}))
    assert project.case("one").patient == "p"
    assert len(project.history("one")) == 1
    assert project.boxes("one") is None
    assert not project.catalogue().boxed.any()


def test_an_old_project_is_updated_where_it_can_be_written(old: Path) -> None:
    with Project.open(old) as project:
        _check(project)
        project.set_boxes("one", [DrawnBox(1, 1, 2, 3, 4)], author="me")
        assert project.case("one").box_counts == {1: 1}
    assert _version(old) == SCHEMA_VERSION


def test_an_old_project_is_read_as_it_is(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = (old / "project.db").read_bytes()
    with Project.open(old, write=False) as project:
        _check(project)
        copy = project._database._copy
        assert copy is not None
        assert copy.exists()
    assert not copy.exists()
    monkeypatch.setattr("longtail.core.project.folder.can_write", lambda _: False)
    monkeypatch.setattr("longtail.core.project.database.can_write", lambda _: False)
    with Project.open(old) as project:
        assert not project.writable
        _check(project)
    assert (old / "project.db").read_bytes() == before
    assert _version(old) == 1
