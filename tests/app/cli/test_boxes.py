"""Boxes on the command line: imported, counted, exported."""

import json

import pytest
from PIL import Image

from longtail.app import __main__ as command


@pytest.fixture
def study(tmp_path, capsys):
    """Two labelled pictures in a project, one of them of the test part; and a table of boxes."""
    for name in "ab":
        Image.new("L", (20, 10)).save(tmp_path / f"{name}.png")
    (tmp_path / "labels.csv").write_text("file,findings,split\na.png,Mass,train\nb.png,Mass,test\n")
    (tmp_path / "boxes.csv").write_text(
        "file,finding,x,y,w,h\na.png,Mass,1,2,3,4\nb.png,Mass,5,5,5,5\nb.png,Mass,1,1,0,1\n"
    )
    project = str(tmp_path / "study.longtail")
    assert command.main(["init", project, "--task", "multilabel", "--classes", "Mass,Node"]) == 0
    labels = ["--labels", str(tmp_path / "labels.csv")]
    assert command.main(["import", project, str(tmp_path), *labels]) == 0
    capsys.readouterr()
    return project, str(tmp_path)


def _json(capsys, *words):
    assert command.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_boxes_of_the_test_part_alone(study, capsys):
    project, folder = study
    words = ["import", project, folder, "--labels", f"{folder}/boxes.csv", "--boxes-of", "test"]
    planned = _json(capsys, *words, "--dry-run")
    assert (planned["found"], planned["boxes"]) == (1, 1)
    assert [item["reason"] for item in planned["skipped"]] == ["a box of Mass: it has no area."]
    done = _json(capsys, *words)
    assert (done["added"], done["updated"], done["boxed"]) == (0, 0, 1)
    # A second time nothing changes, and that is no failure.
    assert _json(capsys, *words)["boxed"] == 0
    told = _json(capsys, "info", project)
    assert (told["cases"], told["labelled"], told["boxed"], told["boxes"]) == (2, 2, 1, 1)
    assert [one["boxes"] for one in told["classes"]] == [1, 0]
    assert command.main(["info", project]) == 0
    assert "1 with boxes" in capsys.readouterr().out


def test_boxes_go_out_and_come_in_again(study, capsys, tmp_path):
    project, folder = study
    _json(capsys, "import", project, folder, "--labels", f"{folder}/boxes.csv")
    _json(capsys, "export", project, "--what", "labels", "--out", str(tmp_path / "out"))
    table = tmp_path / "out" / "boxes.csv"
    assert table.read_text().splitlines()[1:] == ["a,Mass,1,2,3,4", "b,Mass,5,5,5,5"]
    again = _json(capsys, "import", project, folder, "--labels", str(table))
    assert (again["added"], again["boxed"]) == (0, 0)


def test_uncertain_findings_are_a_choice(study, capsys, tmp_path):
    project, _ = study
    words = ["import", project, str(tmp_path), "--format", "chexpert", "--uncertain", "perhaps"]
    assert command.main(words) != 0
    assert "cannot be taken for 'perhaps'" in capsys.readouterr().err
