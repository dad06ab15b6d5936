"""The Train panel is led through all its states by a backend that does as it is told."""

import inspect

import pytest
from qtpy.QtCore import QObject, Signal

from longtail.app.panels import train_planning
from longtail.app.panels.train import TrainPanel
from longtail.app.panels.train_live import Curve, Headline, Live
from longtail.app.panels.train_model import Blocked, Plan, UseRow, make_plan, read_only
from longtail.app.panels.train_outcome import Ending
from longtail.app.session import Session
from longtail.core.backend.events import (
    Finished,
    Metric,
    Outcome,
    Paused,
    Progress,
    Resumed,
    Started,
    Told,
    Warned,
)
from longtail.core.jobs.training import TrainJob
from longtail.core.methods.spec import RunSpec, SpecClass
from longtail.core.project.records import ImageLabels, NewCase, Task
from longtail.core.project.store import Project

BEHIND = Warned(
    "rare is falling behind. Its recall has not risen for 90 steps.",
    "falling-behind",
    "rare",
    ("Sample it more often",),
)


class Handle:
    """Writes down what it is asked."""

    def __init__(self, job):
        self.job, self.asked, self.told = job, [], []

    def __iter__(self):
        return iter(())

    def __getattr__(self, name):
        if name in ("pause", "resume", "stop", "cancel"):
            return lambda: self.asked.append(name)
        raise AttributeError(name)

    def tell(self, change):
        self.told.append(change)


class Stage:
    """Backend and driver in one: events come when the test says so."""

    def __init__(self):
        self.handles, self.takes = [], []

    def submit(self, job):
        self.handles.append(Handle(job))
        return self.handles[-1]

    def warm_up(self): ...

    def close(self, leave_running=False): ...

    def device_label(self):
        return "CPU"

    def watch(self, tracked, take):
        self.takes.append((tracked, take))

    def tell(self, *events):
        tracked, take = self.takes[-1]
        for event in events:
            take(tracked, event)

    @property
    def handle(self):
        return self.handles[-1]


class Heard(QObject):
    """Turns a notice into a signal that a test can wait for."""

    told = Signal(str)

    def __init__(self, session):
        super().__init__()
        session.notice.connect(self.hear)

    def hear(self, notice):
        self.told.emit(notice.text)


def spec_of(project):
    names = [(each.id, each.name) for each in project.classes]
    classes = tuple(SpecClass(id=i, name=name, examples=8 - i) for i, name in names)
    return RunSpec(
        method="cross-entropy",
        task=project.task,
        classes=classes,
        minutes=6.0,
        train_labelled=tuple(case.id for case in project.cases(labelled=True)),
        train_unlabelled=tuple(case.id for case in project.cases(labelled=False)),
    )


def planned(project, wish, tiers, fields=()):
    spec = spec_of(project)
    use = tuple(UseRow(each.id, each.name, each.examples, "tail") for each in spec.classes)
    return Plan(spec, None, use, len(spec.train_labelled), len(spec.train_unlabelled))


@pytest.fixture
def folder(tmp_path):
    with Project.create(
        tmp_path / "cells.longtail", task=Task.CLASSIFICATION, classes=["common", "rare"]
    ) as made:
        cases = [
            NewCase(
                f"cell-{n}",
                ((tmp_path / f"cell-{n}.png").as_posix(),),
                (8, 8),
                1,
                None,
                labels=ImageLabels(frozenset({1 if n % 3 else 2})) if n < 9 else None,
            )
            for n in range(12)
        ]
        made.add_cases(cases)
    return tmp_path / "cells.longtail"


@pytest.fixture
def stage():
    return Stage()


@pytest.fixture
def session(stage):
    made = Session(stage, stage)
    yield made
    made.close_project()


@pytest.fixture
def panel(session, qtbot, monkeypatch):
    monkeypatch.setattr(train_planning, "make_plan", planned)
    widget = TrainPanel(session)
    qtbot.addWidget(widget)
    widget.resize(310, 700)
    widget.show()
    return widget


@pytest.fixture
def ready(panel, session, folder, qtbot):
    session.open_project(folder)
    qtbot.waitUntil(lambda: not panel.before.train.isHidden() and bool(panel.before.use.bars.bars))
    return panel


@pytest.fixture
def running(ready, stage, qtbot):
    ready.before.train.click()
    qtbot.waitUntil(lambda: bool(stage.handles))
    return ready


def page(panel):
    return panel.pages.currentWidget()


def shown(panel, qtbot):
    """Wait until what was told is on the page."""
    qtbot.waitUntil(lambda: not panel._live_timer.isActive())


def test_without_a_project_it_says_what_to_do(panel):
    assert page(panel) is panel.nothing


