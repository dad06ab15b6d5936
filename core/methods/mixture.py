"""What the student of ACTION++ sees in a step: labelled and pool patches, mixed by boxes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..data.mixing import mix
from ..project.records import NOT_LABELLED
from .run import Batch
from .semi_supervised import UNKNOWN, partners


@dataclass(frozen=True, slots=True)
class View:
    """Patches and what is known of each of their pixels; all (batch, *space) but the images.

    Parameters
    ----------
    images
        (batch, channel, *space).
    labels
        uint8, 255 where a pixel is not labelled.
    pseudo, confidence
        The teacher's answers, long and float.
    guessed
        bool: unlabelled and inside a case, so that the answers are all there is.
    source
        long: the row of the teacher's batch (labelled patches, then pool) that shows the pixel.
    """

    images: Tensor
    labels: Tensor
    pseudo: Tensor
    confidence: Tensor
    guessed: Tensor
    source: Tensor


def labelled_view(
    batch: Batch, pseudo: Tensor | None = None, confidence: Tensor | None = None
) -> View:
    """Give the labelled patches of a step; where they have gaps, the teacher's answers if given."""
    labels = batch["label"]
    source = _rows(labels, 0)
    if pseudo is None or confidence is None:
        nothing = torch.zeros(labels.shape, device=labels.device)
        return View(batch["image"], labels, nothing.long(), nothing, nothing.bool(), source)
    return View(batch["image"], labels, pseudo, confidence, batch["gaps"], source)


def pool_view(batch: Batch, pseudo: Tensor, confidence: Tensor) -> View:
    """Give the pool patches of a step: labels where there are any, the teacher's answers else."""
    known = batch["known"]
    guessed = known == UNKNOWN
    labels = known.masked_fill(guessed, NOT_LABELLED)
    source = _rows(known, len(batch["image"]))
    return View(batch["strong"], labels, pseudo, confidence, guessed, source)


def labelled_only(labelled: View, mask: Tensor) -> View:
    """Give the labelled patches, then the same with a box of their neighbour pasted into each."""
    others = View(*(partners(values) for values in _fields(labelled)))
    return _joined(labelled, _pasted(labelled, others, mask))


def mixed(labelled: View, pool: View, mask: Tensor, how: str) -> View:
    """Give what the student sees: labelled patches first, as many pool patches after them.

    Parameters
    ----------
    mask
        (batch, *space) bool: the box that is pasted.
    how
        Into the pool patches a box of nothing (`none`), of another pool patch (`unlabelled`; of a
        labelled one where it is alone) or of a labelled one (`labelled`); `both` also pastes a box
        of the pool into the labelled ones, as in Bai et al., CVPR 2023 (arXiv 2305.00673).
    """
    alone = len(pool.images) == 1
    first, second = labelled, pool
    if how == "both":
        first = _pasted(labelled, pool, mask)
    if how in ("labelled", "both") or (how == "unlabelled" and alone):
        second = _pasted(pool, labelled, mask)
    elif how == "unlabelled":
        others = View(*(partners(values) for values in _fields(pool)))
        second = _pasted(pool, others, mask)
    return _joined(first, second)


def _joined(first: View, second: View) -> View:
    pairs = zip(_fields(first), _fields(second), strict=True)
    return View(*(torch.cat(pair) for pair in pairs))


def _pasted(view: View, other: View, mask: Tensor) -> View:
    pairs = zip(_fields(view), _fields(other), strict=True)
    return View(*(mix(own, theirs, mask) for own, theirs in pairs))


def _fields(view: View) -> tuple[Tensor, ...]:
    return tuple(getattr(view, name) for name in View.__slots__)


def _rows(like: Tensor, first: int) -> Tensor:
    """Give each pixel the number of its row, counted from `first`, (batch, *space) long."""
    rows = torch.arange(first, first + len(like), device=like.device)
    return rows.view(-1, *([1] * (like.ndim - 1))).expand(like.shape)
