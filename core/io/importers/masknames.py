"""Which mask belongs to which image, by their names."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from .listing import case_id, image_files
from .plan import FoundCase, Skipped

MASK_ENDINGS = re.compile(r"[_-](mask|masks|seg|segmentation|label|labels|gt|manual1)$", re.I)
CHANNEL_ENDING = re.compile(r"_\d{4}$")
ORPHAN = "there is no image of this name for the mask."


class MaskNames:
    """Masks by the relative stem of their image, with the endings that people add."""

    def __init__(self, folder: Path, names: Sequence[str] | None = None) -> None:
        listed = image_files(folder) if names is None else names
        self.paths = {case_id(name): (folder / name).as_posix() for name in listed}
        self._ended = {MASK_ENDINGS.sub("", stem): path for stem, path in self.paths.items()}

    def of(self, stem: str) -> str | None:
        """Give the mask of the image `stem`, None where there is none."""
        return self.paths.get(stem) or self._ended.get(stem)

    def orphans(self, cases: Sequence[FoundCase]) -> list[Skipped]:
        """List the masks that no case uses."""
        used = {case.mask for case in cases}
        left = [path for path in self.paths.values() if path not in used]
        return [Skipped(Path(path).name, ORPHAN) for path in left]


def channels_by_stem(names: Sequence[str], masks: MaskNames) -> Mapping[str, list[str]]:
    """Join the files of a case: `NAME_0000`, `NAME_0001` where the mask is called `NAME`."""
    stems = {name: case_id(name) for name in names}
    joined = any(
        masks.of(stem) is None and masks.of(CHANNEL_ENDING.sub("", stem)) is not None
        for stem in stems.values()
    )
    cases: dict[str, list[str]] = {}
    for name, stem in stems.items():
        own = stem if not joined else CHANNEL_ENDING.sub("", stem)
        cases.setdefault(own if joined else name, []).append(name)
    return cases
