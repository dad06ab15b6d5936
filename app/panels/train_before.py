"""The Train panel before a run: how, how long, on what, and what it will need."""

from collections.abc import Sequence

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from ...core.methods.catalogue import Method
from ..settings_form import Fold, SettingsForm
from ..widgets import Page, PrimaryButton, QuietLabel, TitleLabel
from ..widgets.calm import keep_wheel_calm
from .train_before_method import MethodChooser
from .train_before_parts import (
    Budget,
    Drawing,
    EarlierRun,
    NeedsSection,
    UseSection,
    ValidationChoice,
    in_row,
    labelled_row,
)
from .train_before_runs import PastRuns
from .train_model import LABELLED, VALIDATION, Blocked, Plan, Wish, about_class, uses_unlabelled
from .train_parts import SayCard

_WHERE = "It says why where it stands."
_BLOCKED_BUTTONS = {"Label": "Go to Label", "Cases": "Go to Cases"}


class BeforePage(Page):
    """Collects a wish and shows what it comes to."""

    wish_changed = Signal()
    train_asked = Signal()
    resume_asked = Signal(str)
    panel_asked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._panel = ""
        self.title = TitleLabel("Train", self)
        self.runs = PastRuns(self)
        self.earlier = EarlierRun(self)
        self.method, self.preset = MethodChooser(self), QComboBox(self)
        self.preset_sentence = QuietLabel("", self)
        self.budget = Budget(self)
        self.reading = QuietLabel("Looking at what is labelled", self)
        self.use = UseSection(self)
        self.validation = ValidationChoice(self)
        self.needs = NeedsSection(self)
        self.fold = Fold("Further settings", self)
        self.form = SettingsForm()
        self.drawing = Drawing()
        self.warning = SayCard(parent=self)
        self.blocked = SayCard(parent=self)
        self.train = PrimaryButton("Train", self)
        self._lay_out()
        self._connect()

    # --- what is shown ---

    def show_methods(self, methods: Sequence[Method]) -> None:
        """Offer `methods`; the choice stays where they are the same."""
        self.method.show_methods(methods)

    def show_plan(self, plan: Plan, explanation: str = "") -> None:
        """Show what the wish comes to; `explanation` says what its validation means."""
        blocked = plan.blocked or Blocked("")
        self.reading.hide()
        if plan.use or not blocked.field:
            # A setting that cannot work does not change what would be learned from.
            self.use.show_plan(plan, used=uses_unlabelled(self.chosen.name))
        self._show_warnings(plan)
        self._show_at_field(blocked)
        if plan.spec is not None:
            self.validation.show_choice(plan.spec.validation)
        self.validation.say(
            sentence_of(blocked) if blocked.field == VALIDATION else explanation,
            bad=blocked.field == VALIDATION,
        )
        self._show_blocked(blocked)

    def _show_at_field(self, blocked: Blocked) -> None:
        told = self.form.own_problems()
        if blocked.field in self.form.names():
            # The form's own words come first: they are about the value alone.
            told = {blocked.field: sentence_of(blocked)} | told
        self.form.show_problems(told)
        self.drawing.say(sentence_of(blocked) if blocked.field == LABELLED else "")
        if told or blocked.field == LABELLED:
            self.fold.open()
            wrong = next((name for name in self.form.names() if name in told), "")
            place = self.form.row(wrong) if wrong else self.drawing
            QTimer.singleShot(0, place, lambda: self.scroll.ensureWidgetVisible(place))

    def _show_blocked(self, blocked: Blocked) -> None:
        self._panel = "" if blocked.field else blocked.panel
        if blocked.field:
            self.blocked.say(f"{self._titled(blocked.field)} cannot be used as it is set.", _WHERE)
        else:
            self.blocked.say(blocked.reason, blocked.remedy)
        can_train = not blocked.reason
        self.train.setVisible(can_train or bool(self._panel))
        self.train.setText("Train" if can_train else _BLOCKED_BUTTONS.get(self._panel, ""))

    def _titled(self, field: str) -> str:
        if field in self.form.names():
            return self.form.row(field).field.title
        return {VALIDATION: "Validation", LABELLED: "Labelled to use"}.get(field, field)

    @property
    def wish(self) -> Wish:
        """What the user asks for."""
        minutes, steps = self.budget.value
        return Wish(
            method=self.chosen.name,
            preset=self.preset.currentData(),
            settings=self.form.values,
            minutes=minutes,
            iterations=steps,
            validation=self.validation.value,
            labelled=self.drawing.labelled,
            seed=self.drawing.seed,
        )

    @property
    def chosen(self) -> Method:
        """The method that is chosen."""
        return self.method.chosen

    # --- inside ---

    def _lay_out(self) -> None:
        head = in_row(self.title, None)
        head.addWidget(self.runs)
        self.head.addLayout(head)
        self.body.addWidget(self.earlier)
        for label, control, words in (
            ("Method", self.method.box, self.method),
            ("Preset", self.preset, self.preset_sentence),
            ("Budget", self.budget, None),
        ):
            self.body.addLayout(labelled_row(label, control))
            if words is not None:
                self.body.addWidget(words)
        for widget in (self.reading, self.use, self.validation, self.needs, self.fold):
            self.body.addWidget(widget)
        inside = QVBoxLayout(self.fold.body)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(12)
        inside.addWidget(self.drawing)
        inside.addWidget(self.form)
        self.foot.addWidget(self.warning)
        self.foot.addWidget(self.blocked)
        self.foot.addWidget(self.train)
        keep_wheel_calm(self.preset)
        self.preset.setSizeAdjustPolicy(
            QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
        )

    def _connect(self) -> None:
        self.method.chosen_changed.connect(self._choose_method)
        self.preset.currentIndexChanged.connect(self._choose_preset)
        for part in (self.budget, self.validation, self.drawing, self.form):
            part.changed.connect(self.wish_changed)
        self.train.clicked.connect(self._act)
        self.earlier.resume_asked.connect(self.resume_asked)

    def _choose_method(self) -> None:
        method = self.chosen
        self.preset.blockSignals(True)
        self.preset.clear()
        for name in method.presets:
            self.preset.addItem(name.replace("-", " ").capitalize(), name)
        self.preset.blockSignals(False)
        self._choose_preset()

    def _choose_preset(self, *_: object) -> None:
        method, name = self.chosen, self.preset.currentData()
        self.preset_sentence.setText(method.preset_sentences.get(name, ""))
        # The form says that it has changed, and so the wish has.
        self.form.show_model(method.settings, method.presets.get(name, {}))

    def _show_warnings(self, plan: Plan) -> None:
        rare = any(about_class(warning, plan.use) for warning in plan.warnings)
        self.warning.say("", "\n".join(plan.warnings), "tail" if rare else "")

    def _act(self) -> None:
        if self._panel:
            self.panel_asked.emit(self._panel)
        else:
            self.train_asked.emit()


def sentence_of(blocked: Blocked) -> str:
    """Say why and what to do in one go."""
    return f"{blocked.reason} {blocked.remedy}".strip()
