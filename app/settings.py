"""What the window remembers between starts: sizes, the open tab, recent projects."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import platformdirs
from qtpy.QtCore import QSettings

ORGANISATION = "longtail"
RECENT_COUNT = 8


def config_folder() -> Path:
    """Give the folder for settings; `LONGTAIL_CONFIG` names another."""
    return Path(os.environ.get("LONGTAIL_CONFIG") or platformdirs.user_config_dir("longtail"))


def store() -> QSettings:
    """Open the settings: a plain file in the folder for settings, the same on every system."""
    return QSettings(str(config_folder() / f"{ORGANISATION}.ini"), QSettings.Format.IniFormat)


@dataclass(frozen=True, slots=True)
class Recent:
    """A project that was open: how many cases and labels it had then."""

    path: str
    cases: int
    labelled: int
    images: bool
    opened: str

    @property
    def name(self) -> str:
        """The folder's name."""
        return Path(self.path).name

    @property
    def there(self) -> bool:
        """Whether the folder is still where it was."""
        return (Path(self.path) / "project.db").is_file()

    def words(self, now: datetime | None = None) -> str:
        """Say what it held and when it was open."""
        kind = "image" if self.images else "scan"
        parts = [f"{self.cases:,} {kind}{'' if self.cases == 1 else 's'}"]
        if self.labelled == self.cases and self.cases:
            parts.append("all labelled")
        elif self.labelled:
            parts.append(f"{self.labelled:,} labelled")
        parts.append(day_words(self.opened, now or datetime.now(UTC)))
        return " · ".join(part for part in parts if part)


def day_words(stamp: str, now: datetime) -> str:
    """Write a day as people say it: today, yesterday, 12 June, 12 June 2024."""
    try:
        day = datetime.fromisoformat(stamp)
    except ValueError:
        return ""
    days = (now.date() - day.date()).days
    if days <= 1:
        return "today" if days <= 0 else "yesterday"
    year = "" if day.year == now.year else f" {day.year}"
    return f"{day.day} {day:%B}{year}"


def recents() -> list[Recent]:
    """Give the projects that were open, newest first."""
    text = store().value("recent", "[]")
    try:
        rows = json.loads(str(text))
        return [Recent(**row) for row in rows if isinstance(row, Mapping)]
    except (ValueError, TypeError):
        return []


def remember(recent: Recent) -> None:
    """Put a project at the head of the list."""
    others = [r for r in recents() if r.path != recent.path]
    _write([recent, *others][:RECENT_COUNT])


def forget(path: str) -> None:
    """Take a project off the list; the folder stays."""
    _write([r for r in recents() if r.path != path])


def relocate(path: str, now_at: str) -> None:
    """Follow a project whose folder was moved."""
    moved = {r.path: r for r in recents()}
    _write([Recent(**{**asdict(r), "path": now_at}) if p == path else r for p, r in moved.items()])


def _write(rows: list[Recent]) -> None:
    settings = store()
    settings.setValue("recent", json.dumps([asdict(row) for row in rows]))
    settings.sync()
