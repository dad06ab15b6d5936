import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from longtail.core.errors import LongtailError
from longtail.core.project.lock import Holder, ProjectLock
from longtail.core.project.records import Task
from longtail.core.project.store import Project

HOLD = """
import sys
from pathlib import Path
from longtail.core.project.store import Project
project = Project.open(Path(sys.argv[1]))
print(project.writable, flush=True)
sys.stdin.read()
"""


def _hold(path: Path, cwd: Path) -> subprocess.Popen:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )
    assert process.stdout.readline().strip() == "True"
    return process


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.longtail"
    Project.create(path, task=Task.MULTILABEL, classes=["a"]).close()
    return path


def test_the_second_process_reads_and_is_told_who_writes(study: Path, tmp_path: Path) -> None:
    process = _hold(study, tmp_path)
    try:
        with Project.open(study) as project:
            assert not project.writable
            assert f"process {process.pid}" in project.lock_holder
            assert [record.name for record in project.classes] == ["a"]
            with pytest.raises(LongtailError, match=f"process {process.pid}"):
                project.add_class("b")
    finally:
        process.communicate("")
    assert process.returncode == 0


def test_a_killed_process_holds_nothing(study: Path, tmp_path: Path) -> None:
    process = _hold(study, tmp_path)
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    assert (study / "project.lock").exists()
    with Project.open(study) as project:
        assert project.writable
        project.add_class("b")


def test_reading_asks_for_no_lock(study: Path) -> None:
    with Project.open(study, write=False) as reader, Project.open(study) as writer:
        assert not reader.writable
        assert reader.lock_holder is None
        assert writer.writable


def test_a_reader_sees_what_the_writer_saves(study: Path) -> None:
    with Project.open(study) as writer, Project.open(study) as reader:
        writer.add_class("b")
        assert [record.name for record in reader.classes] == ["a", "b"]


def test_another_computer_is_believed(study: Path) -> None:
    far = replace(Holder.here(), host="elsewhere", pid=1)
    (study / "project.lock").write_text(json.dumps(asdict(far)), encoding="utf-8")
    with Project.open(study) as project:
        assert not project.writable
        assert "elsewhere" in project.lock_holder
    assert (study / "project.lock").exists()


def test_a_number_given_to_another_process_is_not_the_holder(study: Path) -> None:
    gone = replace(Holder.here(), started=Holder.here().started - 3600)
    (study / "project.lock").write_text(json.dumps(asdict(gone)), encoding="utf-8")
    with Project.open(study) as project:
        assert project.writable


@pytest.mark.parametrize("content", ["", "{", '{"pid": 1}', '["x"]'])
def test_a_broken_lock_is_replaced(study: Path, content: str) -> None:
    (study / "project.lock").write_text(content, encoding="utf-8")
    with Project.open(study) as project:
        assert project.writable


def test_a_lock_is_given_back_by_its_owner_alone(tmp_path: Path) -> None:
    mine = ProjectLock(tmp_path)
    assert mine.acquire() is None
    other = replace(Holder.here(), since=time.time() + 5)
    mine.path.write_text(json.dumps(asdict(other)), encoding="utf-8")
    mine.release()
    assert mine.holder() == other


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("no links on this disk")

    monkeypatch.setattr(os, "link", refuse)
    first, second = ProjectLock(tmp_path), ProjectLock(tmp_path)
    assert first.acquire() is None
    assert second.acquire() == first.holder()
    first.release()
    assert second.acquire() is None


def test_an_abandoned_takeover_does_not_lock_out(study: Path) -> None:
    gone = replace(Holder.here(), started=0.0)
    (study / "project.lock").write_text(json.dumps(asdict(gone)), encoding="utf-8")
    guard = study / "project.lock.takeover"
    guard.touch()
    with Project.open(study) as project:
        assert not project.writable
    os.utime(guard, (time.time() - 60, time.time() - 60))
    with Project.open(study) as project:
        assert project.writable
    assert not guard.exists()


def test_many_processes_and_one_lock(tmp_path: Path) -> None:
    gone = replace(Holder.here(), started=0.0)
    (tmp_path / "project.lock").write_text(json.dumps(asdict(gone)), encoding="utf-8")
    script = (
        "import sys; from pathlib import Path; from longtail.core.project.lock import ProjectLock;"
        "print(ProjectLock(Path(sys.argv[1])).acquire() is None, flush=True); sys.stdin.read()"
    )
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        for _ in range(4)
    ]
    won = [process.stdout.readline().strip() for process in racing]
    for process in racing:
        process.communicate("")
    assert won.count("True") == 1
