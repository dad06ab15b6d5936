"""What the page of heat maps shows; knows neither Qt nor torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...core.errors import LongtailError
from ...core.review.audit import INSIDE_WORDS, Inside, Looked
from ...core.review.audit_file import Audit, AuditPictures, read_audit, read_pictures
from ...core.review.audit_words import sentence

if TYPE_CHECKING:
    from ...core.project.store import Project

MEAN = -1
"""The place of the mean map among the tiles."""

ORDERS: Mapping[str, str] = {
    "least": "least inside first",
    "most": "most inside first",
    "edge": "most at the edge first",
}
SHORT = {Inside.BOX: "in box", Inside.LABEL: "in label", Inside.BODY: "inside"}


@dataclass(frozen=True, slots=True)
class Tile:
    """One picture of the grid: `place` is its row among the pictures, `MEAN` for the mean map.

    `doubtful` marks a map whose highest place lies outside.
    """

    place: int
    case_id: str
    caption: str
    tip: str
    doubtful: bool = False


@dataclass(frozen=True)
class LoadedMaps:
    """What was read of a run: None where nothing was made, or is damaged with its `trouble`."""

    run_id: str
    audit: Audit | None
    pictures: AuditPictures | None
    trouble: LongtailError | None = None


def load_maps(project: "Project", run_id: str) -> LoadedMaps:
    """Read the audit of a run with its pictures; may take a moment."""
    folder = project.run_folder(run_id)
    try:
        audit = read_audit(folder)
        pictures = read_pictures(folder, len(audit.maps)) if audit else None
    except LongtailError as error:
        return LoadedMaps(run_id, None, None, error)
    return LoadedMaps(run_id, audit, pictures)


def classes_of(audit: Audit, names: Mapping[int, str]) -> list[tuple[int, str, int]]:
    """List the (id, name, number of maps) of the classes that have maps, most suspicious first."""
    counts: dict[int, int] = {}
    for one in audit.maps:
        counts[one.class_id] = counts.get(one.class_id, 0) + 1
    first = list(dict.fromkeys(line.class_id for line in audit.classes))
    order = [i for i in first if i in counts] + [i for i in counts if i not in first]
    return [(i, names.get(i, f"class {i}"), counts[i]) for i in order]


def tiles(audit: Audit, class_id: int, order: str) -> list[Tile]:
    """Give the tiles of a class: the mean map, then its maps in the order that was chosen."""
    rows = [row for row, one in enumerate(audit.maps) if one.class_id == class_id]
    maps = audit.maps
    if order == "most":
        rows.sort(key=lambda row: (maps[row].inside is None, -(maps[row].inside or 0.0)))
    elif order == "edge":
        rows.sort(key=lambda row: -(maps[row].edge or 0.0))
    shown = [_tile(row, maps[row], order) for row in rows]
    mean = Tile(
        MEAN,
        "",
        "mean map",
        f"The mean of {len(rows):,} maps. What is always looked at stays in it: a bright spot in a "
        "corner speaks of a tag or a border.",
    )
    return [mean, *shown] if len(rows) > 1 else shown


def words_of(audit: Audit, class_id: int, name: str) -> str:
    """Say where the maps of a class lie."""
    lines = [sentence(one, name) for one in audit.classes if one.class_id == class_id]
    return "\n".join(lines) or f"{name}: no map could be compared with anything."


def below_words(found: Sequence[Looked]) -> str:
    """Say how many maps say nothing, and what a cross means."""
    silent = sum(one.kind != "graded" for one in found)
    parts = [f"{silent} of {len(found)} maps say nothing."] if silent else []
    if any(one.point_inside is False for one in found):
        parts.append("A cross: the highest place lies outside.")
    return " ".join(parts)


def _tile(row: int, one: Looked, order: str) -> Tile:
    name = one.case.rpartition("/")[2]
    if one.kind != "graded":
        return Tile(row, one.case, "says nothing", f"{name}: no place stands out.")
    if order == "edge":
        caption = f"{one.edge or 0:.0%} at the edge"
    elif one.inside is None:
        caption = "nothing to compare"
    else:
        caption = f"{one.inside:.0%} {SHORT.get(one.of, 'inside')}"
    return Tile(row, one.case, caption, f"{name}: {_told(one)}", one.point_inside is False)


def _told(one: Looked) -> str:
    parts = []
    if one.probability is not None:
        parts.append(f"probability {one.probability:.2f}")
    if one.inside is not None and one.area is not None:
        where = INSIDE_WORDS[one.of]
        parts.append(
            f"{one.inside:.0%} of the map lies in {where}, which covers {one.area:.0%} of the image"
        )
        spot = "inside" if one.point_inside else "outside"
        parts.append(f"its highest place is {spot}")
    if one.edge is not None:
        parts.append(f"{one.edge:.0%} lies at the edge")
    return ", ".join(parts) + ". Click to open it."
