"""What the tail guard says, ready to be drawn."""

import math

from longtail.app.panels.train_guarded import (
    Guarded,
    change_for,
    guarded,
    remedy_tip,
    taken_up,
)
from longtail.app.panels.train_live import ClassLook
from longtail.core.backend.events import Told, Warned
from longtail.core.training.changes import SampleMore, WeighMore

LOOKS = [ClassLook("common", "#56b4e9"), ClassLook("rare", "#f0e442", "tail")]


def warned(name, measure="recall", text="It is being lost. Its recall fell."):
    return Warned(text, "tail-guard", name, ("Sample it more", "Weigh it more"), measure)


def test_each_class_has_its_last_warning_and_the_curve_that_the_guard_saw():
    metrics = {("recall", "rare"): [(1, 0.5), (2, math.nan), (3, 0.1)], ("loss", None): [(1, 2.0)]}
    told = [
        warned("rare", text="Old. News."),
        Warned("Memory ran out.", "memory"),
        warned("common"),
        warned("rare"),
    ]
    rare, common = guarded(told, metrics, LOOKS)
    assert (rare.name, rare.colour) == ("rare", "#f0e442")
    assert rare.points == ((1, 0.5), (3, 0.1))
    assert (rare.title, rare.sentence) == ("It is being lost.", "Its recall fell.")
    assert (common.name, common.points) == ("common", ())


def test_a_warning_of_an_older_version_has_no_curve():
    (old,) = guarded([warned("rare", measure="", text="Only this")], {}, [])
    assert (old.points, old.colour, old.title, old.sentence) == ((), "", "Only this", "")


def test_values_are_told_as_they_are_read():
    assert Guarded(warned("rare")).value_text(0.623) == "0.62"
    pixels = Guarded(warned("rare", "predicted_share"))
    assert pixels.value_text(0.0123) == "1.2 %"
    assert pixels.value_text(0.00001) == "< 0.01 %"


def test_remedies_become_changes_and_words():
    assert change_for("Sample it more", 4) == SampleMore(4, 3.0)
    assert change_for("Weigh it more", 4) == WeighMore(4, 3.0)
    assert remedy_tip("Sample it more") != remedy_tip("Weigh it more")
    sampled = Told("SampleMore", {"class_id": 4, "factor": 3.0})
    assert taken_up(sampled, 1412) == "Looked at 3 times as often since step 1,412."
    weighed = Told("WeighMore", {"class_id": 4, "factor": 2.5})
    assert taken_up(weighed, 3) == "Mistakes on it count 2.5 times as much since step 3."
    assert taken_up(Told("LabelsChanged", {"case_ids": ("a",)}), 3) == ""
