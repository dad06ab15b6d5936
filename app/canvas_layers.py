"""Make napari layers of a picture: its images, its label map, a prediction; all in millimetres."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from napari.layers import Image, Labels
from napari.utils.colormaps import Colormap, DirectLabelColormap, ensure_colormap

from ..core.explain.stored import MapArray
from ..core.project.records import NOT_LABELLED, ClassRecord
from .canvas_edits import LabelArray
from .canvas_reading import Picture, Plate, ShareArray

LABELS, PREDICTION, IMAGE, UNCERTAINTY = "labels", "prediction", "image", "uncertainty"
HEAT = "heat map"
CLEAR = (0.0, 0.0, 0.0, 0.0)
# A veil over what nobody labelled yet, when it is asked for: seen, but the image is seen too.
VEIL = (0.55, 0.62, 0.70, 0.28)
CONTOUR_PX = 1
PREDICTION_OPACITY = 0.9
UNCERTAINTY_OPACITY = 0.5
# From black, which adds nothing, over purple to white: even in lightness, so also without colour.
UNCERTAINTY_COLOURS = "magma"
HEAT_OPACITY = 0.6
HEAT_COLOURS = "inferno"
# Shares of the map's maximum between which it becomes visible: the image stays grey elsewhere.
HEAT_FROM, HEAT_FULL = 0.1, 0.6


@cache
def get_ready() -> None:
    """Load what napari loads with the first layer (units, tables: a second); call in a worker."""
    tiny = np.zeros((2, 2), np.uint8)
    units = {"scale": (1.0, 1.0), "units": ("mm", "mm")}
    Image(tiny, **units)
    Labels(tiny, features=names(()), colormap=colours((), False), **units)


def image_layer(picture: Picture, number: int) -> Image:
    """Make the layer of one channel; only the first is visible at first."""
    plate = picture.plates[number]
    grey: dict[str, Any] = {"contrast_limits": plate.limits, "colormap": "gray"}
    layer = Image(
        plate.array,
        name=IMAGE if len(picture.plates) == 1 else f"channel {number + 1}",
        rgb=plate.colour,
        interpolation2d="linear",
        visible=number == 0,
        **({} if plate.colour else grey),
        **_place(picture),
    )
    if not plate.colour:
        layer.contrast_limits_range = plate.bounds
    return layer


def label_layer(picture: Picture, classes: Sequence[ClassRecord], veil: bool) -> Labels:
    """Make the layer that is drawn on; it holds `picture.mask.array` itself."""
    assert picture.mask is not None
    return Labels(
        picture.mask.array,
        name=LABELS,
        colormap=colours(classes, veil),
        features=names(classes),
        **_place(picture),
    )


def prediction_layer(picture: Picture, array: LabelArray, classes: Sequence[ClassRecord]) -> Labels:
    """Make the layer of what a run predicted: outlines that cannot be drawn on."""
    layer = Labels(
        array,
        name=PREDICTION,
        colormap=colours(classes, False),
        features=names(classes),
        **_place(picture),
    )
    layer.contour = CONTOUR_PX
    layer.editable = False
    return layer


def uncertainty_layer(picture: Picture, array: ShareArray) -> Image:
    """Make the layer of how unsure a run is: light where it is, and nothing where it is sure."""
    return Image(
        array,
        name=UNCERTAINTY,
        colormap=UNCERTAINTY_COLOURS,
        contrast_limits=(0.0, 1.0),
        blending="additive",
        opacity=UNCERTAINTY_OPACITY,
        interpolation2d="linear",
        visible=False,
        **_place(picture),
    )


def heat_layer(picture: Picture, values: MapArray, opacity: float) -> Image:
    """Make the layer of a heat map: clear where nothing speaks for the class."""
    return Image(
        values,
        name=HEAT,
        colormap=heat_colours(),
        contrast_limits=(0.0, 1.0),
        blending="translucent",
        opacity=opacity,
        interpolation2d="linear",
        **_place(picture),
    )


def refill_heat(layer: Image, picture: Picture, values: MapArray) -> None:
    """Show another map in a layer."""
    layer.data = values
    layer.scale = np.asarray(picture.spacing)
    layer.visible = True


def empty_heat(layer: Image) -> None:
    """Hide a layer; what it held must not widen the view of the next case."""
    layer.visible = False
    layer.data = np.zeros((1,) * layer.ndim, np.float16)


@cache
def heat_colours() -> Colormap:
    """Give the colours of heat maps: even in lightness, and clear at their lower end."""
    colours = np.array(ensure_colormap(HEAT_COLOURS).map(np.linspace(0, 1, 256)))
    rising = (np.linspace(0, 1, 256) - HEAT_FROM) / (HEAT_FULL - HEAT_FROM)
    colours[:, 3] = np.clip(rising, 0, 1)
    return Colormap(colours, name="heat")


def can_reuse(layer: Image, plate: Plate, picture: Picture) -> bool:
    """Tell whether a layer can take another case's channel without being made anew."""
    wanted = _place(picture)["units"]
    return (
        bool(layer.rgb) == plate.colour
        and layer.data.ndim == plate.array.ndim
        and tuple(_unit(unit) for unit in layer.units) == wanted
    )


def reuse(layer: Image, plate: Plate, picture: Picture) -> None:
    """Show another case's channel in a layer."""
    layer.data = plate.array
    layer.scale = np.asarray(picture.spacing)
    if not plate.colour:
        layer.contrast_limits_range = plate.bounds
        layer.contrast_limits = plate.limits


def colours(classes: Sequence[ClassRecord], veil: bool) -> DirectLabelColormap:
    """Give the classes' colours; `veil` covers what is not labelled."""
    known: dict[int | None, Any] = {record.id: record.colour for record in classes}
    rest = {None: CLEAR, 0: CLEAR, NOT_LABELLED: VEIL if veil else CLEAR}
    return DirectLabelColormap(color_dict=known | rest)


def names(classes: Sequence[ClassRecord]) -> dict[str, list[Any]]:
    """Name the values of a label map: napari's status bar tells the one under the cursor."""
    named = {0: "background", NOT_LABELLED: "not labelled yet"}
    named |= {record.id: record.name for record in classes}
    return {"index": list(named), "class": list(named.values())}


def _place(picture: Picture) -> dict[str, Any]:
    unit = "mm" if picture.in_mm else "pixel"
    return {"scale": picture.spacing, "units": (unit,) * len(picture.spacing)}


def _unit(unit: object) -> str:
    return {"millimeter": "mm"}.get(str(unit), str(unit))
