"""The two contrasts of ACTION++ at sampled pixels: AnCo, and SAACL with its class centres."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from ..losses.contrast import (
    anatomical_contrast_indexed,
    class_contrast,
    class_means,
    draw_per_class,
    negative_choices,
)
from ..losses.simplex import allocate, moving_means, simplex_centres
from ..nets.averaging import Follower, average_share
from ..nets.heads import DenseHead, PointHead
from .feature_queue import FeatureQueue
from .settings_semi import ActionSettings

LEFT_OUT = -1


@dataclass(frozen=True, slots=True)
class Sampled:
    """Pixels drawn from a batch.

    Parameters
    ----------
    features
        (pixel, width), of the student.
    classes
        (pixel,), outputs of the network.
    image
        (pixel,), the row of the batch that each comes from.
    flat
        (pixel,), its position in the flattened batch and space.
    points
        (pixel, axis), its coordinates.
    """

    features: Tensor
    classes: Tensor
    image: Tensor
    flat: Tensor
    points: Tensor


class PixelContrast:
    """Head, teacher's head, queue, class means and centres.

    Parameters
    ----------
    outputs
        Classes with the background.
    map_widths
        Channels of the decoder's maps.
    """

    def __init__(
        self,
        settings: ActionSettings,
        map_widths: Sequence[int],
        outputs: int,
        spatial_dims: int,
        device: str,
        seed: int = 0,
    ) -> None:
        self._settings = settings
        self.outputs = outputs
        width = settings.width_contrast
        self.head: PointHead | DenseHead = (
            PointHead(map_widths, width)
            if settings.head == "points"
            else DenseHead(map_widths, width, spatial_dims=spatial_dims)
        ).to(device)
        self.teacher_head = copy.deepcopy(self.head).eval().requires_grad_(False)
        self._follower = Follower(self.teacher_head, self.head)
        self.queue = FeatureQueue(settings.queue, width, device)
        self.means = torch.zeros(outputs, width, device=device)
        self.centres = simplex_centres(outputs, width, seed).to(device)
        self.allocation = torch.arange(outputs, device=device)
        self._waiting: list[tuple[Tensor, Tensor]] = []

    @property
    def class_centres(self) -> Tensor:
        """The centre that each class has now, (class, width)."""
        return self.centres[self.allocation]

    def sample(
        self, maps: Sequence[Tensor], classes: Tensor, size: Sequence[int], generator: Generator
    ) -> Sampled:
        """Draw pixels of each class and describe them.

        Parameters
        ----------
        maps
            The student's, (batch, channel, *space) each, without the logits.
        classes
            (batch, *size) long: outputs, -1 for pixels that take no part.
        """
        most = max(self._settings.mean_pixels, self._settings.queries)
        flat = draw_per_class(classes.flatten(), self.outputs, most, generator)
        own = classes.flatten()[flat]
        voxels = classes[0].numel()
        image = flat // voxels
        points = torch.stack(torch.unravel_index(flat % voxels, tuple(size)), 1)
        return Sampled(self.head.at(maps, image, points, size), own, image, flat, points)

    def anatomy(
        self, pixels: Sampled, sure: Tensor, temperature: float, generator: Generator
    ) -> Tensor:
        """AnCo on what is not easy, a scalar.

        Parameters
        ----------
        sure
            (pixel,), the student's share of the pixel's own class.
        """
        settings = self._settings
        hard = torch.where(sure < settings.easy_above, pixels.classes, LEFT_OUT)
        chosen = draw_per_class(hard, self.outputs, settings.queries, generator)
        queries, classes = pixels.features[chosen], pixels.classes[chosen]
        pool = pixels.features.detach()
        means, _ = class_means(pool, pixels.classes, self.outputs)
        choices = negative_choices(
            means, classes, pixels.classes, settings.negatives, temperature, generator
        )
        return anatomical_contrast_indexed(queries, classes, means, pool, choices, temperature)

    def centred(
        self,
        pixels: Sampled,
        teacher_maps: Sequence[Tensor],
        source: Tensor,
        size: Sequence[int],
        temperature: float,
        generator: Generator,
    ) -> Tensor:
        """SAACL on labelled pixels, a scalar; moves the class means and allots the centres anew.

        Parameters
        ----------
        teacher_maps
            Of the patches before they were mixed.
        source
            (pixel,), the row of the teacher's maps that shows the same place; -1 for pixels that
            are not labelled.
        """
        settings = self._settings
        own = torch.where(source >= 0, pixels.classes, LEFT_OUT)
        chosen = draw_per_class(own, self.outputs, settings.queries, generator)
        features, classes = pixels.features[chosen], pixels.classes[chosen]
        with torch.no_grad():
            keys = self.teacher_head.at(teacher_maps, source[chosen], pixels.points[chosen], size)
        moved = moving_means(self.means, features.detach(), classes)
        self.means = torch.where(moved.isfinite(), moved, self.means)
        self.allocation = allocate(self.means, self.centres)
        near, centre = class_contrast(
            features,
            keys,
            classes,
            self.queue.features,
            self.queue.classes,
            self.class_centres,
            temperature,
            settings.divide_centre,
        )
        self._waiting.append((keys, classes))
        return near + settings.centre_weight * centre

    def forget(self) -> None:
        """Drop what a step that came to nothing has left: keys, and figures of the norms."""
        self._follower.take_back()
        self._waiting.clear()

    def after_step(self, step: int, kept: float) -> None:
        """Let the teacher's head follow and the keys of this step wait in the queue."""
        self._follower.follow(average_share(step, kept))
        for keys, classes in self._waiting:
            self.queue.put(keys, classes)
        self._waiting.clear()

    def state(self) -> dict[str, Any]:
        """Give what a resume needs."""
        return {
            "head": self.head.state_dict(),
            "teacher_head": self.teacher_head.state_dict(),
            "queue": self.queue.state(),
            "means": self.means,
            "allocation": self.allocation,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        self.head.load_state_dict(state["head"])
        self.teacher_head.load_state_dict(state["teacher_head"])
        self.queue.load_state(state["queue"])
        self.means = state["means"].to(self.means)
        self.allocation = state["allocation"].to(self.allocation)
        self._waiting.clear()
