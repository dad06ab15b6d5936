"""Reads a method's settings model for the form: which control each field needs, and what is wrong.

Knows pydantic, but neither Qt nor torch.
"""

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo


class Kind(StrEnum):
    """Which control a field gets."""

    SWITCH = "switch"
    WHOLE = "whole"
    NUMBER = "number"
    CHOICE = "choice"
    TEXT = "text"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting as the form shows it.

    `optional` fields may be left empty, which is None; `several` are numbers parted by commas.
    Fields of one `group` stand together under its name.
    """

    name: str
    title: str
    explanation: str
    kind: Kind
    default: Any
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    optional: bool = False
    advanced: bool = False
    group: str = ""

    @property
    def first_sentence(self) -> str:
        """What fits under the control; the whole explanation is its tooltip."""
        head, stop, _ = self.explanation.partition(". ")
        return f"{head}{stop}".strip()

    @property
    def tooltip(self) -> str:
        """The whole explanation, the range and the name used by `--set`."""
        limits = _range(self.low, self.high)
        parts = (self.explanation, f"Allowed: {limits}." if limits else "", f"--set {self.name}=…")
        return "\n".join(part for part in parts if part)


def fields_of(model: type[BaseModel]) -> tuple[SettingField, ...]:
    """Describe every field of `model` in its order."""
    return tuple(_field(name, info) for name, info in model.model_fields.items())


def parse(field: SettingField, text: str) -> Any:
    """Turn what was typed into a value; what cannot be read stays text, for `problems` to judge."""
    text = text.strip()
    if not text and field.optional:
        return None
    if field.kind is Kind.SEVERAL:
        return tuple(_parse_number(part.strip()) for part in text.split(",") if part.strip())
    if field.kind in (Kind.WHOLE, Kind.NUMBER):
        return _parse_number(text)
    return text


def written(value: Any) -> str:
    """Write a value as the user would type it; None is empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(written(part) for part in value)
    return str(value)


def problems(model: type[BaseModel], values: Mapping[str, Any]) -> dict[str, str]:
    """Say in words what is wrong with each field; the key "" holds what concerns several."""
    try:
        model.model_validate(dict(values))
    except ValidationError as error:
        return {
            str(one["loc"][0]) if one["loc"] else "": _words(one)
            for one in error.errors(include_url=False)
        }
    return {}


def _field(name: str, info: FieldInfo) -> SettingField:
    annotation, limits, optional = _unwrapped(info)
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    return SettingField(
        name=name,
        title=info.title or name.replace("_", " ").capitalize(),
        explanation=" ".join((info.description or "").split()),
        kind=_kind(annotation),
        default=info.get_default(call_default_factory=True, validated_data={}),
        choices=get_args(annotation) if get_origin(annotation) is Literal else (),
        low=limits.get("low"),
        high=limits.get("high"),
        optional=optional,
        advanced=bool(extra.get("advanced", False)),
        group=str(extra.get("group") or ""),
    )


def _unwrapped(info: FieldInfo) -> tuple[Any, dict[str, float], bool]:
    """Strip `| None` and `Annotated`; give the bare type, its limits, and if None is allowed."""
    limits = dict(_limits(info.metadata))
    annotation, optional = info.annotation, False
    if get_origin(annotation) in (Union, types.UnionType):
        parts = [part for part in get_args(annotation) if part is not type(None)]
        optional = len(parts) < len(get_args(annotation))
        # `Literal[...] | str` is text with suggestions; a lone part is the type itself.
        annotation = parts[0] if len(parts) == 1 else str
    if get_origin(annotation) is Annotated:
        annotation, *marks = get_args(annotation)
        limits |= dict(_limits(marks))
    return annotation, limits, optional


def _limits(metadata: Any) -> Iterator[tuple[str, float]]:
    for mark in metadata:
        if isinstance(mark, FieldInfo):
            yield from _limits(mark.metadata)
        elif isinstance(mark, annotated_types.Ge):
            yield "low", float(mark.ge)  # type: ignore[arg-type]
        elif isinstance(mark, annotated_types.Gt):
            yield "low", float(mark.gt)  # type: ignore[arg-type]
        elif isinstance(mark, annotated_types.Le):
            yield "high", float(mark.le)  # type: ignore[arg-type]
        elif isinstance(mark, annotated_types.Lt):
            yield "high", float(mark.lt)  # type: ignore[arg-type]


def _kind(annotation: Any) -> Kind:
    if get_origin(annotation) is Literal:
        return Kind.CHOICE
    if get_origin(annotation) in (tuple, list):
        return Kind.SEVERAL
    plain = {bool: Kind.SWITCH, int: Kind.WHOLE, float: Kind.NUMBER}
    return plain.get(annotation, Kind.TEXT)


def _parse_number(text: str) -> int | float | str:
    # A comma is how half the world writes a decimal point.
    for convert in (int, float):
        try:
            return convert(text.replace(",", "."))
        except ValueError:
            continue
    return text


def _words(error: Any) -> str:
    context = error.get("ctx") or {}
    match error["type"]:
        case "greater_than_equal":
            return f"Must be at least {written(context['ge'])}."
        case "greater_than":
            return f"Must be more than {written(context['gt'])}."
        case "less_than_equal":
            return f"Must be at most {written(context['le'])}."
        case "less_than":
            return f"Must be less than {written(context['lt'])}."
        case "int_parsing" | "int_type" | "int_from_float":
            return "Must be a whole number."
        case "float_parsing" | "float_type":
            return "Must be a number."
        case "finite_number":
            return "Must be a finite number."
        case "literal_error":
            return f"Must be one of {context['expected']}."
        case "missing":
            return "Must be given."
    text = str(error["msg"]).removeprefix("Value error, ")
    return text if text.endswith(".") else f"{text}."


def _range(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{written(low)} to {written(high)}"
    if low is not None:
        return f"{written(low)} or more"
    return f"{written(high)} or less" if high is not None else ""