def test_before_a_run_it_tells_what_will_be_used(ready):
    before = ready.before
    assert page(ready) is before
    assert before.runs.text() == "no run yet"
    rows = [(bar.name, bar.solid) for bar in before.use.bars.bars]
    assert rows == [("common", 7), ("rare", 6), ("unlabelled", 3)]
    assert "9 labelled" in before.use.section.aside.text()
    assert before.train.text() == "Train"
    assert "6 minutes" in before.needs.text


def test_methods_are_those_of_the_task_with_a_sentence_on_when(ready):
    before = ready.before
    names = [before.method.box.itemData(i) for i in range(before.method.box.count())]
    assert "cross-entropy" in names
    assert "supervised" not in names
    assert before.method.sentence.text() == before.chosen.sentence
    assert before.method.when.text() == before.chosen.when


def test_the_wish_follows_the_controls(ready, qtbot):
    before = ready.before
    before.budget.amount.setValue(12)
    assert (before.wish.minutes, before.wish.iterations) == (12.0, None)
    before.budget.unit.chosen.emit("steps")
    before.budget.unit.set_value("steps")
    assert before.wish.minutes is None
    before.form.row("size").set_value(96)
    assert before.wish.settings == {"size": 96}
    assert before.wish.validation is None
    before.validation.choice.set_value("split")
    before.validation.choice.chosen.emit("split")
    assert before.wish.validation == "split"


@pytest.mark.parametrize(
    ("blocked", "button"),
    [
        (Blocked("No case is labelled.", "Label a few.", "Label"), "Go to Label"),
        (Blocked("There is no case.", "Import some.", "Cases"), "Go to Cases"),
    ],
)
def test_what_stands_in_the_way_is_said_in_place_of_a_dead_button(ready, qtbot, blocked, button):
    ready.before.show_plan(Plan(blocked=blocked))
    assert ready.before.blocked.title.text() == blocked.reason
    assert ready.before.train.text() == button
    with qtbot.waitSignal(ready.panel_asked) as asked:
        ready.before.train.click()
    assert asked.args == [blocked.panel]


def test_a_reason_without_a_place_to_go_has_no_button_at_all(ready):
    ready.before.show_plan(Plan(blocked=Blocked("The project is open elsewhere.", "Close it.")))
    assert ready.before.train.isHidden()
    assert not ready.before.blocked.isHidden()


def test_a_setting_that_cannot_work_says_why_where_it_stands(ready):
    blocked = Blocked("Loss (loss) cannot be 'bce' here.", "Take ce.", "Label", "loss")
    ready.before.show_plan(Plan(blocked=blocked))
    assert "cannot be 'bce'" in ready.before.form.row("loss").problem
    assert ready.before.fold.is_open
    assert ready.before.train.isHidden()


def test_train_makes_a_run_and_submits_it(running, stage, session):
    job = stage.handle.job
    assert isinstance(job, TrainJob)
    assert job.project == session.project.path.as_posix()
    run = session.project.run(job.run_id)
    assert run.state == "running"
    assert len(run.spec["train_labelled"]) == 9
    assert page(running) is running.during


def test_edits_in_hand_are_folded_first(ready, stage, qtbot):
    order = []
    ready._fold_edits = lambda: order.append("fold")
    submit = stage.submit
    stage.submit = lambda job: order.append("submit") or submit(job)
    ready.before.train.click()
    qtbot.waitUntil(lambda: "submit" in order)
    assert order == ["fold", "submit"]


def test_labels_saved_meanwhile_do_not_stop_the_start(ready, stage, session, qtbot):
    ready._fold_edits = session.refresh
    ready.before.train.click()
    ready._planner.plan()
    qtbot.waitUntil(lambda: len(stage.handles) == 1)
    qtbot.wait(50)
    assert len(stage.handles) == 1
    assert ready.before.train.isEnabled()


def test_a_plan_that_fails_says_so_and_leaves_the_button(ready, stage, session, monkeypatch, qtbot):
    def broken(*_args):
        raise OSError("the disk is gone")

    monkeypatch.setattr(train_planning, "make_plan", broken)
    heard = Heard(session)
    with qtbot.waitSignal(heard.told) as told:
        ready.before.train.click()
    assert "the disk is gone" in told.args[0]
    assert ready.before.train.isEnabled()
    assert stage.handles == []


def test_set_up_is_told_in_words(running, stage, qtbot):
    assert running.during.phase.text() == "Starting the compute process"
    stage.tell(Started("Train", "CPU"), Progress(4, 10, None, "reading 10 scans"))
    shown(running, qtbot)
    assert running.during.phase.text().startswith("Reading 10 scans")
    assert "CPU" in running.during.run_head.facts.text()


