"""The metric loss of `two-stage` with what it learns itself, and how well features retrieve."""

import torch
from torch import Tensor, nn

from ..losses import metric
from ..losses.precision import unit
from .settings_contrast import TwoStageSettings

WITH_PROXIES = ("proxy-anchor", "arcface")


class MetricLoss(nn.Module):
    """One of the metric losses, by the name of the setting `metric`."""

    def __init__(self, settings: TwoStageSettings, width: int, classes: int) -> None:
        super().__init__()
        self.settings = settings
        self.classes = classes
        proxies = classes if settings.metric in WITH_PROXIES else 0
        self.proxies = nn.Parameter(torch.empty(proxies, width))
        if proxies:
            nn.init.kaiming_normal_(self.proxies, mode="fan_out")

    def forward(self, features: Tensor, target: Tensor) -> Tensor:
        """Compute the scalar loss of pooled features (batch, width) and classes (batch,)."""
        embeddings, margin = unit(features), self.settings.margin
        losses = {
            "none": lambda: embeddings.sum() * 0,
            "triplet": lambda: metric.triplet(embeddings, target, margin),
            "centre-triplet": lambda: metric.centre_triplet(
                embeddings, target, self.classes, margin
            ),
            "multi-similarity": lambda: metric.multi_similarity(embeddings, target),
            "proxy-anchor": lambda: metric.proxy_anchor(embeddings, target, self.proxies),
            "circle": lambda: metric.circle(embeddings, target),
            "arcface": lambda: metric.arcface(embeddings, target, self.proxies),
            "contrastive": lambda: metric.contrastive(embeddings, target),
        }
        return losses[self.settings.metric]()


def retrieval(features: Tensor, classes: Tensor, count_classes: int) -> tuple[Tensor, Tensor]:
    """Recall@1 and MAP@R of each class, (class,), each image looked for among the others.

    R is the number of other images of the class; MAP@R adds up the precision at each hit within
    the R nearest and divides by R. Musgrave et al., "A metric learning reality check", ECCV 2020.
    Classes with fewer than two images are not-a-number.
    """
    embeddings = unit(features)
    alike = (embeddings @ embeddings.T).fill_diagonal_(-torch.inf)
    nearest = alike.argsort(dim=1, descending=True)[:, :-1]
    hits = (classes[nearest] == classes[:, None]).double()
    wanted = torch.bincount(classes, minlength=count_classes)[classes] - 1
    rank = torch.arange(1, hits.shape[1] + 1, device=hits.device)
    inside = hits * (rank <= wanted[:, None])
    precision = inside.cumsum(1) / rank
    at_r = (precision * inside).sum(1) / wanted.clamp_min(1)
    first = hits[:, 0] if hits.shape[1] else torch.zeros_like(at_r)
    return _class_means(first, classes, wanted, count_classes), _class_means(
        at_r, classes, wanted, count_classes
    )


def _class_means(values: Tensor, classes: Tensor, wanted: Tensor, count: int) -> Tensor:
    usable = (wanted > 0).double()
    sums = torch.zeros(count, dtype=torch.double).index_add(0, classes, values.double() * usable)
    counts = torch.zeros(count, dtype=torch.double).index_add(0, classes, usable)
    return torch.where(counts > 0, sums / counts, torch.nan)
