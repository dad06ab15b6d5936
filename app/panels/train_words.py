"""How numbers and times are told on the Train and Results panels."""

import math


def share(value: float | None) -> str:
    """Tell a number between 0 and 1 with the two digits that it means: `0.79`."""
    if value is None or not math.isfinite(value):
        return "–"  # noqa: RUF001 - a dash is what a reader of tables expects
    return f"{value:.2f}"


def unsure(score: float | None) -> str:
    """Tell how unsure a run is of a case, 0 to 1: `0.012 on average`; empty if not known."""
    if score is None or not math.isfinite(score):
        return ""
    return "below 0.001 on average" if score < 0.001 else f"{score:.3f} on average"


def short_share(value: float | None) -> str:
    """Tell a share without its leading zero, for legends and intervals: `.79`."""
    text = share(value)
    return text[1:] if text.startswith("0.") else text


def difference(value: float | None, digits: int = 2) -> str:
    """Tell a change with its sign; a change that rounds to nothing is `0.00` without one."""
    if value is None or not math.isfinite(value):
        return ""
    text = f"{value:+.{digits}f}".replace("-", "−")  # noqa: RUF001 - a true minus lines up
    return text[1:] if float(f"{value:.{digits}f}") == 0 else text


def clock(seconds: float | None) -> str:
    """Tell a time as `2:11`, or `1:02:11` from an hour on; empty when it is not known."""
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def duration(seconds: float) -> str:
    """Tell a time as a person says it: `40 seconds`, `6 minutes`, `1 h 20 min`."""
    if seconds < 90:
        return plural(round(seconds), "second")
    minutes = round(seconds / 60)
    if minutes < 90:
        return plural(minutes, "minute")
    return f"{minutes // 60} h {minutes % 60:02d} min"


def plural(number: int, noun: str) -> str:
    """Tell how many there are: `1 scan`, `1,712 scans`, `no scans`."""
    if number == 0:
        return f"no {nouns(noun)}"
    return f"{number:,} {noun if number == 1 else nouns(noun)}"


def nouns(noun: str) -> str:
    """Tell several of what `noun` names: `scans`, `classes`."""
    return f"{noun}es" if noun.endswith("s") else f"{noun}s"


def memory(size_bytes: float) -> str:
    """Tell a size of memory: `820 MB`, `2.4 GB`."""
    if size_bytes < 995e6:
        return f"{max(10, round(size_bytes / 1e7) * 10)} MB"
    return f"{size_bytes / 1e9:.1f} GB"


def run_number(run_id: str) -> str:
    """Tell a run by its number: `run 3` for `run-003-supervised`, else the id itself."""
    parts = run_id.split("-")
    if len(parts) >= 2 and parts[0] == "run" and parts[1].isdigit():
        return f"run {int(parts[1])}"
    return run_id


def case_noun(task: str) -> str:
    """Tell what a case of this task is called: a scan or an image."""
    return "scan" if task == "segmentation" else "image"


def sentence_case(text: str) -> str:
    """Begin with a capital: `Reading 10 scans`."""
    text = text.strip()
    return text[:1].upper() + text[1:]
