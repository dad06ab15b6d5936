"""The manifest leads somewhere, and napari finds it."""

from importlib import import_module
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
import yaml
from npe2 import PluginManifest

MANIFEST_PATH = Path(__file__).resolve().parents[2] / "plugins" / "napari.yaml"
MANIFEST = yaml.safe_load(MANIFEST_PATH.read_text(encoding="utf-8"))
COMMANDS = MANIFEST["contributions"]["commands"]


@pytest.mark.parametrize("command", COMMANDS, ids=itemgetter("id"))
def test_every_command_leads_somewhere(command: dict[str, Any]) -> None:
    module, _, name = command["python_name"].partition(":")
    assert callable(getattr(import_module(module), name))


def test_every_contribution_names_a_command() -> None:
    known = {command["id"] for command in COMMANDS}
    contributions = MANIFEST["contributions"]
    used = {
        item["command"]
        for kind in ("readers", "writers", "widgets", "sample_data")
        for item in contributions[kind]
    }
    used |= {item["command"] for menu in contributions["menus"].values() for item in menu}
    assert used <= known


def test_the_installed_package_brings_the_manifest() -> None:
    manifest = PluginManifest.from_distribution("napari-longtail")
    assert manifest.name == "napari-longtail"
    assert len(manifest.contributions.widgets or []) == 9
