"""A short-axis heart scan out of formulas: blood, muscle, scar, and what lies around them."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from .geometry import Geometry

SPACING_MM = (8.0, 1.6, 1.6)
LEFT_VENTRICLE, MYOCARDIUM, RIGHT_VENTRICLE, SCAR = 1, 2, 3, 4
CLASS_NAMES = ("left ventricle", "myocardium", "right ventricle", "scar")
FINER = 2
"""Samples a voxel and axis that are averaged, as a scanner averages over a voxel."""

LUNG, BLOOD, MUSCLE, FAT, LIVER, BONE, WALL, ENHANCED = range(8)
BRIGHTNESS = np.array([0.07, 0.86, 0.33, 0.78, 0.47, 0.38, 0.30, 0.68], dtype=np.float32)

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class HeartScan:
    """Image, int16 (z, y, x), with its label map, uint8, on one grid."""

    image: Array
    labels: Array
    geometry: Geometry


@dataclass(frozen=True, slots=True)
class _Scar:
    """Where the muscle died: angle and half width in radians, level and half height along z.

    `depth` is the share of the wall that it takes.
    """

    angle: float
    half_width: float
    level: float
    half_height: float
    depth: float


@dataclass(frozen=True, slots=True)
class _Heart:
    """Sizes in mm and angles in radians of one patient; z runs from base (0) to apex (1)."""

    centre: tuple[float, float]
    lean: tuple[float, float]
    cavity_mm: float
    wall_mm: float
    apex: float
    right_mm: float
    right_angle: float
    ripple: Array
    papillary: tuple[float, float]
    fat_mm: float
    fat_turn: float
    scar: _Scar | None


class _Places(NamedTuple):
    """Depth 0 to 1, y mm and x mm of samples."""

    z: Array
    y: Array
    x: Array


class _Around(NamedTuple):
    """Samples seen from the axis of the left ventricle; `inner` and `outer` bound its wall."""

    dy: Array
    dx: Array
    radius: Array
    angle: Array
    inner: Array
    outer: Array


def heart_scan(rng: np.random.Generator, *, scar: bool) -> HeartScan:
    """Make one scan.

    Parameters
    ----------
    rng
        All that varies between patients is drawn from it.
    scar
        Whether part of the muscle is scarred and enhances.
    """
    side = 4 * int(rng.integers(24, 29))
    shape = (int(rng.integers(10, 13)), side, side)
    heart = _draw_heart(rng, scar=scar)
    bend = rng.normal(0, 2.2, (2, 4, 6, 6))  # mm
    shift = rng.normal(0, 0.7, (shape[0], 2))  # mm
    labels, _ = _anatomy(heart, _places(shape, 1, bend, shift))
    _, tissue = _anatomy(heart, _places(shape, FINER, bend, shift))
    return HeartScan(_scan(rng, tissue, shape), labels, _place(rng))


def _draw_heart(rng: np.random.Generator, *, scar: bool) -> _Heart:
    thick = rng.uniform(12, 15) if rng.random() < 0.2 else rng.uniform(7.5, 10.5)
    return _Heart(
        centre=(float(rng.normal(0, 4)), float(rng.normal(8, 4))),
        lean=(float(rng.normal(-4, 3)), float(rng.normal(9, 3))),
        cavity_mm=float(rng.uniform(20, 28)),
        wall_mm=float(thick),
        apex=float(rng.uniform(0.93, 1.02)),
        right_mm=float(rng.uniform(30, 38)),
        right_angle=float(rng.normal(np.pi - 0.25, 0.12)),
        ripple=rng.normal(0, [0.035, 0.025, 0.015], (2, 3)),
        papillary=(float(rng.normal(0.9, 0.2)), float(rng.normal(-1.0, 0.2))),
        fat_mm=float(rng.uniform(2, 9)),
        fat_turn=float(rng.uniform(0, 2 * np.pi)),
        scar=_draw_scar(rng) if scar else None,
    )


def _draw_scar(rng: np.random.Generator) -> _Scar:
    return _Scar(
        angle=float(rng.uniform(-np.pi, np.pi)),
        half_width=float(rng.uniform(0.38, 0.6)),
        level=float(rng.uniform(0.3, 0.65)),
        half_height=float(rng.uniform(0.16, 0.24)),
        depth=float(rng.uniform(0.6, 0.85)),
    )


def _stretched(coarse: Array, shape: tuple[int, ...]) -> Array:
    """Blow a coarse random field up to `shape`, smoothly; axis by axis, which is much faster."""
    field = coarse.astype(np.float32)
    for axis, length in enumerate(shape):
        field = np.moveaxis(
            np.tensordot(_weights(field.shape[axis], length), field, (1, axis)), 0, axis
        )
    return field


def _weights(size: int, length: int) -> Array:
    """Give the cubic interpolation from `size` to `length` samples as a matrix."""
    wide = ndimage.zoom(
        np.eye(size, dtype=np.float32), (length / size, 1), order=3, grid_mode=True, mode="nearest"
    )
    return np.asarray(wide)


def _places(shape: tuple[int, int, int], finer: int, bend: Array, shift: Array) -> _Places:
    """Lay out all samples, bent as this patient is and shifted as each breath hold was."""
    slices, side, _ = shape
    depth = np.clip((np.arange(slices * finer) + 0.5) / finer - 0.5, 0, None)
    across = ((np.arange(side * finer) + 0.5) / finer - side / 2) * SPACING_MM[1]
    z, y, x = np.meshgrid(depth / (slices - 1), across, across, indexing="ij")
    fine = (slices * finer, side * finer, side * finer)
    moved = np.repeat(shift, finer, axis=0)[:, :, None, None]
    y = y + _stretched(bend[0], fine) + moved[:, 0]
    x = x + _stretched(bend[1], fine) + moved[:, 1]
    return _Places(*(part.astype(np.float32) for part in (z, y, x)))


def _around(heart: _Heart, at: _Places) -> _Around:
    """Measure from the long axis of the left ventricle, which leans."""
    dy = at.y - heart.centre[0] - heart.lean[0] * (at.z - 0.5)
    dx = at.x - heart.centre[1] - heart.lean[1] * (at.z - 0.5)
    angle = np.arctan2(dy, dx)
    waves: list[Array] = [
        cosine * np.cos(count * angle) + sine * np.sin(count * angle)
        for count, (cosine, sine) in enumerate(heart.ripple.T, start=2)
    ]
    outline = 1 + np.sum(waves, axis=0)
    narrowing = np.sqrt(np.clip(1 - (at.z / heart.apex) ** 2.4, 0, None))
    inner = heart.cavity_mm * narrowing * outline
    outer = (heart.cavity_mm * narrowing**0.75 + heart.wall_mm * (1 - 0.25 * at.z)) * outline
    outer = np.where(at.z <= heart.apex + 0.04, outer, 0)
    return _Around(dy, dx, np.hypot(dy, dx), angle, inner, outer)


def _anatomy(heart: _Heart, at: _Places) -> tuple[Array, Array]:
    """Give the class and the tissue at each place."""
    tissue = _surroundings(at)
    labels = np.zeros(tissue.shape, dtype=np.uint8)
    around = _around(heart, at)
    _put_right_ventricle(heart, labels, tissue, at, around)
    left = around.radius < around.inner
    wall = ~left & (around.radius < around.outer)
    labels[left], tissue[left] = LEFT_VENTRICLE, BLOOD
    labels[wall], tissue[wall] = MYOCARDIUM, MUSCLE
    tissue[left & _papillary_at(heart, at, around)] = MUSCLE  # by convention part of the cavity
    if heart.scar is not None:
        scarred = wall & _scar_at(heart.scar, at, around)
        labels[scarred], tissue[scarred] = SCAR, ENHANCED
    return labels, tissue


def _put_right_ventricle(
    heart: _Heart, labels: Array, tissue: Array, at: _Places, around: _Around
) -> None:
    """Wrap a crescent of blood with a thin wall around the septum, and fat around both."""
    size = heart.right_mm * np.sqrt(np.clip(1 - (at.z / 0.92) ** 2.2, 0, None))
    reach = 0.62 * heart.cavity_mm + 0.55 * heart.wall_mm + 6
    cosine, sine = np.cos(heart.right_angle), np.sin(heart.right_angle)
    along = around.dx * cosine + around.dy * sine - reach
    over = around.dy * cosine - around.dx * sine
    away = np.hypot(along / 0.82, over / 1.12)
    thin = 3 * np.clip(size / 14, 0, 1)
    padding = heart.fat_mm * np.clip(0.4 + np.sin(3 * around.angle + heart.fat_turn), 0.05, None)
    tissue[(away < size + thin + padding) & (size > 6)] = FAT
    tissue[(around.radius < around.outer + 0.7 * padding) & (around.outer > 0)] = FAT
    tissue[(away < size + thin) & (size > 0)] = MUSCLE
    inside = (away < size) & (around.radius > around.outer + 0.5)
    labels[inside], tissue[inside] = RIGHT_VENTRICLE, BLOOD


def _papillary_at(heart: _Heart, at: _Places, around: _Around) -> Array:
    """Tell where one of the two muscles stands in the blood."""
    reach = 0.66 * around.inner
    near = [
        np.hypot(around.dy - reach * np.sin(angle), around.dx - reach * np.cos(angle)) < 3.6
        for angle in heart.papillary
    ]
    standing: Array = (near[0] | near[1]) & (at.z > 0.25) & (at.z < 0.75)
    return standing


def _scar_at(scar: _Scar, at: _Places, around: _Around) -> Array:
    """Tell where the muscle is scarred: from inside outwards, as the blood supply fails."""
    turn = np.angle(np.exp(1j * (around.angle - scar.angle)))
    taper = 1 - (turn / scar.half_width) ** 2 - ((at.z - scar.level) / scar.half_height) ** 2
    depth = (around.radius - around.inner) / np.maximum(around.outer - around.inner, 1e-3)
    reach = scar.depth * (0.5 + 0.5 * np.sqrt(np.clip(taper, 0, 1)))
    inside: Array = (taper > 0) & (depth < reach)
    return inside


def _surroundings(at: _Places) -> Array:
    """Lay lungs, chest wall, liver, stomach, spine and aorta around the heart."""
    z, y, x = at
    tissue = np.full(z.shape, LUNG, dtype=np.uint8)
    chest = np.hypot(x / 106, (y - 16) / 84)
    inside = chest < 0.90
    ribbed = np.sin(np.arctan2(y - 16, x) * 17 + 9 * z) > 0.35
    tissue[~inside] = WALL
    tissue[(chest > 0.915) & (chest < 0.965) & ribbed] = BONE
    tissue[chest > 0.98] = FAT
    tissue[inside & (np.hypot((x + 18) / 44, (y + 52) / 20) < 1)] = FAT  # behind the breastbone
    liver = np.hypot((x + 58) / 62, (y - 58 + 26 * (z - 0.6)) / 44) < 0.6 + 0.5 * z
    stomach = np.hypot((x - 52) / 34, (y - 66) / 30) < 0.25 + 0.75 * z
    tissue[inside & stomach] = WALL
    tissue[inside & liver] = LIVER
    tissue[np.hypot((x - 4) / 34, (y - 92) / 28) < 1] = WALL
    tissue[np.hypot((x - 4) / 21, (y - 92) / 20) < 1] = BONE
    tissue[np.hypot(x - 27, y - 64) < 11] = BLOOD  # the aorta on its way down
    return tissue


def _scan(rng: np.random.Generator, tissue: Array, shape: tuple[int, int, int]) -> Array:
    """Turn tissue into what a scanner records."""
    bright = BRIGHTNESS * rng.normal(1, 0.07, len(BRIGHTNESS)).astype(np.float32)
    fine = bright[tissue] * _mottle(rng, tissue.shape) + _vessels(rng, tissue)
    slices, side, _ = shape
    signal = fine.reshape(slices, FINER, side, FINER, side, FINER).mean(axis=(1, 3, 5))
    signal = ndimage.gaussian_filter(signal, (0.15, 0.55, 0.55))
    field = _stretched(rng.normal(0, 0.16, (3, 4, 4)), shape)  # coils see near things brighter
    signal = signal * np.exp(field) * rng.normal(1, 0.04, (slices, 1, 1))
    noise = rng.normal(0, rng.uniform(0.025, 0.05), (2, *shape))
    recorded = np.hypot(signal + noise[0], noise[1])  # a magnitude image has Rician noise
    stored: Array = np.rint(recorded * rng.uniform(500, 1100)).astype(np.int16)
    return stored


def _vessels(rng: np.random.Generator, tissue: Array) -> Array:
    """Scatter vessels over the lungs."""
    grain = ndimage.gaussian_filter(rng.standard_normal(tissue.shape, np.float32), (1, 2, 2))
    bright = np.maximum(grain / max(float(grain.std()), 1e-6) - 1.5, 0)
    vessels: Array = np.where(tissue == LUNG, 0.22 * bright, 0)
    return vessels


def _mottle(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Draw the fine unevenness of tissue, around 1."""
    rough = rng.standard_normal(shape, dtype=np.float32)
    smooth = ndimage.gaussian_filter(rough, (0.6, 2.5, 2.5))
    around_one: Array = 1 + 0.06 * smooth / max(float(smooth.std()), 1e-6)
    return around_one


def _place(rng: np.random.Generator) -> Geometry:
    """Give the oblique place of a short-axis stack in the patient."""
    turn = np.array([[0.62, -0.35, 0.70], [0.49, 0.87, 0.0], [-0.61, 0.34, 0.71]])
    wobble = rng.normal(0, 0.05, (3, 3))
    left, _, right = np.linalg.svd(turn + wobble)
    direction = left @ right
    return Geometry(
        SPACING_MM,
        tuple(float(v) for v in rng.normal((-40, -120, 30), 10)),
        tuple(float(v) for v in direction.ravel()),
    )
