"""From images to logits, in batches."""

import math
from collections.abc import Generator, Iterable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from ..backend.devices import autocast_dtype
from ..backend.memory import give_back_memory, is_out_of_memory

FloatArray: TypeAlias = np.ndarray[Any, np.dtype[np.float32]]
Logits: TypeAlias = np.ndarray[Any, np.dtype[Any]]

BATCH = 32


class Classified(NamedTuple):
    """The logits (class,) of one image and its uncertainty, 0 sure to 1 undecided."""

    name: str
    logits: FloatArray
    uncertainty: float


def classify(
    network: nn.Module,
    images: Iterable[tuple[str, Tensor]],
    device: str,
    *,
    exclusive: bool,
    batch: int = BATCH,
) -> Generator[list[Classified], None, None]:
    """Predict images in batches, giving each batch when it is done.

    Parameters
    ----------
    network
        On `device`, in evaluation mode; gives (image, class) logits.
    images
        Names and preprocessed images (channel, *grid); read as they are needed.
    device
        Where the network computes.
    exclusive
        The classes exclude each other (softmax), or each is yes or no (sigmoid).
    """
    waiting: list[tuple[str, Tensor]] = []
    for image in images:
        waiting.append(image)
        if len(waiting) == batch:
            yield _classified(network, waiting, device, exclusive)
            waiting = []
    if waiting:
        yield _classified(network, waiting, device, exclusive)


def uncertainty_of(logits: Logits, *, exclusive: bool) -> FloatArray:
    """Give the entropy of each row of (image, class) logits, 0 sure to 1 undecided.

    For classes that are each yes or no it is the mean over the classes.
    """
    scores = torch.from_numpy(np.asarray(logits, dtype=np.float64))
    if exclusive:
        logs = torch.log_softmax(scores, dim=1)
        entropy = -(logs.exp() * logs).sum(dim=1) / math.log(max(2, scores.shape[1]))
    else:
        yes, no = torch.nn.functional.logsigmoid(scores), torch.nn.functional.logsigmoid(-scores)
        entropy = -(yes.exp() * yes + no.exp() * no).mean(dim=1) / math.log(2)
    shares: FloatArray = entropy.clamp(0.0, 1.0).numpy().astype(np.float32)
    return shares


def _classified(
    network: nn.Module, images: Sequence[tuple[str, Tensor]], device: str, exclusive: bool
) -> list[Classified]:
    logits = _logits(network, torch.stack([tensor for _, tensor in images]), device)
    doubts = uncertainty_of(logits, exclusive=exclusive)
    return [
        Classified(name, row, float(doubt))
        for (name, _), row, doubt in zip(images, logits, doubts, strict=True)
    ]


@torch.no_grad()
def _logits(network: nn.Module, batch: Tensor, device: str) -> FloatArray:
    dtype = autocast_dtype(device)
    try:
        with torch.autocast(device.partition(":")[0], dtype=dtype, enabled=dtype is not None):
            logits: FloatArray = network(batch.to(device)).float().cpu().numpy()
    except (RuntimeError, MemoryError) as error:
        if len(batch) == 1 or not is_out_of_memory(error):
            raise
    else:
        return logits
    # Outside the handler, because the trace of the exception holds the tensors.
    give_back_memory()
    half = len(batch) // 2
    parts = (_logits(network, batch[:half], device), _logits(network, batch[half:], device))
    return np.concatenate(parts)
