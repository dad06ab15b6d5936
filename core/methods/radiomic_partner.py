"""The second encoder, of regions, and the projections by which images and regions are compared."""

import torch
from torch import Tensor, nn

from ..nets.projection import Projection


class RadiomicPartner(nn.Module):
    """Encoder of regions f_r, and both projections g_i and g_r.

    Parameters
    ----------
    features
        Radiomic features of a region.
    image_width
        Length of the image encoder's features.
    hidden
        Length of the region encoder's features.
    width
        Length in which both are compared.
    """

    def __init__(self, features: int, image_width: int, hidden: int, width: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(
            nn.Linear(features, hidden), nn.GELU(), nn.Linear(hidden, hidden)
        )
        self.image_projection = Projection(image_width, width)
        self.region_projection = Projection(hidden, width)

    def of_images(self, features: Tensor) -> Tensor:
        """Project features of images (image, image_width) to z_i, (image, width)."""
        projected: Tensor = self.image_projection(features)
        return projected

    def of_regions(self, features: Tensor) -> Tensor:
        """Encode scaled features of regions (region, feature), and project to z_r."""
        with torch.autocast(features.device.type, enabled=False):
            projected: Tensor = self.region_projection(self.encoder(features.float()))
        return projected


def last_block(body: nn.Module) -> list[nn.Parameter]:
    """Give the weights of an encoder's last convolution and of what follows it.

    Parameters
    ----------
    body
        With its parts in the order in which they are passed, as all of Longtail's encoders.
    """
    weights = [each for each in body.parameters() if each.requires_grad]
    convolutions = [at for at, each in enumerate(weights) if each.ndim >= 4]
    return weights[convolutions[-1] if convolutions else 0 :]
