"""What is compared: methods with their presets and settings, as a person names them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from ..errors import LongtailError
from ..methods.catalogue import METHODS, Method
from ..methods.settings import SEVERAL_LABEL_LOSSES, SINGLE_LABEL_LOSSES, read_settings
from ..project.records import Task
from .plan import Contender

LOSSES = dict.fromkeys((*SINGLE_LABEL_LOSSES, *SEVERAL_LABEL_LOSSES))
"""Each is also a short name of `cross-entropy` with that loss."""


def read_contenders(
    methods: Sequence[str | Contender],
    presets: Sequence[str],
    settings: Mapping[str, Any],
    task: Task,
) -> tuple[Contender, ...]:
    """Complete what is compared, and check each method, preset and setting.

    Parameters
    ----------
    methods
        Contenders, or texts as `read_contender` reads them.
    presets
        `NAME` for every method that has it, or `METHOD=NAME`.
    settings
        For every method that has them; those of a contender go before.

    Raises
    ------
    LongtailError
        One of them is not possible; the sentence says which.
    """
    read = [one if isinstance(one, Contender) else read_contender(one) for one in methods]
    if not read:
        raise LongtailError("No method was named.", "Add --methods with names and commas.")
    for one in read:
        _check_method(METHODS.get(one.method), task)
    known = {name for one in read for name in METHODS.get(one.method).settings.model_fields}
    unknown = sorted(set(settings) - known)
    if unknown:
        raise LongtailError(f"None of the methods has a setting {unknown[0]!r}.")
    chosen = _presets(presets, read)
    return tuple(_completed(one, chosen, settings) for one in read)


def read_contender(text: str) -> Contender:
    """Read `METHOD`, `METHOD:key=value:...` or the name of a loss; `preset` is a key too.

    Raises
    ------
    LongtailError
        The text has another form, or there is no such method.
    """
    name, *pairs = text.strip().split(":")
    settings: dict[str, Any] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise LongtailError(f"{text!r} is not of the form METHOD:key=value.")
        settings[key.strip()] = _scalar(value, text)
    method = name.strip()
    if method in LOSSES and method not in METHODS.names():
        settings = {"loss": method, **settings}
        method = "cross-entropy"
    METHODS.get(method)
    preset = settings.pop("preset", None)
    return Contender(
        name=text.strip(),
        method=method,
        preset=None if preset is None else str(preset),
        settings=settings,
    )


def _scalar(text: str, whole: str) -> Any:
    try:
        value = yaml.safe_load(text) if text else ""
    except yaml.YAMLError as error:
        raise LongtailError(f"The value {text!r} in {whole!r} cannot be read.") from error
    if isinstance(value, dict | list):
        raise LongtailError(f"A setting takes one value, not {text!r}.")
    return value


def _check_method(method: Method, task: Task) -> None:
    if task not in method.tasks:
        raise LongtailError(
            f"The method {method.name} does not do {task.value}.",
            f"Choose among: {', '.join(METHODS.names(task))}.",
        )


def _presets(wishes: Iterable[str], contenders: Sequence[Contender]) -> dict[str, str]:
    """Give the preset of each method for which one was wished."""
    methods = {one.method: METHODS.get(one.method) for one in contenders}
    chosen: dict[str, str] = {}
    for wish in wishes:
        method, named, preset = wish.rpartition("=")
        fitting = [
            name
            for name, one in methods.items()
            if preset in one.presets and (not named or name == method)
        ]
        if not fitting:
            known = {name for one in methods.values() for name in one.presets}
            raise LongtailError(
                f"There is no preset {wish!r} for these methods.",
                f"Presets are: {', '.join(sorted(known))}.",
            )
        chosen |= dict.fromkeys(fitting, preset)
    return chosen


def _completed(
    one: Contender, presets: Mapping[str, str], settings: Mapping[str, Any]
) -> Contender:
    method = METHODS.get(one.method)
    shared = {key: value for key, value in settings.items() if key in method.settings.model_fields}
    preset = one.preset or presets.get(one.method) or method.default_preset
    if preset not in method.presets:
        raise LongtailError(
            f"{method.name} has no preset {preset!r}.", f"It has: {', '.join(method.presets)}."
        )
    joint = {**shared, **one.settings}
    read_settings(method.settings, {**method.presets[preset], **joint})
    return one.model_copy(update={"preset": preset, "settings": joint})
