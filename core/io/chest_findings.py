"""Findings of a chest X-ray: each changes the shadow, and says where."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import ndimage

from .chest_phantom import LEFT, RIGHT, SIDE, Chest, Film, cast_shadow, draw_chest, heart_mask

INFILTRATION, EFFUSION, CARDIOMEGALY = "Infiltration", "Effusion", "Cardiomegaly"
NODULE, PNEUMOTHORAX, HERNIA = "Nodule", "Pneumothorax", "Hernia"
SHARES: Mapping[str, float] = {
    INFILTRATION: 0.45,
    EFFUSION: 0.25,
    CARDIOMEGALY: 0.14,
    NODULE: 0.08,
    PNEUMOTHORAX: 0.04,
    HERNIA: 0.02,
}
"""The part of the images that has each finding, from common to rare."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Box:
    """A finding in pixels of the image: left, top, width, height."""

    finding: str
    x: int
    y: int
    w: int
    h: int


def shadow_with(
    rng: np.random.Generator, chest: Chest, findings: Collection[str]
) -> tuple[Array, list[Box]]:
    """Cast the shadow of a patient with `findings`, and give a box for each place of one."""
    collapsed = _side(rng) if PNEUMOTHORAX in findings else 0
    size = rng.uniform(1.32, 1.6) if CARDIOMEGALY in findings else 1.0
    film = cast_shadow(chest, heart=size, vessels={RIGHT: 1.0, LEFT: 1.0})
    boxes: list[Box] = []
    if CARDIOMEGALY in findings:
        boxes.append(_box(CARDIOMEGALY, heart_mask(chest, size, film.u, film.v) > 0.5))
    if PNEUMOTHORAX in findings:
        boxes.append(_collapse(rng, chest, film, collapsed))
    if HERNIA in findings:
        boxes.append(_add_hernia(rng, chest, film))
    if NODULE in findings:
        boxes += [_add_nodule(rng, film) for _ in range(int(rng.integers(1, 3)))]
    if INFILTRATION in findings:
        boxes += [_add_infiltration(rng, film) for _ in range(int(rng.integers(1, 3)))]
    if EFFUSION in findings:
        boxes.append(_add_effusion(rng, chest, film))
    return film.shadow, boxes


def _side(rng: np.random.Generator) -> int:
    return RIGHT if rng.random() < 0.5 else LEFT


def _box(finding: str, region: Array) -> Box:
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if not len(rows):
        rows = columns = np.array([SIDE // 2])
    top, left = int(rows[0]), int(columns[0])
    return Box(finding, left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1)


def _place_in_lung(rng: np.random.Generator, film: Film, depth: float) -> tuple[float, float, int]:
    """Draw a place at least `depth` inside a lung: (u, v, side)."""
    side = _side(rng)
    places = np.argwhere(film.depth[side] * film.lungs[side] > depth)
    y, x = places[rng.integers(len(places))]
    return float(film.u[y, x]), float(film.v[y, x]), side


def _add_infiltration(rng: np.random.Generator, film: Film) -> Box:
    """Cloud a part of a lung: fuzzy, uneven, without an edge."""
    u, v, side = _place_in_lung(rng, film, 0.55)
    wide, high = rng.uniform(0.13, 0.24, 2)
    away = np.hypot((film.u - u) / wide, (film.v - v) / high)
    grain = ndimage.gaussian_filter(rng.standard_normal(away.shape, np.float32), 4)
    grain = grain / grain.std()
    cloud = np.exp(-(away**2)) * np.clip(0.75 + 0.45 * grain, 0, 1.6) * film.lungs[side]
    film.shadow[:] += rng.uniform(0.20, 0.38) * cloud
    return _box(INFILTRATION, (away < 1.1) & (film.lungs[side] > 0.5))


def _add_effusion(rng: np.random.Generator, chest: Chest, film: Film) -> Box:
    """Fill the angle between ribs and diaphragm with fluid, which climbs the wall."""
    side = _side(rng)
    away = side * film.u
    floor = chest.dome[0 if side == RIGHT else 1]
    level = floor + 0.10 - rng.uniform(0.08, 0.42)
    climb = np.clip(away - 0.30, 0, None) ** 1.6 * 0.9 - 0.12 * np.clip(0.34 - away, 0, None)
    fluid = (0.5 + 0.5 * np.tanh((film.v - level + climb) / 0.022)) * film.lungs[side]
    air = film.shadow < 0.85
    film.shadow[:] += fluid * np.where(air, 0.94 * (0.88 - film.shadow), 0)
    return _box(EFFUSION, fluid > 0.5)


def _add_nodule(rng: np.random.Generator, film: Film) -> Box:
    """Put a small round shadow with a clear edge into a lung."""
    u, v, _ = _place_in_lung(rng, film, 0.6)
    radius = rng.uniform(0.032, 0.062)
    away = np.hypot(film.u - u, (film.v - v) / rng.uniform(0.85, 1.15))
    ball = np.sqrt(np.clip(1 - (away / radius) ** 2, 0, 1))
    film.shadow[:] += rng.uniform(0.20, 0.32) * ndimage.gaussian_filter(ball, 0.6)
    return _box(NODULE, away < radius)


def _collapse(rng: np.random.Generator, chest: Chest, film: Film, side: int) -> Box:
    """Let a lung shrink from the wall: black without vessels, behind a fine white line."""
    gap = rng.uniform(0.07, 0.15)
    away, v = side * film.u, film.v
    top = chest.apex + 2.0 * gap + 2.6 * (away - 0.22) ** 2
    wall = chest.half_width * 0.97 - gap * (1.25 - 0.8 * (v - chest.apex)) - away
    inside = np.minimum(wall, v - top)
    free = (inside < 0) & (v < 0.30)
    blurred = ndimage.gaussian_filter(film.shadow, 5)
    dark = ndimage.gaussian_filter(free.astype(np.float32), 0.6) * film.lungs[side]
    film.shadow[:] += dark * (0.55 * (blurred - film.shadow) - 0.16)
    line = np.exp(-((inside / 0.009) ** 2)) * film.lungs[side] * (v < 0.32)
    film.shadow[:] += 0.17 * line
    film.shadow[:] += 0.05 * (inside > 0.01) * film.lungs[side]  # the rest of the lung is denser
    return _box(PNEUMOTHORAX, free & (film.lungs[side] > 0.5))


def _add_hernia(rng: np.random.Generator, chest: Chest, film: Film) -> Box:
    """Push part of the stomach up behind the heart: a round shadow with a level of air."""
    radius = rng.uniform(0.13, 0.19)
    u, v = rng.uniform(-0.02, 0.12), chest.dome[1] - radius * rng.uniform(0.75, 1.0)
    away = np.hypot(film.u - u, (film.v - v) * 1.1)
    ball = 0.5 + 0.5 * np.tanh((1 - away / radius) / 0.07)
    air = 0.5 + 0.5 * np.tanh((0.82 - away / radius) / 0.07)
    above = 0.5 + 0.5 * np.tanh((v - 0.01 - film.v) / 0.012)
    film.shadow[:] += 0.16 * ball - 0.42 * air * above
    return _box(HERNIA, away < radius)


def draw_patient(seed: int, patient: int) -> Chest:
    """Draw the build of a patient, the same for each image of theirs."""
    return draw_chest(np.random.default_rng([seed, 1, patient]))
