"""The maps of many pictures: one look a batch, and one way back a class."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ..data.preprocessing import Preprocessing
from .cam import MapKind, enlarged, kinds_of, raw_maps, to_unit
from .looking import USUAL, Looking
from .whole import CaseMap, precision

BATCH = 16
"""Pictures whose maps are computed together; the layers below the maps need no graph."""


class Picture(NamedTuple):
    """A picture behind its preprocessing, and the outputs of the network that are asked for.

    `values` is (channel, *grid), `shape` the (y, x) of the source.
    """

    name: str
    values: Tensor
    shape: tuple[int, ...]
    outputs: tuple[int, ...]


class FoundMap(NamedTuple):
    """The map of one output in one picture, on the source's grid."""

    name: str
    output: int
    map: CaseMap


def maps_of_pictures(
    network: nn.Module,
    preprocessing: Preprocessing,
    pictures: Iterable[Picture],
    device: str,
    *,
    looking: Looking = USUAL,
    batch: int = BATCH,
) -> Iterator[list[FoundMap]]:
    """Give the maps of pictures, batch by batch; they are the same as one picture at a time.

    Parameters
    ----------
    network
        On `device`, for image-level classes; it is left as it was.
    preprocessing
        Brings maps back to the grid of the source.
    pictures
        Read as they are needed; those that ask for equally many outputs share a batch.
    """
    waiting: dict[int, list[Picture]] = defaultdict(list)

    def computed(group: Sequence[Picture]) -> list[FoundMap]:
        return _computed(network, preprocessing, group, device, looking)

    for picture in pictures:
        group = waiting[len(picture.outputs)]
        group.append(picture)
        if len(group) == batch:
            yield computed(group)
            group.clear()
    for group in waiting.values():
        if group:
            yield computed(group)


def _computed(
    network: nn.Module,
    preprocessing: Preprocessing,
    group: Sequence[Picture],
    device: str,
    looking: Looking,
) -> list[FoundMap]:
    values = torch.stack([picture.values for picture in group]).to(device)
    chosen = torch.tensor([picture.outputs for picture in group], device=device)
    with precision(device):
        raw = raw_maps(network, values, chosen, variant=looking.variant, layer=looking.layer)
    kinds = kinds_of(raw.values, raw.absent)
    usable = torch.tensor([[kind is MapKind.GRADED for kind in row] for row in kinds])
    maps = enlarged(raw.values.float().cpu(), values.shape[2:])
    scaled, logits = to_unit(maps, usable), raw.logits.float().cpu().numpy()
    found = []
    for place, picture in enumerate(group):
        moved = preprocessing.restore(scaled[place], picture.shape).numpy()
        for column, output in enumerate(picture.outputs):
            one = CaseMap(moved[column], kinds[place][column], logits[place])
            found.append(FoundMap(picture.name, output, one))
    return found
