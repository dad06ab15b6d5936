"""Versions, device and the log's place, for a report of a fault; no patient data."""

import logging
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from logging.handlers import RotatingFileHandler
from pathlib import Path

from .settings import config_folder

TOLD = ("napari-longtail", "napari", "PySide6", "torch", "monai", "numpy", "SimpleITK", "pydicom")
LOG_BYTES = 1_000_000
NOT_A_DEVICE = "Research use only, not a medical device."


def log_file() -> Path:
    """Give the file that the window's log goes to."""
    return config_folder() / "longtail.log"


def keep_log() -> None:
    """Write warnings and errors of this process to the log file."""
    path = log_file()
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=2, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.getLogger("longtail").addHandler(handler)


def diagnostics(device: str) -> str:
    """Write down what a developer asks first."""
    lines = [
        NOT_A_DEVICE,
        f"System: {platform.platform()}, Python {sys.version.split()[0]}",
        f"Device: {device}",
        *(f"{name}: {_version(name)}" for name in TOLD),
        f"Log: {log_file()}",
    ]
    return "\n".join(lines)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
