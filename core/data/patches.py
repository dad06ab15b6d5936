"""Which patches a step looks at: a pure function of seed and step, so that a run can be resumed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .volumes import VolumeStore

ANYWHERE = -1

Chances = np.ndarray[Any, np.dtype[np.float64]]


class Patch(NamedTuple):
    """A place in a case, (z, y, x) on the network's grid."""

    case_id: str
    centre: tuple[int, int, int]


class PatchSampler:
    """Draws patches, a share of them around classes.

    Parameters
    ----------
    case_ids
        Labelled cases.
    outputs
        Number of foreground outputs; they are 1 ... outputs.
    how
        `none` (anywhere that is labelled), `foreground` (around classes as often as they are),
        `rare` (around each class equally often).
    share
        How many of the patches are taken around a class.
    """

    def __init__(
        self,
        store: VolumeStore,
        case_ids: Sequence[str],
        outputs: int,
        how: str = "rare",
        share: float = 0.67,
        seed: int = 0,
    ) -> None:
        self._store = store
        self._share = 0.0 if how == "none" else share
        self._how = how
        self._seed = seed
        self.factors = np.ones(outputs)
        self.case_ids: tuple[str, ...] = ()
        self.resting: frozenset[str] = frozenset()
        self.take(case_ids)

    def take(self, case_ids: Sequence[str]) -> None:
        """Sample from these cases from now on, without those that rest."""
        self.case_ids = tuple(case_ids)
        self._holders: dict[int, list[str]] = {ANYWHERE: []}
        self._volumes = np.zeros(len(self.factors))
        for case_id in (id_ for id_ in self.case_ids if id_ not in self.resting):
            for output, places in self._store.places(case_id).items():
                self._holders.setdefault(output, []).append(case_id)
                if output > 0:
                    self._volumes[output - 1] += len(places)

    def rest(self, case_ids: Sequence[str]) -> None:
        """Draw from the others alone until told otherwise."""
        self.resting = frozenset(case_ids)
        self.take(self.case_ids)

    def sample_more(self, output: int, factor: float) -> None:
        """Take `factor` times as many patches around an output as until now."""
        self.factors[output - 1] *= factor

    def draw(self, step: int, count: int) -> list[Patch]:
        """Give the patches of a step."""
        random = np.random.default_rng([self._seed, step, 1])
        share, chances = self._chances()
        return [self._draw_one(random, share, chances) for _ in range(count)]

    def _chances(self) -> tuple[float, Chances]:
        """How many patches are taken around a class, and how many of those around each class."""
        present = np.array([o in self._holders for o in range(1, len(self.factors) + 1)], float)
        if self._how == "foreground":
            present = present * self._volumes
        present = present / max(float(present.sum()), 1e-12)
        if self._share == 0:
            # Nothing is taken around classes but what was asked for since.
            wanted = present * np.maximum(self.factors - 1, 0)
            total = float(wanted.sum())
            return _part(total, 1.0), wanted / max(total, 1e-12)
        wanted = present * self.factors
        total = float(wanted.sum())
        # Patches anywhere make room as well, else a lone class could not be looked at more.
        plain = total == 0 or bool((self.factors == 1).all())
        share = self._share if plain else _part(self._share * total, 1 - self._share)
        return share, wanted / max(total, 1e-12)

    def _draw_one(self, random: np.random.Generator, share: float, chances: Chances) -> Patch:
        around_class = random.random() < share and chances.any()
        output = int(random.choice(len(chances), p=chances)) + 1 if around_class else ANYWHERE
        holders = self._holders[output]
        case_id = holders[int(random.integers(len(holders)))]
        places = self._store.places(case_id)[output]
        z, y, x = places[int(random.integers(len(places)))].tolist()
        return Patch(case_id, (z, y, x))


def _part(one: float, other: float) -> float:
    return one / (one + other)
