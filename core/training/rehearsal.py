"""How long a step takes in each phase of a run, found out before it starts."""

import copy
import itertools
import statistics
import time
from collections.abc import Generator

from ..backend.job import JobContext
from ..methods.run import MethodRun, Moment
from .stepper import Stepper, ran_out

WARM_UP_STEPS = 2
LEAST_TIMED = 4
TIMED_S = 3.0
WHOLE = 10_000
"""Steps of an imagined run, so that a share of it can be named by a step."""


def rehearse(run: MethodRun, stepper: Stepper, context: JobContext) -> Generator[None, None, float]:
    """Take some steps of each phase and take them back; yields between steps.

    Returns
    -------
    float
        The mean seconds of a step over the whole run; 0 where memory ran out, so that the run has
        to find out by itself.
    """
    weights = copy.deepcopy(stepper.average.state_dict())
    state = copy.deepcopy(stepper.state())
    starts = [*run.phases, 1.0]
    mean_s = 0.0
    try:
        for start, end in itertools.pairwise(starts):
            seconds = yield from _time_phase(run, stepper, start, context)
            mean_s += (end - start) * seconds
    except (RuntimeError, MemoryError) as error:
        if not ran_out(error):
            raise
        mean_s = 0.0
    finally:
        stepper.load_state(state, weights)
    return mean_s


def _time_phase(
    run: MethodRun, stepper: Stepper, start: float, context: JobContext
) -> Generator[None, None, float]:
    first = round(start * WHOLE) + 1
    timed: list[float] = []
    for number in range(first, WHOLE):
        yield
        if context.stop_asked:
            break
        started = time.perf_counter()
        stepper.step(run.batch(number), Moment(number, WHOLE))
        seconds = time.perf_counter() - started
        if number >= first + WARM_UP_STEPS:
            timed.append(seconds)
        if len(timed) >= LEAST_TIMED and sum(timed) >= TIMED_S:
            break
    return statistics.median(timed) if timed else 0.0
