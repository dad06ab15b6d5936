"""Which unlabelled patches a step looks at: a pure function of seed and step."""

from collections.abc import Sequence

import numpy as np

from ..errors import LongtailError
from .patches import Patch
from .volumes import VolumeStore

ORDER_STREAM, PLACE_STREAM = 5, 6


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
        self.take([id_ for id_ in self.case_ids if id_ not in without])

    def take(self, case_ids: Sequence[str]) -> None:
        """Draw from these cases from now on."""
        self.case_ids = tuple(case_ids)

    def draw(self, step: int, count: int) -> list[Patch]:
        """Give the patches of a step, from different cases where there are enough.

        Raises
        ------
        LongtailError
            No case of the pool can be read.
        """
        while self.case_ids:
            chosen = self._cases_at(step, count)
            shapes = [self._shape(case_id) for case_id in chosen]
            if None not in shapes:
                random = np.random.default_rng([self._seed, step, PLACE_STREAM])
                return [
                    Patch(case_id, _somewhere(shape, random))
                    for case_id, shape in zip(chosen, shapes, strict=True)
                    if shape is not None
                ]
        raise next(iter(self.failed.values()))

    def _cases_at(self, step: int, count: int) -> list[str]:
        """Cases of a step: an order drawn anew whenever it is used up, then the next `count`."""
        number = len(self.case_ids)
        round_, at = divmod(step, max(1, number // count))
        order = np.random.default_rng([self._seed, round_, ORDER_STREAM]).permutation(number)
        return [self.case_ids[order[(at * count + i) % number]] for i in range(count)]

    def _shape(self, case_id: str) -> tuple[int, ...] | None:
        """Slices or z, y, x of a case; None where it cannot be read, and then it is left out."""
        try:
            return tuple(self._store.get(case_id).image.shape[1:])
        except LongtailError as error:
            self.failed[case_id] = error
            self.leave_out([case_id])
            return None


def _somewhere(shape: Sequence[int], random: np.random.Generator) -> tuple[int, int, int]:
    z, y, x = (int(share * length) for share, length in zip(random.random(3), shape, strict=True))
    return z, y, x
