"""VinDr-CXR: boxes by several radiologists, `image_id,rad_id,class_name,x_min,y_min,x_max,y_max`.

A box keeps the radiologist as its author. An image has a finding where at least half of its
readers drew it, has it not where none did, and it is unknown in between (our reading: the authors
publish the training readings one by one). Nguyen et al., Scientific Data 2022; the challenge
VinBigData has the same columns in another order.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ...errors import LongtailError
from ..table import NO_CLASS_WORDS
from .boxtables import box_of_cells, number
from .described import ClassNames, DescribedImage, plan_described
from .idtables import IdTable, heads_of, read_id_table, table_paths, tables_below
from .plan import FoundBox, ImportPlan
from .request import Request

CORNERS = ("x_min", "y_min", "x_max", "y_max")
IMAGE, CLASS, READER = "image_id", "class_name", "rad_id"
HEIGHT, WIDTH = "dim0", "dim1"
CONSENSUS = "consensus"


def is_vindr(source: Path) -> bool:
    """Tell whether a folder holds a table of radiologists' boxes."""
    return any(is_vindr_table(path) for path in tables_below(source))


def is_vindr_table(path: Path) -> bool:
    """Tell whether a table has the columns of VinDr-CXR."""
    return {IMAGE, CLASS, *CORNERS} <= set(heads_of(path))


def plan_vindr(request: Request) -> ImportPlan:
    """Plan the import of the X-rays that the tables name.

    Raises
    ------
    LongtailError
        There is no such table, or none of its images is there.
    """
    paths = [path for path in table_paths(request) if is_vindr_table(path)]
    if not paths:
        raise LongtailError(
            f"{request.source} holds no table of VinDr-CXR.",
            f"It has the columns {IMAGE}, {CLASS} and {', '.join(CORNERS)}.",
        )
    tables = [read_id_table(path) for path in paths]
    names = ClassNames(request)
    several = len({table.split for table in tables}) > 1
    sizes = _sizes(paths[0].parent)
    found = _readings(tables)
    images = [
        _image(name, one, names, sizes, split=one.table.split if several else None)
        for name, one in found.items()
    ]
    classes = {box.class_name: None for one in found.values() for box in one.boxes}
    return plan_described(
        "vindr",
        images,
        request,
        names,
        class_names=tuple(classes),
        notes=["A finding that fewer than half of an image's readers saw stays unknown."],
        whole=True,
    )


@dataclass
class _Readings:
    """What the readers of one image drew."""

    table: IdTable
    readers: set[str] = field(default_factory=set)
    boxes: list[FoundBox] = field(default_factory=list)

    def votes(self) -> dict[str, float]:
        """Give the share of readers that saw each finding."""
        saw: dict[str, set[str]] = defaultdict(set)
        for box in self.boxes:
            saw[box.class_name].add(box.author)
        return {name: len(who) / len(self.readers) for name, who in saw.items()}


def _readings(tables: Sequence[IdTable]) -> dict[str, _Readings]:
    found: dict[str, _Readings] = {}
    for table in tables:
        for record in table.records():
            if IMAGE not in record:
                continue
            one = found.setdefault(record[IMAGE], _Readings(table))
            reader = record.get(READER, CONSENSUS)
            one.readers.add(reader)
            name = record.get(CLASS, "")
            if name and name.lower() not in NO_CLASS_WORDS:
                cells = [record.get(corner, "") for corner in CORNERS]
                one.boxes.append(box_of_cells(name, cells, corners=True, author=reader))
    return found


def _image(
    name: str,
    one: _Readings,
    names: ClassNames,
    sizes: Mapping[str, tuple[float, float]],
    split: str | None,
) -> DescribedImage:
    votes = one.votes()
    yes = names.keep(key for key, share in votes.items() if share >= 0.5)
    torn = names.keep(key for key, share in votes.items() if share < 0.5)
    return DescribedImage(
        name=name,
        table=one.table.path,
        class_names=yes,
        no_class=not votes,
        unknown=tuple(key for key in torn if key not in yes),
        split=split,
        metadata={"readers": ", ".join(sorted(one.readers))},
        boxes=tuple(one.boxes),
        drawn_on=sizes.get(name),
    )


def _sizes(folder: Path) -> dict[str, tuple[float, float]]:
    """Read the sizes of the original X-rays, which smaller copies are published with."""
    sizes: dict[str, tuple[float, float]] = {}
    for path in tables_below(folder):
        if {IMAGE, HEIGHT, WIDTH} <= set(heads_of(path)):
            for row in read_id_table(path).records():
                size = number(row.get(WIDTH, "")), number(row.get(HEIGHT, ""))
                sizes[row.get(IMAGE, "")] = size
    return sizes
