"""How published protocols are asked for; nothing is trained here."""

import json

import pytest
from PIL import Image as PillowImage

from longtail.app import __main__ as command
from longtail.app.cli import protocols
from longtail.core.compare.protocols import PROTOCOLS


@pytest.fixture
def aptos(tmp_path):
    rows = "".join(f"{n:03d},{n % 5}\n" for n in range(50))
    (tmp_path / "data" / "train_images").mkdir(parents=True)
    (tmp_path / "data" / "train.csv").write_text(f"id_code,diagnosis\n{rows}")
    for n in range(50):
        PillowImage.new("RGB", (8, 8)).save(tmp_path / "data" / "train_images" / f"{n:03d}.png")
    return tmp_path / "data"


def test_each_protocol_is_a_command(capsys):
    assert tuple(protocols.PROTOCOL_COMMANDS) == PROTOCOLS
    assert command.main(["bench", "--help"]) == 0
    told = capsys.readouterr().out
    assert all(name in told for name in PROTOCOLS)


def test_a_dry_run_tells_all_and_leaves_nothing(aptos, tmp_path, capsys):
    out = tmp_path / "out"
    asked = ["bench", "aptos", "--data", str(aptos), "--out", str(out), "--short", "--dry-run"]
    assert command.main([*asked, "--json"]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert document["dry_run"] is True
    assert document["plan"]["minutes"] == 30
    assert document["plan"]["validation"] == "split"
    assert len(document["cells"]) == len(document["plan"]["contenders"]) >= 8
    assert "50 cases found in APTOS photographs of the retina" in captured.err
    assert "Reported with all labelled" in captured.err
    assert not out.exists()


def test_data_that_are_not_there_or_of_another_kind(aptos, tmp_path, capsys):
    asked = ["bench", "acdc", "--out", str(tmp_path / "out"), "--dry-run", "--data"]
    assert command.main([*asked, str(tmp_path / "absent")]) == 1
    assert "is not there" in capsys.readouterr().err
    assert command.main([*asked, str(aptos)]) == 1
    assert "holds no patient of ACDC" in capsys.readouterr().err
