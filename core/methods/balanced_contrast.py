"""What `loss=bcl` adds to a classifier: comparisons in which every class weighs the same.

Zhu et al., "Balanced contrastive learning for long-tailed visual recognition", CVPR 2022. The
centre of a class is a projection of its row in the classifier, as in the authors' code. They use a
view for the classifier and two more for the comparisons; here the classifier sees the first of two.
"""

from typing import Any

from torch import Tensor, nn

from ..losses.long_tail import balanced_contrast
from ..nets.projection import Projection

WIDTH = 128
TEMPERATURE = 0.07


class BalancedContrast(nn.Module):
    """The projections of images and of the classifier's rows."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.images = Projection(features, WIDTH)
        self.centres = Projection(features, WIDTH)

    def forward(self, views: Tensor, target: Tensor, head: Any) -> Tensor:
        """Compare pooled features of both views of a batch, giving a loss for each image.

        Parameters
        ----------
        views
            (2 x batch, features), the first views before the second.
        target
            (batch,).
        head
            The linear classifier.
        """
        compared = self.images(views)
        losses = balanced_contrast(
            compared, target.repeat(2), self.centres(head.weight), TEMPERATURE
        )
        first, second = losses.chunk(2)
        return (first + second) / 2
