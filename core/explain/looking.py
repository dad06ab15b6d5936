"""How the heat maps of a run are made; free of torch."""

from collections.abc import Mapping
from typing import Any, NamedTuple

DEFAULT_VARIANT = "grad-cam"


class Looking(NamedTuple):
    """One of `VARIANTS`, and the layer that is looked at; None is the usual one."""

    variant: str = DEFAULT_VARIANT
    layer: str | None = None


USUAL = Looking()


def looking_of(settings: Mapping[str, Any]) -> Looking:
    """Read from the settings of a run how its maps were made in training, if it made any.

    A method that learns from its own maps is measured by the same ones.
    """
    return Looking(str(settings.get("map") or DEFAULT_VARIANT), settings.get("map_layer") or None)
