"""Classes of which little is labelled, and how much of the foreground they should be given."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..losses.pseudo import share_factors
from ..project.records import NOT_LABELLED

SCARCE_BELOW = 0.05
"""Of the labelled foreground: the tail, as in `core/evaluate/tiers.py`."""

POWER = 5.0
"""Of the ratio of shares: an outline moves by a fraction of a voxel only when odds change a lot."""


class HeldShares:
    """Helps scarce classes to the share of the foreground that they have where they are labelled.

    The others are left alone: what a handful of scans says of the balance of two common classes is
    further from the truth than what a teacher sees. Nor is anything taken from a class.

    Parameters
    ----------
    label_maps
        Of any shape, uint8, 255 not labelled; None for a scan without.
    outputs
        1 + classes.
    """

    def __init__(self, label_maps: Sequence[Tensor | None], outputs: int) -> None:
        drawn = [labels for labels in label_maps if labels is not None]
        counts = torch.zeros(0, NOT_LABELLED + 1, dtype=torch.float64)
        if drawn:
            rows = [torch.bincount(each.flatten(), minlength=NOT_LABELLED + 1) for each in drawn]
            counts = torch.stack(rows).double()
        self.shares = foreground_shares(counts, outputs)
        labelled = counts[:, :outputs].sum(0)
        labelled[0] = 0
        self.scarce = labelled < SCARCE_BELOW * labelled.sum()
        self.scarce[0] = False

    def factors(self, predicted: Tensor) -> Tensor:
        """By how much the odds of each class are raised, (outputs,), 1 for those that get enough.

        Parameters
        ----------
        predicted
            (outputs,) float64, how often the teacher gave each class, background first.
        """
        missing = share_factors(predicted, self.shares, POWER).clamp_min(1)
        return torch.where(self.scarce, missing, torch.ones_like(missing))


def foreground_shares(counts: Tensor, outputs: int) -> Tensor:
    """Share of each class in the labelled foreground, (outputs,), 0 for the background.

    Of a scan that is not labelled in full nobody knows whether it has the classes that are not
    drawn, so it says nothing of these.

    Parameters
    ----------
    counts
        (scan, 256) float64: voxels of each value of a label map, 255 not labelled.
    """
    found = counts[:, 1:outputs]
    speaks = (found > 0) | (counts[:, -1:] == 0)
    whole = (found.sum(1, keepdim=True) * speaks).sum(0)
    shares = torch.zeros(outputs, dtype=counts.dtype)
    shares[1:] = (found * speaks).sum(0) / whole.clamp_min(1)
    return shares
