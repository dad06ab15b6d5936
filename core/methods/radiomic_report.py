"""What the image encoder took over from radiomics: each feature predicted from z_i."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ..backend.events import Artifact, Event, Metric
from ..files import write_json

FILE = "radiomics/predicted.json"
PAIRS = 768
FEWEST = 40
REPORTS = 10
PENALTY = 0.05
"""Of ridge regression, as a share of the number of images."""


class TakenOver:
    """Keeps the newest pairs of z_i and scaled features, and regresses one on the other."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._rows = torch.empty(0, dtype=torch.long)
        self._images = self._regions = torch.empty(0)
        self._told = 0

    def take(self, rows: Tensor, images: Tensor, regions: Tensor) -> None:
        """Add pairs: rows (n,) of the images in the store, z_i (n, width), features (n, feature).

        They need no checkpoint: after a resume a dozen steps bring as many again.
        """
        self._rows = torch.cat([self._rows, rows])[-PAIRS:]
        self._images = _newest(self._images, images)
        self._regions = _newest(self._regions, regions)

    def news(self, step: int, planned: int | None, folder: Path | None) -> Iterator[Event]:
        """Tell how much of the features the encoder knows, about ten times over the run."""
        turn = step * REPORTS // planned if planned else 0
        if turn <= self._told or len(self._rows) < FEWEST:
            return
        self._told = turn
        found = held_out_r2(self._images, self._regions, self._rows % 2 == 0)
        known = found[found.isfinite()]
        if not len(known):
            return
        yield Metric(step, "radiomics_r2", float(known.median()))
        if folder is not None:
            values = dict(zip(self._names, map(_number, found.tolist()), strict=True))
            (folder / FILE).parent.mkdir(parents=True, exist_ok=True)
            write_json(folder / FILE, {"step": step, "images": len(self._rows), "r2": values})
            yield Artifact(FILE, "table")


def held_out_r2(inputs: Tensor, outputs: Tensor, fitted: Tensor) -> Tensor:
    """Share of the variance of each output that ridge regression predicts in other rows, (output,).

    1 - sum (y - y')^2 / sum (y - mean)^2 over the rows that were not fitted; below 0 where the
    mean would do better, not-a-number where an output does not vary.

    Parameters
    ----------
    inputs, outputs
        (n, width) and (n, output).
    fitted
        (n,) bool, the rows that the regression may see.
    """
    x, y = inputs.double(), outputs.double()
    if not (fitted.any() and (~fitted).any()):
        return torch.full((y.shape[1],), torch.nan)
    mean_x, mean_y = x[fitted].mean(0), y[fitted].mean(0)
    deviation = x[fitted].std(0, correction=0).clamp_min(1e-9)
    x = (x - mean_x) / deviation
    seen = x[fitted]
    penalty = PENALTY * len(seen) * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(seen.T @ seen + penalty, seen.T @ (y[fitted] - mean_y))
    left = (y - mean_y - x @ weights)[~fitted].square().sum(0)
    spread = (y[~fitted] - y[~fitted].mean(0)).square().sum(0)
    return torch.where(spread > 1e-9, 1 - left / spread.clamp_min(1e-9), torch.nan)


def _newest(kept: Tensor, fresh: Tensor) -> Tensor:
    fresh = fresh.detach().float().cpu()
    return torch.cat([kept, fresh])[-PAIRS:] if len(kept) else fresh[-PAIRS:]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 4)
