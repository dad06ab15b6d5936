"""A chest X-ray out of formulas: shadows of body, ribs, heart and vessels, added up."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

SIDE = 192
"""Pixels of the square film."""

VESSEL_PX = (1.5, 0.95, 0.6)
"""Blur of thick, middle and fine vessels."""

VESSEL_STEPS = 60
BRANCHES = ((0, 0.0, 0.0), (1, 0.35, 0.1), (1, -0.35, 0.1), (2, 0.0, 0.5))
"""Thickness, and mean and spread of the turn, of the vessels that leave the hilum together."""

RIGHT, LEFT = -1, 1
"""Sides of the patient: the right one is on the left of the film."""

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True, slots=True)
class Chest:
    """Build of one patient in units of half the film; v points down.

    `dome` is the height of the diaphragm on the right and left, `turn` in radians.
    """

    half_width: float
    apex: float
    dome: tuple[float, float]
    heart: float
    heart_tilt: float
    rib_gap: float
    rib_phase: float
    rib_strength: float
    turn: float
    shift: tuple[float, float]
    zoom: float
    curve: float
    breast: float
    bulk: float
    vessels_seed: int


class Film(NamedTuple):
    """Coordinates of all pixels and the shadow that has fallen on each, (y, x) float32.

    `lungs` are soft masks by side, `depth` says how far inside of the lung a pixel lies.
    """

    u: Array
    v: Array
    shadow: Array
    lungs: dict[int, Array]
    depth: dict[int, Array]


def draw_chest(rng: np.random.Generator) -> Chest:
    """Draw a patient."""
    dome = rng.normal(0.38, 0.07)
    return Chest(
        half_width=float(rng.normal(0.76, 0.045)),
        apex=float(rng.normal(-0.74, 0.04)),
        dome=(float(dome), float(dome + rng.normal(0.05, 0.02))),
        heart=float(rng.normal(1.0, 0.07)),
        heart_tilt=float(rng.normal(0.62, 0.12)),
        rib_gap=float(rng.normal(0.132, 0.008)),
        rib_phase=float(rng.uniform(0, 1)),
        rib_strength=float(rng.uniform(0.7, 1.25)),
        turn=float(rng.normal(0, 0.03)),
        shift=(float(rng.normal(0, 0.03)), float(rng.normal(0, 0.03))),
        zoom=float(rng.normal(1.0, 0.04)),
        curve=float(rng.normal(0, 0.03)),
        breast=float(rng.uniform(0.06, 0.16)) if rng.random() < 0.45 else 0.0,
        bulk=float(rng.uniform(0.75, 1.25)),
        vessels_seed=int(rng.integers(1 << 30)),
    )


def cast_shadow(chest: Chest, *, heart: float, vessels: dict[int, float]) -> Film:
    """Add up the shadows of a healthy chest.

    Parameters
    ----------
    chest
        The patient.
    heart
        Size of the heart, 1 for that of the patient.
    vessels
        Strength of the lung vessels by side.
    """
    u, v = _coordinates(chest)
    lungs, depth = {}, {}
    for side in (RIGHT, LEFT):
        inside = _inside_lung(chest, side, u, v)
        lungs[side] = _soft(inside, 0.014)
        depth[side] = np.sqrt(np.clip(inside / 0.22, 0, 1))
    solid = heart_mask(chest, heart, u, v)
    air = np.sum([lungs[side] * (0.30 + 0.70 * depth[side]) for side in lungs], axis=0)
    shadow = _body(chest, u, v) - 0.66 * air * (1 - 0.80 * solid)
    shadow += _middle(chest, u, v) + 0.06 * solid + _bones(chest, u, v)
    for side in (RIGHT, LEFT):
        shadow += vessels[side] * _vessels(chest, side) * lungs[side] * (1 - 0.6 * solid)
        if chest.breast:
            shadow += chest.breast * _breast(side, u, v)
    shadow -= 0.22 * _soft(1 - np.hypot((u - 0.33) / 0.13, (v - chest.dome[1] - 0.13) / 0.06), 0.12)
    return Film(u, v, shadow.astype(np.float32), lungs, depth)


def develop(rng: np.random.Generator, shadow: Array, *, portable: bool) -> Array:
    """Turn shadows into the grey picture of a detector, uint8.

    Parameters
    ----------
    rng
        Draws exposure, noise and collimation.
    shadow
        (y, x) float32.
    portable
        Taken at the bed: softer, flatter, noisier.
    """
    scatter = ndimage.gaussian_filter(shadow, 14)
    share = 0.28 if portable else 0.12
    seen = np.minimum(shadow, 0.9) + 0.25 * np.tanh(np.maximum(shadow - 0.9, 0) / 0.25)
    seen = (1 - share) * seen + share * scatter
    seen = ndimage.gaussian_filter(seen, 0.75 if portable else 0.45)
    grain = ndimage.gaussian_filter(rng.standard_normal(seen.shape, np.float32), 0.5)
    seen = seen + (0.028 if portable else 0.016) * grain
    low, high = np.percentile(seen, [rng.uniform(1, 4), rng.uniform(96, 99.5)])
    grey = np.clip((seen - low) / (high - low), 0, 1) ** rng.uniform(0.8, 1.25)
    framed = grey * _collimation(rng)
    picture: Array = np.rint(255 * _with_marker(rng, framed)).astype(np.uint8)
    return picture


def _coordinates(chest: Chest) -> tuple[Array, Array]:
    """Lay out the film, turned and shifted as the patient stands; a bent spine bends all."""
    line = (np.arange(SIDE, dtype=np.float32) + 0.5) / SIDE * 2 - 1
    y, x = np.meshgrid(line, line, indexing="ij")
    cosine, sine = np.cos(chest.turn), np.sin(chest.turn)
    u = (cosine * x + sine * y) / chest.zoom - chest.shift[0]
    v = (cosine * y - sine * x) / chest.zoom - chest.shift[1]
    return u + chest.curve * np.sin(2.2 * v), v


def _soft(inside: Array, width: float) -> Array:
    """Turn a signed distance into a mask with a soft edge."""
    mask: Array = 0.5 + 0.5 * np.tanh(inside / width)
    return mask


def _inside_lung(chest: Chest, side: int, u: Array, v: Array) -> Array:
    """Give the distance to the edge of a lung, positive inside."""
    away = side * u
    floor = chest.dome[0 if side == RIGHT else 1]
    height = (v - chest.apex) / (floor - chest.apex)  # 0 at the top, 1 at the dome
    width = (
        0.42
        + 0.58 * np.sin(np.pi / 2 * np.clip(height / 0.75, 0, 1)) ** 0.7
        + 0.05 * np.clip(height - 0.6, 0, 1)
    )
    outer = chest.half_width * width - away
    inner = away - 0.095 - 0.03 * np.clip(v + 0.1, 0, None)
    top = v - chest.apex - 3.6 * (away - 0.25) ** 2
    dome = floor + 0.8 * (away - 0.28) ** 2 + 0.7 * np.clip(away - 0.42, 0, None) ** 1.6 - v
    inside: Array = np.minimum(np.minimum(outer, inner), np.minimum(top, dome))
    return inside


def _body(chest: Chest, u: Array, v: Array) -> Array:
    """Soft tissue: neck, shoulders and trunk, thicker in the middle and below the diaphragm."""
    shoulders = _soft(v + 0.80, 0.085)
    slope = 0.16 * np.exp(-(((v + 0.5) / 0.3) ** 2))
    edge = 0.17 + shoulders * (chest.half_width + 0.10 * chest.bulk + slope)
    thick = np.sqrt(np.clip(1 - (u / edge) ** 2, 0, 1)) ** 0.5
    belly = 0.16 * _soft(v - chest.dome[0], 0.10)
    shadow: Array = thick * (0.82 + 0.10 * chest.bulk + belly)
    return shadow


def _middle(chest: Chest, u: Array, v: Array) -> Array:
    """Mediastinum with aorta and hila, spine, and the dark windpipe."""
    column = 0.10 * _soft(0.105 + 0.03 * np.clip(v, -1, 0.3) - np.abs(u), 0.035)
    knob = 0.22 * _soft(0.072 - np.hypot(u - 0.095, v + 0.27), 0.02)
    descent = 0.07 * _soft(0.05 - np.abs(u - 0.12), 0.02) * _soft(v + 0.22, 0.06)
    hila = np.zeros_like(u)
    for side in (RIGHT, LEFT):
        across, down = (u - side * 0.17) / 0.065, (v + 0.03 * side) / 0.13
        hila += 0.15 * np.exp(-(across**2) - down**2)
    bodies = 0.6 + 0.4 * np.tanh(3 * np.sin(2 * np.pi * (v / 0.105 + chest.rib_phase)) + 1.5)
    spine = 0.085 * _soft(0.066 - np.abs(u), 0.012) * bodies
    pipe = -0.13 * _soft(0.030 - np.abs(u + 0.012), 0.012) * _soft(-0.22 - v, 0.04)
    shadow: Array = column + knob + descent + hila + spine + pipe
    return shadow


def heart_mask(chest: Chest, size: float, u: Array, v: Array) -> Array:
    """Give the soft outline of the heart: left ventricle, and right atrium across the spine."""
    grown = chest.heart * size
    cosine, sine = np.cos(chest.heart_tilt), np.sin(chest.heart_tilt)
    du, dv = u - 0.125 * grown, v - chest.dome[0] + 0.20
    along, across = cosine * du + sine * dv, cosine * dv - sine * du
    left = _soft(1 - np.hypot(along / (0.33 * grown), across / (0.215 * grown)), 0.09)
    right = _soft(1 - np.hypot((u + 0.06 * grown) / (0.135 * grown), (dv - 0.01) / 0.24), 0.11)
    return np.maximum(left, right)


def _bones(chest: Chest, u: Array, v: Array) -> Array:
    """Ribs from behind and in front, collar bones, shoulder blades."""
    away = np.abs(u)
    beside = chest.half_width - away
    wall = _soft(beside + 0.06, 0.03) * _soft(away - 0.07, 0.02)
    seen = wall * _soft(0.62 - v, 0.25) * _soft(v - chest.apex + 0.06, 0.05)
    behind = (v - 0.95 * (away - 0.22) ** 2 + 0.10 * away) / chest.rib_gap + chest.rib_phase
    front = (v - 0.42 * beside + 0.3 * beside**2) / chest.rib_gap + chest.rib_phase + 0.4
    ribs = 0.105 * _bars(behind, 0.27) + 0.055 * _bars(front, 0.24) * _soft(away - 0.3, 0.1)
    collar = v - chest.apex - 0.10 + 0.26 * (away - 0.1) - 0.05 * np.sin(7 * away)
    bone = 0.13 * _soft(0.030 - np.abs(collar), 0.008) * _soft(away - 0.09, 0.02)
    blade = np.abs(np.hypot((away - 0.80) / 0.22, (v + 0.42) / 0.36) - 1)
    bones = chest.rib_strength * (ribs * seen + bone * _soft(0.72 - away, 0.04))
    shadow: Array = bones + 0.05 * np.exp(-((blade / 0.05) ** 2))
    return shadow


def _bars(phase: Array, half: float) -> Array:
    """Give bars that repeat with every whole number of `phase`, with the bright rim of bone."""
    off = np.abs(phase - np.rint(phase))
    bars: Array = 0.75 * _soft(half - off, 0.05) + 0.5 * np.exp(-(((off - half) / 0.055) ** 2))
    return bars


def _breast(side: int, u: Array, v: Array) -> Array:
    round_ = 1 - np.hypot((side * u - 0.40) / 0.34, (v - 0.22) / 0.34)
    return _soft(round_, 0.10)


def _vessels(chest: Chest, side: int) -> Array:
    """Let vessels branch out from the hilum, thinner with every step."""
    rng = np.random.default_rng([chest.vessels_seed, side + 1])
    drawn = np.zeros((len(VESSEL_PX), SIDE, SIDE), dtype=np.float32)
    for angle in np.linspace(-1.9, 1.6, 13) + rng.normal(0, 0.22, 13):
        for level, turn, spread in BRANCHES:
            twist = rng.normal(turn, spread) if spread else 0.0
            _draw_branch(rng, drawn[level], side, angle, (level, twist))
    blurred = [ndimage.gaussian_filter(drawn[k], px) * px for k, px in enumerate(VESSEL_PX)]
    vessels: Array = np.minimum(0.17 * np.sum(blurred, axis=0), 0.20)
    return vessels


def _draw_branch(
    rng: np.random.Generator, drawn: Array, side: int, angle: float, kind: tuple[int, float]
) -> None:
    """Walk from the hilum and leave a fading trace."""
    level, twist = kind
    steps = np.arange(VESSEL_STEPS)
    wander = rng.normal(0, 0.06, VESSEL_STEPS).cumsum()
    heading = angle + twist * np.clip((steps - 12 * level) / 20, 0, 1) + wander
    y = ((0.99 + 0.0095 * np.sin(heading).cumsum()) * SIDE / 2).astype(int)
    x = ((1 + side * (0.17 + 0.0095 * np.cos(heading).cumsum())) * SIDE / 2).astype(int)
    fading = np.clip(1 - steps / (62 - 8 * level), 0, 1)
    good = (y >= 0) & (y < SIDE) & (x >= 0) & (x < SIDE) & (steps >= 12 * level)
    np.add.at(drawn, (y[good], x[good]), fading[good])


def _collimation(rng: np.random.Generator) -> Array:
    """Black out what the beam did not reach, on one film in three."""
    frame = np.ones((SIDE, SIDE), dtype=np.float32)
    if rng.random() < 0.35:
        top, bottom, left, right = (int(v) for v in rng.integers(0, 9, 4))
        frame[:top], frame[SIDE - bottom :] = 0.02, 0.02
        frame[:, :left], frame[:, SIDE - right :] = 0.02, 0.02
    return frame


def _with_marker(rng: np.random.Generator, grey: Array) -> Array:
    """Lay the letter L of lead beside the left shoulder."""
    top, left = int(rng.integers(8, 26)), int(rng.integers(SIDE - 26, SIDE - 14))
    grey[top : top + 8, left : left + 2] = 0.97
    grey[top + 6 : top + 8, left : left + 6] = 0.97
    return grey
