"""How much of the foreground each class has where it is labelled."""

from collections.abc import Iterable

import torch
from torch import Tensor

from ..project.records import NOT_LABELLED


def foreground_shares(label_maps: Iterable[Tensor | None], outputs: int) -> Tensor:
    """Share of each class in the labelled foreground, (outputs,), 0 for the background.

    Of a scan that is not labelled in full nobody knows whether it has the classes that are not
    drawn, so it says nothing of these; of a scan without a label map nothing is known.

    Parameters
    ----------
    label_maps
        Of any shape, uint8, 255 not labelled.
    """
    own = torch.zeros(outputs, dtype=torch.float64)
    whole = torch.zeros_like(own)
    for labels in label_maps:
        if labels is None:
            continue
        counts = torch.bincount(labels.flatten(), minlength=NOT_LABELLED + 1).double()
        found = counts[1:outputs]
        speaks = (found > 0) | (counts[NOT_LABELLED] == 0)
        own[1:] += found * speaks
        whole[1:] += found.sum() * speaks
    return own / whole.clamp_min(1)
