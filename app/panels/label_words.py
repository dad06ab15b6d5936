"""The sentences of the Label panel."""

from ..session import Session
from .train_words import plural

MINUTE_S = 60


def saved_words(strokes: int, ago_s: float | None, trouble: str, changed: bool) -> str:
    """Say what is saved: `Saved 2 s ago · 14 strokes in the journal`.

    Parameters
    ----------
    strokes
        How many strokes the label map on the disk lacks.
    ago_s
        Seconds since the last label was written in this session, None before.
    trouble
        Why writing failed the last time; empty if it did not.
    changed
        Whether the case has labels on the disk.
    """
    if trouble:
        return f"Not saved. {trouble}"
    journal = f"{plural(strokes, 'stroke')} in the journal" if strokes else ""
    if ago_s is None:
        return journal or ("All saved" if changed else "Nothing to save yet")
    return " · ".join(part for part in (f"Saved {ago_words(ago_s)}", journal) if part)


def ago_words(seconds: float) -> str:
    """Say how long ago something was: `just now`, `2 s ago`, `5 min ago`."""
    if seconds < 1.5:
        return "just now"
    if seconds < MINUTE_S:
        return f"{seconds:.0f} s ago"
    minutes = round(seconds / MINUTE_S)
    return f"{minutes} min ago" if minutes < 60 else f"{minutes // 60} h ago"


def reading_only(session: Session) -> str:
    """Say why nothing can be changed; empty where it can."""
    project = session.project
    if project is None or project.writable:
        return ""
    if project.lock_holder is not None:
        return f"Open for reading only: {project.lock_holder} has this project open for writing."
    return "Open for reading only: the project's folder cannot be written."


def slices_words(labelled: int, count: int) -> tuple[str, str]:
    """Give the amounts of *background* and of *not labelled yet*."""
    left = count - labelled
    rest = f"{left} {'slice' if left == 1 else 'slices'}"
    return f"{labelled} of {count} slices", rest if left else "none"
