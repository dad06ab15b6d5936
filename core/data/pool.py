"""Which unlabelled patches a step looks at: a pure function of seed and step."""

from collections.abc import Sequence

import numpy as np

from ..errors import LongtailError
from .patches import Patch
from .volumes import VolumeStore

POOL_STREAM = 5


class UnlabelledPool:
    """Draws patches anywhere in cases without labels, each case as often as the others.

    Parameters
    ----------
    case_ids
        Cases without labels, or with some voxels that are not labelled.
    """

    def __init__(self, store: VolumeStore, case_ids: Sequence[str], seed: int = 0) -> None:
        self._store = store
        self._seed = seed
        self.case_ids = tuple(case_ids)
        self.failed: dict[str, LongtailError] = {}

    def __len__(self) -> int:
        return len(self.case_ids)

    def leave_out(self, case_ids: Sequence[str]) -> None:
        """Draw no longer from these cases."""
        without = set(case_ids)
        self.case_ids = tuple(id_ for id_ in self.case_ids if id_ not in without)

    def draw(self, step: int, count: int) -> list[Patch]:
        """Give the patches of a step, from different cases as long as there are enough.

        Raises
        ------
        LongtailError
            No case of the pool can be read.
        """
        drawn: list[Patch] = []
        place = step * count
        while len(drawn) < count:
            if not self.case_ids:
                raise next(iter(self.failed.values()))
            patch = self._patch_at(place)
            place += 1
            if patch is not None:
                drawn.append(patch)
        return drawn

    def _patch_at(self, place: int) -> Patch | None:
        """Give the patch at `place` of an endless list, None where its case cannot be read."""
        round_, at = divmod(place, len(self.case_ids))
        order = np.random.default_rng([self._seed, round_, POOL_STREAM])
        case_id = self.case_ids[int(order.permutation(len(self.case_ids))[at])]
        try:
            shape = self._store.get(case_id).image.shape[1:]
        except LongtailError as error:
            self.failed[case_id] = error
            self.leave_out([case_id])
            return None
        random = np.random.default_rng([self._seed, place, POOL_STREAM + 1])
        z, y, x = (
            int(share * length) for share, length in zip(random.random(3), shape, strict=True)
        )
        return Patch(case_id, (z, y, x))