def test_a_run_at_work_shows_its_number_curves_and_time(running, stage, qtbot):
    stage.tell(
        Started("Train", "CPU"),
        Metric(10, "recall", 0.5, "common"),
        Metric(10, "recall", 0.3, "rare"),
        Metric(10, "recall", 0.4),
        Progress(10, 100, 90.0, "training"),
    )
    shown(running, qtbot)
    number = running.during.number
    assert number.number.text() == "0.40"
    assert number.right_first.text() == "1:30 left"
    assert number.right_second.text() == "10 of 100"
    assert running.during.progress.value() == 100
    assert not running.during.curves.isHidden()
    running.during.curves.plot.draw_now()
    assert set(running.during.curves.plot.names()) == {"common", "rare"}


def test_pause_resume_and_stop_reach_the_job(running, stage, qtbot):
    buttons = running.during.buttons
    assert not buttons.pause.isEnabled()
    stage.tell(Started("Train", "CPU"), Progress(1, 10, 9.0, "training"))
    shown(running, qtbot)
    buttons.pause.click()
    stage.tell(Paused())
    shown(running, qtbot)
    assert buttons.pause.text() == "Resume"
    assert running.during.phase.text().startswith("Paused")
    buttons.pause.click()
    stage.tell(Resumed())
    shown(running, qtbot)
    buttons.stop.click()
    assert stage.handle.asked == ["pause", "resume", "stop"]
    assert not buttons.stop.isEnabled()


def test_cancel_asks_before_anything_is_thrown_away(running, stage, qtbot):
    buttons = running.during.buttons
    stage.tell(Started("Train", "CPU"))
    shown(running, qtbot)
    buttons.cancel.click()
    assert not buttons.question.isHidden()
    assert stage.handle.asked == []
    buttons.go_on.click()
    assert buttons.question.isHidden()
    buttons.cancel.click()
    buttons.throw_away.click()
    assert stage.handle.asked == ["cancel"]


def test_a_warning_about_a_rare_class_has_its_remedy(running, stage, session, qtbot):
    from longtail.core.training import changes

    stage.tell(Started("Train", "CPU"), BEHIND, Warned("Out of memory. Halved.", "memory"))
    shown(running, qtbot)
    plain, tail = running.during.warning_cards
    assert tail.property("tone") == "tail"
    assert plain.property("tone") == ""
    assert plain.buttons == {}
    tail.buttons["Sample it more often"].click()
    rare = session.project.class_named("rare").id
    assert [(type(c), c.class_id) for c in stage.handle.told] == [(changes.SampleMore, rare)]
    assert not tail.buttons["Sample it more often"].isEnabled()
    stage.tell(Told("SampleMore", {"class_id": rare, "factor": 2.0}))
    assert tail.answer.text() == "Taken up by the run."
    assert "A class is shown more often from here on." in running.during.diary.sentences


def test_the_tail_guard_has_its_card_and_both_remedies(running, stage, session, qtbot):
    from longtail.core.training import changes

    lost = Warned(
        "rare is being lost. Its recall fell.",
        "tail-guard",
        "rare",
        ("Sample it more", "Weigh it more"),
        "recall",
    )
    told = [Metric(step, "recall", 1 / step, "rare") for step in (1, 2, 3)]
    stage.tell(Started("Train", "CPU"), *told, lost)
    shown(running, qtbot)
    assert running.during.warning_cards == ()
    (card,) = running.during.guard.cards
    assert "best 1.00 at step 1, now 0.33 at step 3" in card.curve.accessibleName()
    rare = session.project.class_named("rare").id
    card.buttons["Weigh it more"].click()
    assert stage.handle.told == [changes.WeighMore(rare, 3.0)]
    stage.tell(Progress(41, 90), Told("WeighMore", {"class_id": rare, "factor": 3.0}))
    assert card.answer.text() == "Mistakes on it count 3 times as much since step 41."
    assert "Mistakes on a class count more from here on." in running.during.diary.sentences
    card.buttons["Sample it more"].click()
    assert stage.handle.told[1:] == [changes.SampleMore(rare, 3.0)]


def test_the_same_warning_again_is_one_card(running, stage, qtbot):
    stage.tell(Started("Train", "CPU"), *[Warned("A step was skipped.", "unstable")] * 30)
    shown(running, qtbot)
    stage.tell(Warned("A step was skipped.", "unstable"))
    shown(running, qtbot)
    assert len(running.during.warning_cards) == 1


def test_show_curve_lets_the_class_stand_out(running, stage, qtbot):
    stage.tell(Started("Train", "CPU"), Metric(1, "recall", 0.1, "rare"), BEHIND)
    shown(running, qtbot)
    running.during.warning_cards[0].buttons["Show curve"].click()
    assert running.during.curves.plot.singled_out == "rare"


def test_changed_labels_are_told_to_the_run(running, stage, session):
    from longtail.core.training import changes

    session.labels_changed.emit(("cell-1", "not-in-the-run"))
    assert stage.handle.told == [changes.LabelsChanged(("cell-1",))]


