"""The form that is made from a settings model."""

from typing import Literal

import pytest
from pydantic import BaseModel, Field
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent
from qtpy.QtWidgets import QApplication, QComboBox, QLineEdit
from superqt import QToggleSwitch

from longtail.app.settings_form import Fold, SettingsForm
from longtail.core.methods.catalogue import METHODS


class Settings(BaseModel):
    width: int = Field(16, ge=4, le=128, title="Width", description="Feature maps. More is slower.")
    rate: float = Field(2e-3, gt=0.0, le=1.0, title="Rate", description="How far one step goes.")
    loss: Literal["ce", "class-balanced"] = Field("ce", title="Loss", description="What counts.")
    mirror: bool = Field(True, title="Mirror", description="Looks at mirrored images.")
    limit: int | None = Field(None, title="Limit", description="A limit.")
    beta: float = Field(
        0.9, ge=0.0, lt=1.0, title="Beta", description="B.", json_schema_extra={"advanced": True}
    )


class Grouped(BaseModel):
    queue: int = Field(1, title="Queue", json_schema_extra={"group": "Contrast", "advanced": True})
    plain: int = Field(2, title="Plain")
    rare: int = Field(3, title="Rare", json_schema_extra={"advanced": True})
    mixing: int = Field(4, title="Mixing", json_schema_extra={"group": "Mixing", "advanced": True})
    pull: int = Field(5, title="Pull", json_schema_extra={"group": "Contrast", "advanced": True})
    near: int = Field(6, title="Near", json_schema_extra={"group": "Mixing"})


class Other(BaseModel):
    depth: int = 2


@pytest.fixture
def form(qtbot):
    widget = SettingsForm()
    qtbot.addWidget(widget)
    widget.show_model(Settings, {})
    return widget


def test_every_field_has_a_row_with_its_words(form):
    assert form.names() == ("width", "rate", "loss", "mirror", "limit", "beta")
    row = form.row("width")
    assert row.control.accessibleName() == "Width"
    assert "More is slower." in row.control.toolTip()
    assert "4 to 128" in row.control.toolTip()


def test_controls_fit_their_types(form):
    kinds = {name: type(form.row(name).control) for name in form.names()}
    assert kinds["mirror"] is QToggleSwitch
    assert kinds["loss"] is QComboBox
    assert kinds["rate"] is kinds["width"] is QLineEdit


def test_only_what_differs_from_the_preset_is_told(form):
    assert form.values == {}
    form.show_preset({"width": 32})
    assert form.row("width").value == 32
    assert form.values == {}
    form.row("width").set_value(16)
    assert form.values == {"width": 16}


def test_what_is_typed_is_read(form, qtbot):
    line = form.row("rate").control
    line.clear()
    with qtbot.waitSignal(form.changed):
        qtbot.keyClicks(line, "0.01")
    assert form.values == {"rate": 0.01}
    assert form.is_valid


def test_a_mistake_is_told_at_its_field_and_goes_with_it(form):
    form.row("width").set_value(1000)
    assert form.row("width").problem == "Must be at most 128."
    assert not form.row("width")._problem.isHidden()
    assert not form.is_valid
    form.row("width").set_value(64)
    assert form.row("width").problem == ""
    assert form.is_valid


def test_a_mistake_among_the_experts_opens_their_fold(form):
    assert not form.more.is_open
    form.row("beta").set_value(3)
    assert form.more.is_open


def test_a_changed_setting_can_go_back_to_the_preset(form):
    row = form.row("rate")
    row.set_value(0.5)
    assert not row._back.isHidden()
    assert row._back.text() == "Back to 0.002"
    row._back.click()
    assert form.values == {}
    assert row._back.isHidden()


def test_an_empty_optional_field_is_automatic(form):
    row = form.row("limit")
    row.set_value(12)
    assert form.values == {"limit": 12}
    row.control.clear()
    assert form.values == {}
    assert row.control.placeholderText() == "automatic"


def test_choices_and_switches(form):
    form.row("loss").set_value("class-balanced")
    form.row("mirror").set_value(False)
    assert form.values == {"loss": "class-balanced", "mirror": False}
    assert form.row("loss").control.currentText() == "class balanced"


def test_another_model_replaces_the_rows(form):
    form.show_model(Other, {})
    assert form.names() == ("depth",)
    assert form.more.isHidden()


def order(layout):
    parts = [layout.itemAt(place).widget() for place in range(layout.count())]
    return [part.field.name if hasattr(part, "field") else part.label.text() for part in parts]


def test_fields_of_a_group_stand_together_under_its_name(form):
    form.show_model(Grouped, {})
    assert order(form._plain) == ["plain", "MIXING", "near"]
    assert order(form._rare) == ["rare", "CONTRAST", "queue", "pull", "MIXING", "mixing"]
    assert form.values == {}
    form.show_model(Other, {})
    assert order(form._plain) == ["depth"]
    assert order(form._rare) == []
    assert form._headings == []


def test_a_number_with_many_digits_is_that_of_the_preset(form):
    form.show_preset({"rate": 2 / 3})
    assert form.row("rate").control.text() == "0.666667"
    assert form.values == {}
    form.row("rate").set_value(0.6)
    assert form.values == {"rate": 0.6}


def test_problems_from_elsewhere_stand_at_their_field_or_on_top(form):
    form.show_problems({"loss": "Does not fit several labels.", "": "Two do not go together."})
    assert form.row("loss").problem == "Does not fit several labels."
    assert form._general.text() == "Two do not go together."
    form.show_problems({})
    assert form._general.isHidden()


def test_the_wheel_scrolls_the_page_and_not_the_choice(form, qtbot):
    box = form.row("loss").control
    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(5, 5),
        QPoint(0, -120),
        QPoint(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(box, event)
    assert event.type() == QEvent.Type.Wheel
    assert form.values == {}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_the_forms_of_all_methods_begin_valid_with_every_preset(qtbot, method):
    widget = SettingsForm()
    qtbot.addWidget(widget)
    for preset in method.presets.values():
        widget.show_model(method.settings, preset)
        assert widget.is_valid
        assert widget.values == {}
    widget.resize(286, 1200)
    assert not widget.grab().isNull()


def test_a_fold_opens_and_closes(qtbot):
    fold = Fold("More")
    qtbot.addWidget(fold)
    assert fold.body.isHidden()
    fold.open()
    assert not fold.body.isHidden()
    fold.close_up()
    assert fold.body.isHidden()
