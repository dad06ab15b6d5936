"""The work of `SanityJob`: a few images, and the maps of a network that forgets step by step."""

from collections.abc import Generator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..backend.events import Event, Progress
from ..backend.job import JobContext
from ..errors import LongtailError
from ..project.records import Case
from ..project.store import Project
from ..review.audit_words import SanityStep
from .predicting import ReadyNetwork, current_ids

if TYPE_CHECKING:
    from torch import Tensor

    from .auditing import SanityJob

WHAT = "forgetting what was learned"


def forgetting(
    job: "SanityJob",
    project: Project,
    network: ReadyNetwork,
    cases: Sequence[Case],
    context: JobContext,
) -> Generator[Event, None, list[SanityStep]]:
    """Give the likeness of the maps after each part that became random, from the output down.

    Raises
    ------
    LongtailError
        No image of the part can be read.
    """
    from ..explain.sanity import parts_of, randomised_maps

    ids = current_ids(project, network.card.class_ids)
    chosen = spread([case for case in cases if _column(case, ids) >= 0], ids, job.images, job.seed)
    images = _images(network, chosen)
    columns = sorted({_column(case, ids) for case in chosen})
    total, found = len(parts_of(network.network)), []
    yield Progress(0, total, what=WHAT)
    steps = randomised_maps(
        network.network,
        images,
        columns,
        variant=job.variant,
        layer=network.looking.layer,
        seed=job.seed,
    )
    for done, step in enumerate(steps, start=1):
        found.append(SanityStep(step.part, step.correlation, step.maps))
        yield Progress(done, total, what=WHAT)
        yield from context.safe_point()
    return found


def spread(cases: Sequence[Case], ids: Sequence[int], most: int, seed: int) -> list[Case]:
    """Choose cases by seed, going round the classes."""
    order = np.random.default_rng(seed).permutation(len(cases)).tolist()
    waiting: dict[int, list[Case]] = {}
    for row in order:
        waiting.setdefault(_column(cases[row], ids), []).append(cases[row])
    chosen: list[Case] = []
    while len(chosen) < most and any(waiting.values()):
        for column in sorted(waiting):
            if waiting[column] and len(chosen) < most:
                chosen.append(waiting[column].pop())
    return chosen


def _column(case: Case, ids: Sequence[int]) -> int:
    """Give the run's column of the first class that a case has, -1 without one."""
    yes = sorted(case.labels.yes) if case.labels else []
    return next((ids.index(i) for i in yes if i in ids), -1)


def _images(network: ReadyNetwork, cases: Sequence[Case]) -> "Tensor":
    import torch

    from ..io.image import read_channels

    rule = network.card.preprocessing
    read = []
    for case in cases:
        try:
            read.append(rule.apply(read_channels(case.channels)))
        except LongtailError:
            continue  # the check needs a few images, not this one
    if not read:
        raise LongtailError(
            "No labelled image of this part can be read.", "Choose a part with labelled images."
        )
    return torch.stack(read).to(network.device)
