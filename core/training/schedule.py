"""How large the steps are, as a function of the step alone."""

import math

WARM_UP_STEPS = 25
WARM_UP_SHARE = 0.1
LAST_SHARE = 0.01


def learning_rate_share(step: int, total: int) -> float:
    """Give the share of the learning rate: up in a few steps, then down along a cosine."""
    warm_up = max(1, min(WARM_UP_STEPS, round(WARM_UP_SHARE * total)))
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, total - warm_up)
    return LAST_SHARE + (1 - LAST_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
