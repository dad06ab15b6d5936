"""Losses divide cosines by small temperatures: they are computed in single precision or better."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

P = ParamSpec("P")
R = TypeVar("R")


def full(values: Tensor) -> Tensor:
    """Give half precision as single; double stays double."""
    return values if values.dtype in (torch.float32, torch.float64) else values.float()


def finest(device: torch.device) -> torch.dtype:
    """Give the finest type of number that a device has; Apple's has no double precision."""
    return torch.float32 if device.type == "mps" else torch.float64


def unit(vectors: Tensor) -> Tensor:
    """Vectors of length 1 along the last axis, in full precision; zero stays zero."""
    return functional.normalize(full(vectors), dim=-1)


def in_full_precision(loss: Callable[P, R]) -> Callable[P, R]:
    """Keep a surrounding autocast from computing the products of `loss` in half precision."""

    @wraps(loss)
    def computed(*args: P.args, **named: P.kwargs) -> R:
        first = next(value for value in args if isinstance(value, Tensor))
        with torch.autocast(first.device.type, enabled=False):
            return loss(*args, **named)

    return computed
