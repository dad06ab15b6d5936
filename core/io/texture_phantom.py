"""X-ray-like pictures that differ by the texture of one patch alone, at a random place.

The texture has no mean, and the same variance in every class: nothing but its pattern tells the
classes apart, and where it lies is known. For experiments on whether a method looks at it.
"""

from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from .chest_phantom import LEFT, RIGHT, SIDE, cast_shadow, develop, draw_chest

Array = np.ndarray[Any, np.dtype[Any]]

KINDS = ("fine", "coarse")
BLUR_PX = {"fine": (0.6, 1.2), "coarse": (1.6, 3.2)}
"""Blurs whose difference is the texture of a kind: it has no grey level of its own."""

STRENGTH = 18.0
"""Standard deviation of the texture in grey levels of 255."""

DARKEST, BRIGHTEST = 60.0, 195.0
"""Range of the picture around it, so that the texture is not cut off."""

EDGE_PX = 2


class TexturedFilm(NamedTuple):
    """A picture (y, x) uint8, and the box x, y, width, height of its patch in pixels."""

    picture: Array
    box: tuple[int, int, int, int]


def textured_film(
    rng: np.random.Generator, kind: str, *, side: int = 64, patch: int = 24
) -> TexturedFilm:
    """Draw a chest and lay a patch of one texture somewhere on it.

    Parameters
    ----------
    rng
        Draws everything.
    kind
        One of `KINDS`.
    side, patch
        Pixels along a side of the picture and of the patch.
    """
    ground = _chest(rng, side)
    x, y = (int(start) for start in rng.integers(2, side - patch - 1, 2))
    window = _window(patch)
    ground[y : y + patch, x : x + patch] += STRENGTH * window * _texture(rng, kind, window)
    picture: Array = np.rint(np.clip(ground, 0, 255)).astype(np.uint8)
    return TexturedFilm(picture, (x, y, patch, patch))


def _chest(rng: np.random.Generator, side: int) -> Array:
    """Draw a chest of `side` pixels, within the range that leaves room for a texture."""
    film = cast_shadow(draw_chest(rng), heart=1.0, vessels={RIGHT: 1.0, LEFT: 1.0})
    grey = develop(rng, film.shadow, portable=bool(rng.random() < 0.5)).astype(np.float64)
    small = ndimage.zoom(ndimage.gaussian_filter(grey, SIDE / side / 2), side / SIDE, order=1)
    low, high = small.min(), small.max()
    ranged: Array = DARKEST + (small - low) * ((BRIGHTEST - DARKEST) / max(high - low, 1e-6))
    return ranged


def _texture(rng: np.random.Generator, kind: str, window: Array) -> Array:
    """Draw noise between two blurs; under the window its mean is 0 and its mean square 1."""
    near, far = BLUR_PX[kind]
    noise = rng.standard_normal(window.shape)
    texture = ndimage.gaussian_filter(noise, near) - ndimage.gaussian_filter(noise, far)
    texture -= (texture * window).sum() / window.sum()
    scaled: Array = texture / np.sqrt((texture**2 * window**2).sum() / (window**2).sum())
    return scaled


def _window(patch: int) -> Array:
    """Give 1 inside, falling to 0 over the edge, so that no outline shows the patch."""
    inward = np.minimum(np.arange(patch), np.arange(patch)[::-1]) + 0.5
    fall = np.sin(np.pi / 2 * np.clip(inward / EDGE_PX, 0, 1)) ** 2
    window: Array = np.outer(fall, fall)
    return window
