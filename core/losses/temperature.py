"""Schedules over a run: how soft the contrast is, and how much what is guessed counts."""

import math

RAMP_STEEPNESS = 5.0


def adaptive_temperature(step: int, total: int, least: float) -> float:
    """Temperature of the contrast at `step` of `total`: 1 at both ends, `least` half way.

    Kukleva et al., "Temperature schedules for self-supervised contrastive methods on long-tail
    data", ICLR 2023: low temperatures tell single examples apart, high ones whole classes.
    """
    turn = 2 * math.pi * step / max(total, 1)
    return least + (1 + math.cos(turn)) / 2 * (1 - least)


def ramp_up(share: float, over: float = 0.15) -> float:
    """Weight of what is learned from unlabelled scans: exp(-5 (1 - x)^2), then 1.

    Laine and Aila, "Temporal ensembling for semi-supervised learning", ICLR 2017.

    Parameters
    ----------
    share
        How much of the run is over, 0 ... 1.
    over
        The share of the run after which the weight is 1; with 0 it is 1 from the beginning.
    """
    if over <= 0:
        return 1.0
    reached = min(max(share / over, 0.0), 1.0)
    return math.exp(-RAMP_STEEPNESS * (1 - reached) ** 2)
