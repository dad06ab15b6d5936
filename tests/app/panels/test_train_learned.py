"""The section with what a run learned, and what of it there is."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from longtail.app.panels.train_learned import MAP, PSEUDO, TEMPERATURE, WhatItLearned
from longtail.app.panels.train_live import ClassLook, Curve, Learned, live
from longtail.app.panels.train_record import in_order, read_record
from longtail.app.tracked import TrackedJob
from longtail.app.widgets import dress
from longtail.core.backend.event_log import EventLog
from longtail.core.backend.events import Artifact, Metric

MAPS = ("maps/step-0000100.npz", "maps/step-0000200.npz")
LOOKS = (ClassLook("organ", "#56b4e9"), ClassLook("lesion", "#e8795b", "tail"))
POINTS = ((1, 0.2), (2, 0.4))
WHOLE = Learned(MAPS, (Curve("organ", "#56b4e9", POINTS),), (Curve("temperature", "", POINTS),))


@pytest.fixture
def section(qtbot, tmp_path):
    widget = WhatItLearned("What it learned")
    qtbot.addWidget(widget)
    dress(widget)
    widget.resize(286, 400)
    widget.begin(tmp_path, LOOKS, "scan")
    yield widget
    widget.close_threads()


def test_a_supervised_run_has_no_such_section(section):
    section.show_learned(Learned(), 100)
    assert section.isHidden()
    assert section.chosen == ""


@pytest.mark.parametrize(
    ("learned", "offered"),
    [
        (Learned(maps=MAPS), (MAP,)),
        (Learned(pseudo=WHOLE.pseudo), (PSEUDO,)),
        (Learned(pseudo=WHOLE.pseudo, temperature=WHOLE.temperature), (PSEUDO, TEMPERATURE)),
        (WHOLE, (MAP, PSEUDO, TEMPERATURE)),
    ],
)
def test_only_what_there_is_can_be_chosen(section, learned, offered):
    section.show_learned(learned, 100)
    assert section.offered == offered
    assert section.chosen == offered[0]
    assert section.switch.isHidden() == (len(offered) == 1)
    shown = [not part.isHidden() for part in (section.map, section.pseudo, section.temperature)]
    assert shown == [which == offered[0] for which in (MAP, PSEUDO, TEMPERATURE)]


def test_the_switch_is_worked_by_keys_and_stays_when_more_comes(section, qtbot):
    section.show_learned(Learned(MAPS, WHOLE.pseudo), 100)
    section.show()
    buttons = section.switch.findChildren(type(section.switch._buttons[MAP]))
    assert [button.text() for button in buttons] == ["Map", "Pseudo-labels"]
    buttons[1].setFocus()
    qtbot.keyClick(buttons[1], Qt.Key.Key_Space)
    assert section.chosen == PSEUDO
    section.show_learned(WHOLE, 100)
    assert section.chosen == PSEUDO
    assert section.switch.value() == PSEUDO
    section.pseudo.card.plot.draw_now()
    assert section.pseudo.card.plot.names() == ("organ",)
    assert section.pseudo.words.text() == "Share of confident pseudo-labels"
    assert "unlabelled scans" in section.pseudo.toolTip()


def test_an_odd_temperature_gets_an_axis_of_its_own(section):
    section.show_learned(Learned(temperature=(Curve("temperature", "", ((1, 40.0),)),)), 0)
    section.temperature.card.plot.draw_now()
    assert section.temperature.card.plot.viewRange()[1][1] >= 40
    assert not section.grab().isNull()


def test_forty_classes_with_long_names(section):
    curves = tuple(Curve(f"class {i} " + "n" * 90, "#cc79a7", POINTS, "tail") for i in range(40))
    section.show_learned(Learned(pseudo=curves), 100)
    assert section.minimumSizeHint().width() <= 286
    assert not section.grab().isNull()


def test_what_a_job_tells_is_found():
    job = TrackedJob(None, iter(()), "Train")
    for event in (
        Artifact(MAPS[0], "map"),
        Artifact("checkpoints/last.pt", "checkpoint"),
        Metric(1, "pseudo_share", 0.25, "lesion"),
        Metric(1, "pseudo_share", 0.5, "organ"),
        Metric(1, "pseudo_share", np.nan, "unknown"),
        Metric(1, "temperature", 0.9),
        Metric(2, "temperature", float("nan")),
    ):
        job.take(event)
    learned = live(job, LOOKS).learned
    assert learned.maps == MAPS[:1]
    assert [(curve.name, curve.points) for curve in learned.pseudo] == [
        ("organ", ((1, 0.5),)),
        ("lesion", ((1, 0.25),)),
    ]
    assert learned.temperature[0].points == ((1, 0.9),)


def test_a_run_is_read_back_with_its_maps(tmp_path):
    with EventLog(tmp_path / "events.jsonl") as log:
        for event in (
            Artifact(MAPS[0], "map"),
            Artifact("../../map.npz", "map"),
            Metric(1, "temperature", 1),
            Artifact(MAPS[1], "map"),
        ):
            log.append(event)
    record = read_record(tmp_path / "events.jsonl")
    assert record.maps == MAPS
    assert record.metrics == {("temperature", None): [(1, 1)]}


def test_maps_of_steps_that_were_taken_twice_count_once():
    assert in_order(["maps/step-2.npz", "maps/step-4.npz", "maps/step-3.npz"]) == (
        "maps/step-2.npz",
        "maps/step-3.npz",
    )
    assert in_order([*MAPS, *MAPS]) == MAPS


def test_all_of_it_fits_a_narrow_panel(section):
    section.resize(238, 400)
    section.show()
    section.show_learned(WHOLE, 20_000)
    for which in (MAP, PSEUDO, TEMPERATURE):
        section.choose(which)
        assert section.minimumSizeHint().width() <= 238, which
        assert not section.grab().isNull()


def test_where_it_looks_is_offered_once_there_is_a_strip(section):
    section.show_learned(Learned(strips=("strip/step-0000010.npz",)), 40)
    assert section.offered == ("strip",)
    assert not section.strip.isHidden()
    assert section.strip.caption.text() == "step 10 of 40"