def test_a_run_that_ended_well_leads_to_its_results(running, stage, session, qtbot):
    stage.tell(
        Started("Train", "CPU"),
        Metric(10, "recall", 0.4),
        Finished(Outcome.COMPLETED, {"iterations": 628, "seconds": 362.0}),
    )
    assert page(running) is running.after
    assert running.after.number.number.text() == "0.40"
    assert running.after.next.text() == "See results"
    with qtbot.waitSignal(running.panel_asked) as asked:
        running.after.next.click()
    assert asked.args == ["Results"]
    run_id = stage.handle.job.run_id
    assert session.run_id == run_id
    assert session.project.run(run_id).state == "completed"


def test_a_killed_compute_process_says_so_and_the_run_can_be_resumed(running, stage, session):
    run_id = stage.handle.job.run_id
    checkpoint = session.project.run_folder(run_id) / "checkpoints" / "last.pt"
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.write_bytes(b"weights")
    reason = "The compute process was ended by the system (signal 9)."
    stage.tell(Started("Train", "CPU"), Finished(Outcome.FAILED, None, reason, "Resume the run."))
    assert running.after.words.title.text() == reason
    assert running.after.words.property("tone") == "bad"
    assert running.after.next.text() == "Resume"
    running.after.next.click()
    assert stage.handle.job == TrainJob(session.project.path.as_posix(), run_id, resume=True)
    assert page(running) is running.during


def test_a_failure_without_a_checkpoint_starts_again(running, stage):
    stage.tell(Finished(Outcome.FAILED, None, "A scan cannot be read.", "Take it out."))
    assert running.after.next.text() == "Train again"
    running.after.next.click()
    assert page(running) is running.before


def test_a_cancelled_run_says_that_nothing_was_kept(running, stage, session):
    before = session.run_id
    stage.tell(Started("Train", "CPU"), Finished(Outcome.CANCELLED))
    assert running.after.words.title.text() == "Thrown away."
    assert running.after.number.isHidden()
    assert session.run_id == before


def test_an_earlier_run_can_go_on(panel, session, folder, stage, qtbot):
    with Project.open(folder) as project:
        run = project.new_run(spec_of(project).to_mapping())
        project.record_run(run.id, state="failed")
        checkpoint = project.run_folder(run.id) / "checkpoints" / "last.pt"
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        checkpoint.write_bytes(b"weights")
    session.open_project(folder)
    assert not panel.before.earlier.isHidden()
    assert "can go on" in panel.before.earlier.text.text()
    panel.before.resume_asked.emit(run.id)
    assert stage.handle.job.resume


def test_a_run_of_another_project_is_not_taken_for_ours(running, stage, session, tmp_path):
    with Project.create(tmp_path / "other.longtail", task=Task.CLASSIFICATION, classes=["a"]):
        pass
    session.open_project(tmp_path / "other.longtail")
    assert page(running) is running.before
    stage.tell(Metric(1, "recall", 0.5))
    assert page(running) is running.before


def test_a_read_only_project_says_who_holds_it(folder):
    with Project.open(folder), Project.open(folder, write=False) as reader:
        blocked = read_only(reader)
    assert "can only be looked at" in blocked.reason or "cannot be written" in blocked.reason
    assert blocked.panel == ""


def test_the_method_keeps_its_settings_while_the_project_changes(ready, session):
    ready.before.form.row("size").set_value(96)
    session.refresh()
    assert ready.before.wish.settings == {"size": 96}


@pytest.mark.parametrize("width", [262, 310])
def test_every_page_fits_a_narrow_panel(ready, width, qtbot):
    live_page, after = ready.during, ready.after
    ready.resize(width, 700)
    moment = Live(
        "Training",
        "1:02:11 left",
        "10,000 of 20,000",
        0.5,
        Headline(0.5, "balanced accuracy (train)", 0.6, 9000, "train_recall"),
        "Recall by class, training images",
        (Curve("a class with a long name", "#56b4e9", ((0, 0.1), (1, 0.2))),),
        20_000,
        (BEHIND,),
    )
    live_page.show_live(moment, "running", ())
    ended = Ending("Trained.", "Well.", headline=moment.headline, has_results=True, can_resume=True)
    after.show_ending(ended, moment)
    ready.before.fold.open()
    for one in (ready.before, live_page, after):
        ready.pages.setCurrentWidget(one)
        assert one.scroll.widget().minimumSizeHint().width() <= width, one
    assert live_page.buttons.pause.icon().isNull() == (width < 290)


def test_make_plan_is_what_the_panel_asks_for():
    # The stand-in above must take what the real one takes.
    assert list(inspect.signature(planned).parameters) == list(
        inspect.signature(make_plan).parameters
    )
