"""Intervals of a share that was counted, for numbers too small to be drawn again and again."""

import math

Z_95 = 1.959963984540054


def wilson(hits: float, total: float) -> tuple[float, float] | None:
    """Give the 95 % interval of `hits` of `total`; None of nothing.

    Wilson's score interval (1927): of 3 hits in 3 it says 0.44 to 1, where drawing those 3 again
    and again always gives 1 and so claims a certainty that nobody has.
    """
    if total <= 0:
        return None
    share, square = hits / total, Z_95**2
    middle = (share + square / (2 * total)) / (1 + square / total)
    spread = share * (1 - share) / total + square / (4 * total**2)
    half = Z_95 * math.sqrt(spread) / (1 + square / total)
    return max(0.0, middle - half), min(1.0, middle + half)
