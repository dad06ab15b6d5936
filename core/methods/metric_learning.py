"""The metric loss of `two-stage` with what it learns itself, and how well features retrieve.

Losses, miner and scores are those of `pytorch-metric-learning` (Musgrave et al., arXiv
2008.09164). Only the catalogue leads here, when a run is built: the window never waits for its
import (1.6 s on its own, nothing after monai).
"""

import math
from functools import partial
from typing import Any

import torch
from pytorch_metric_learning import losses, miners
from pytorch_metric_learning.distances import CosineSimilarity, LpDistance
from pytorch_metric_learning.reducers import MeanReducer
from pytorch_metric_learning.utils.accuracy_calculator import AccuracyCalculator
from pytorch_metric_learning.utils.inference import CustomKNN
from torch import Tensor, nn

from ..losses.contrast import class_means
from ..losses.precision import in_full_precision, unit
from .settings_contrast import TwoStageSettings

ARCFACE = {"margin": math.degrees(0.5), "scale": 30.0}
LARGEST_COSINE = 1 - 1e-6
SCORES = ("precision_at_1", "mean_average_precision_at_r")


class MetricLoss(nn.Module):
    """One of the metric losses, by the name of the setting `metric`; proxies are its parameters.

    Triplets are the hardest of the batch (Hermans et al., arXiv 1703.07737): the farthest of the
    own class against the nearest other, mean over the images that have both. `centre-triplet` puts
    the class means of the batch in place of the other images.
    """

    def __init__(self, settings: TwoStageSettings, width: int, classes: int) -> None:
        super().__init__()
        self.name = settings.metric
        self.classes = classes
        self.loss = _library_loss(settings, width, classes)
        self.miner = miners.BatchHardMiner(distance=_distance()) if "triplet" in self.name else None

    @in_full_precision
    def forward(self, features: Tensor, target: Tensor) -> Tensor:
        """Compute the scalar loss of pooled features (batch, width) and classes (batch,).

        It is 0, with a gradient path, where the batch has no pairs to compare.
        """
        embeddings = unit(features)
        if self.loss is None:
            return embeddings.sum() * 0
        others = self._centres(embeddings, target) if self.name == "centre-triplet" else {}
        triplets = self.miner(embeddings, target, **others) if self.miner else None
        value: Tensor = self.loss(embeddings, target, triplets, **others)
        return value

    def _centres(self, embeddings: Tensor, target: Tensor) -> dict[str, Tensor]:
        means, counts = class_means(embeddings, target, self.classes)
        there = counts.nonzero().squeeze(1)
        return {"ref_emb": means[there], "ref_labels": there}


def _library_loss(settings: TwoStageSettings, width: int, classes: int) -> nn.Module | None:
    """Make the library's loss, with its own defaults where none are named; `none` has none."""
    makers: dict[str, Any] = {
        "none": lambda: None,
        "triplet": partial(_triplet, settings.margin),
        "centre-triplet": partial(_triplet, settings.margin),
        "multi-similarity": losses.MultiSimilarityLoss,
        "proxy-anchor": partial(losses.ProxyAnchorLoss, classes, width),
        "circle": losses.CircleLoss,
        "arcface": partial(_arcface, classes, width),
        "contrastive": losses.SupConLoss,
    }
    made: nn.Module | None = makers[settings.metric]()
    return made


def _triplet(margin: float) -> Any:
    return losses.TripletMarginLoss(margin, distance=_distance(), reducer=MeanReducer())


def _distance() -> Any:
    """Euclidean, of vectors as they are: class means are shorter than 1."""
    return LpDistance(normalize_embeddings=False)


def _arcface(classes: int, width: int) -> Any:
    """ArcFace with first proxies as long as those of proxy-anchor."""
    start = partial(nn.init.kaiming_normal_, mode="fan_in")
    loss = losses.ArcFaceLoss(classes, width, **ARCFACE, weight_init_func=start)
    loss.distance.register_forward_hook(_off_the_poles)
    return loss


def _off_the_poles(distance: nn.Module, given: Any, cosines: Tensor) -> Tensor:
    """Keep the angle, an arc cosine, from an infinite gradient where an image is on its proxy."""
    return cosines.clamp(-LARGEST_COSINE, LARGEST_COSINE)


def retrieval(features: Tensor, classes: Tensor, count_classes: int) -> tuple[Tensor, Tensor]:
    """Recall@1 and MAP@R of each class, (class,), each image looked for among the others.

    R is the number of other images of the class; MAP@R adds up the precision at each hit within
    the R nearest and divides by R. Musgrave et al., "A metric learning reality check", ECCV 2020.
    Classes with fewer than two images are not-a-number.

    Both come from the library's calculator. Its neighbours are looked for by its own exact search,
    because the one it takes by default needs faiss.
    """
    found = torch.full((2, count_classes), torch.nan, dtype=torch.double)
    paired = (torch.bincount(classes, minlength=count_classes) > 1).cpu().nonzero().squeeze(1)
    if len(paired):
        scores = AccuracyCalculator(
            include=SCORES,
            return_per_class=True,
            device=features.device,
            knn_func=CustomKNN(CosineSimilarity()),
        ).get_accuracy(features, classes)
        found[:, paired] = torch.tensor([scores[name] for name in SCORES], dtype=torch.double)
    return found[0], found[1]
