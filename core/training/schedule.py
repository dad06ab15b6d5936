"""How large the steps are, as a function of the step alone."""

import math

WARM_UP_STEPS = 25
WARM_UP_SHARE = 0.1
LAST_SHARE = 0.01


POLY_POWER = 0.9


def learning_rate_share(step: int, total: int, decay: str = "cosine") -> float:
    """Give the share of the learning rate at a step.

    `cosine`: up in a few steps, then down along a cosine. `poly`: (1 - step / total) ** 0.9 from
    the first step on, as in DeepLab (Chen et al., arXiv 1606.00915) and after it.
    """
    if decay == "poly":
        return float((1 - min(step, total - 1) / max(1, total)) ** POLY_POWER)
    warm_up = max(1, min(WARM_UP_STEPS, round(WARM_UP_SHARE * total)))
    if step < warm_up:
        return (step + 1) / warm_up
    done = (step - warm_up) / max(1, total - warm_up)
    return LAST_SHARE + (1 - LAST_SHARE) * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
