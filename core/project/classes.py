"""The classes of a project: added, renamed, merged, retired; an id is never given twice."""

import colorsys
import re
from collections.abc import Sequence

from sqlalchemy import Connection, insert, select, update

from ..errors import LongtailError
from .folder import ProjectFolder, next_number
from .records import CLASS_PALETTE, ClassRecord
from .schema import classes

MOST_CLASSES = 254
"""Label maps are uint8: 0 is background and 255 not labelled."""

_RESERVED = {"background"}
_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
GOLDEN_ANGLE = 0.381966


class Classes(ProjectFolder):
    """The part of a project that keeps its classes."""

    @property
    def classes(self) -> tuple[ClassRecord, ...]:
        """The classes in use, in the order of their ids."""
        return tuple(record for record in self.all_classes if not record.retired)

    @property
    def all_classes(self) -> tuple[ClassRecord, ...]:
        """Every class that there ever was, retired and merged ones too."""
        with self._database.reading() as connection:
            return _read_classes(connection)

    def class_named(self, name: str) -> ClassRecord:
        """Find a class in use by its name; capitals do not matter.

        Raises
        ------
        LongtailError
            There is no such class.
        """
        for record in self.classes:
            if record.name.casefold() == name.strip().casefold():
                return record
        known = ", ".join(record.name for record in self.classes) or "none"
        raise LongtailError(
            f"The project {self.name} has no class named {name!r}.", f"Its classes are: {known}."
        )

    def class_with_id(self, class_id: int) -> ClassRecord:
        """Find a class, in use or not, by its id.

        Raises
        ------
        LongtailError
            There is no such class.
        """
        for record in self.all_classes:
            if record.id == class_id:
                return record
        raise LongtailError(f"The project {self.name} has no class with the number {class_id}.")

    def add_class(self, name: str, colour: str | None = None) -> ClassRecord:
        """Add a class; without a colour it gets one that the others do not have."""
        with self._writing() as connection:
            return self._insert_class(connection, name, colour)

    def rename_class(self, class_id: int, name: str) -> None:
        """Give a class another name; its id and its labels stay."""
        self.class_with_id(class_id)
        with self._writing() as connection:
            known = [record for record in _read_classes(connection) if record.id != class_id]
            connection.execute(
                update(classes).where(classes.c.id == class_id).values(name=_checked(name, known))
            )

    def recolour_class(self, class_id: int, colour: str) -> None:
        """Give a class another colour, as `#rrggbb`."""
        self.class_with_id(class_id)
        with self._writing() as connection:
            connection.execute(
                update(classes).where(classes.c.id == class_id).values(colour=_colour(colour))
            )

    def retire_class(self, class_id: int) -> None:
        """Take a class out of use; its labels stay in the files and it is trained no more."""
        self.class_with_id(class_id)
        with self._writing() as connection:
            connection.execute(update(classes).where(classes.c.id == class_id).values(retired=True))

    def _add_classes(self, names: Sequence[str]) -> None:
        with self._writing() as connection:
            for name in names:
                self._insert_class(connection, name, None)

    def _insert_class(self, connection: Connection, name: str, colour: str | None) -> ClassRecord:
        known = _read_classes(connection)
        checked = _checked(name, known)
        if len(known) >= MOST_CLASSES:
            raise LongtailError(
                f"A project holds at most {MOST_CLASSES} classes, retired ones included.",
                "Merge classes before the import, or use two projects.",
            )
        number = next_number(connection, "last_class")
        chosen = _colour(colour) if colour else _free_colour(known)
        record = ClassRecord(number, checked, chosen)
        connection.execute(
            insert(classes).values(id=record.id, name=record.name, colour=chosen, retired=False)
        )
        return record


def _read_classes(connection: Connection) -> tuple[ClassRecord, ...]:
    found = connection.execute(select(classes).order_by(classes.c.id))
    return tuple(
        ClassRecord(row.id, row.name, row.colour, row.retired, row.merged_into) for row in found
    )


def _checked(name: str, known: Sequence[ClassRecord]) -> str:
    cleaned = " ".join(name.split())
    if not cleaned:
        raise LongtailError("A class needs a name.")
    if cleaned.casefold() in _RESERVED:
        raise LongtailError(
            "The background is not a class of its own.", "Leave it out of the classes."
        )
    taken = {record.name.casefold() for record in known if not record.retired}
    if cleaned.casefold() in taken:
        raise LongtailError(f"There is a class named {cleaned!r} already.", "Choose another name.")
    return cleaned


def _colour(text: str) -> str:
    if not _COLOUR.fullmatch(text):
        raise LongtailError(f"{text!r} is no colour.", "Give it as #rrggbb, such as #56b4e9.")
    return text.lower()


def _free_colour(known: Sequence[ClassRecord]) -> str:
    taken = {record.colour for record in known if not record.retired}
    for colour in CLASS_PALETTE:
        if colour not in taken:
            return colour
    hue = (len(known) * GOLDEN_ANGLE) % 1.0
    red, green, blue = (round(255 * part) for part in colorsys.hls_to_rgb(hue, 0.65, 0.6))
    return f"#{red:02x}{green:02x}{blue:02x}"
