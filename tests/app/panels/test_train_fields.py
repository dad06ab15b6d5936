"""What the form reads of a settings model."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field, field_validator, model_validator

from longtail.app.panels.train_fields import Kind, fields_of, parse, problems, written
from longtail.core.methods.catalogue import METHODS


class Odd(BaseModel, extra="forbid"):
    plain: int = 3
    share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    limited: Annotated[int, Field(gt=0)] | None = None
    switch: bool = True
    choice: Literal["one", "two-halves"] = Field(
        "one", title="Pick", description="First. Second.", json_schema_extra={"advanced": True}
    )
    size: tuple[int, ...] = (32, 32)
    words: str = "auto"

    @field_validator("words")
    @classmethod
    def _no_spaces(cls, words: str) -> str:
        if " " in words:
            raise ValueError("must be one word")
        return words

    @model_validator(mode="after")
    def _together(self) -> "Odd":
        if self.plain == 7 and not self.switch:
            raise ValueError("seven needs the switch")
        return self


FIELDS = {field.name: field for field in fields_of(Odd)}


def test_each_type_gets_its_control():
    kinds = {name: field.kind for name, field in FIELDS.items()}
    assert kinds == {
        "plain": Kind.WHOLE,
        "share": Kind.NUMBER,
        "limited": Kind.WHOLE,
        "switch": Kind.SWITCH,
        "choice": Kind.CHOICE,
        "size": Kind.SEVERAL,
        "words": Kind.TEXT,
    }


def test_titles_explanations_limits_and_rank_come_from_the_model():
    choice = FIELDS["choice"]
    assert (choice.title, choice.choices, choice.advanced) == ("Pick", ("one", "two-halves"), True)
    assert choice.first_sentence == "First."
    assert (FIELDS["share"].low, FIELDS["share"].high) == (0.0, 1.0)
    assert FIELDS["limited"].optional
    assert FIELDS["limited"].low == 0.0
    assert FIELDS["plain"].title == "Plain"
    assert "Allowed: 0 to 1." in FIELDS["share"].tooltip


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("plain", "12", 12),
        ("share", "0,25", 0.25),
        ("share", "3e-4", 3e-4),
        ("limited", "  ", None),
        ("size", "64, 48", (64, 48)),
        ("plain", "many", "many"),
        ("words", " 12 ", "12"),
    ],
)
def test_what_is_typed_is_read(name, text, value):
    assert parse(FIELDS[name], text) == value


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (True, "on"), (3e-4, "0.0003"), ((1, 2), "1, 2"), (96, "96")]
)
def test_values_are_written_as_they_are_typed(value, text):
    assert written(value) == text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("share", 7, "Must be at most 1."),
        ("share", -1, "Must be at least 0."),
        ("limited", 0, "Must be more than 0."),
        ("plain", "many", "Must be a whole number."),
        ("plain", 1.5, "Must be a whole number."),
        ("share", "lots", "Must be a number."),
        ("choice", "three", "Must be one of 'one' or 'two-halves'."),
        ("words", "two words", "must be one word."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(name, value, words):
    assert problems(Odd, {name: value}) == {name: words}


def test_what_concerns_several_fields_has_no_field():
    assert problems(Odd, {"plain": 7, "switch": False}) == {"": "seven needs the switch."}


def test_nothing_is_wrong_with_the_defaults():
    assert problems(Odd, {}) == {}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_setting_of_every_method_has_a_title_an_explanation_and_a_control(method):
    for field in fields_of(method.settings):
        assert field.title, field.name
        assert field.explanation, field.name
        told = parse(field, written(field.default))
        assert written(told) == written(field.default) or field.kind is Kind.SWITCH
