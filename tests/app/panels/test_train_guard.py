"""The tail guard's cards."""

import math

import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication

from longtail.app.panels.train_guard import GuardCards
from longtail.app.panels.train_guarded import Guarded
from longtail.core.backend.events import Warned

REMEDIES = ("Sample it more", "Weigh it more")


def said(name, text=None, points=((1, 0.2), (2, 0.6), (3, 0.1))):
    text = text or f"{name} is being lost. Its Dice fell from 0.60 to 0.10."
    return Guarded(Warned(text, "tail-guard", name, REMEDIES, "dice"), "#f0e442", points)


@pytest.fixture
def cards(qtbot):
    made = GuardCards()
    qtbot.addWidget(made)
    made.resize(286, 600)
    return made


def shown(cards):
    return [card.guarded.name for card in cards.cards if not card.isHidden()]


def test_without_a_warning_there_is_nothing(cards):
    cards.show_guarded([])
    assert cards.isHidden()


def test_a_class_in_trouble_has_a_card_with_its_curve(cards):
    cards.show_guarded([said("scar")])
    (card,) = cards.cards
    assert card.property("tone") == "tail"
    assert card.title.text() == "scar is being lost."
    assert card.sentence.text() == "Its Dice fell from 0.60 to 0.10."
    assert not card.curve.isHidden()
    assert card.curve.accessibleName() == "scar: best 0.60 at step 2, now 0.10 at step 3"
    cards.show_guarded([said("scar", points=((1, 0.2), (9, 0.3)))])
    assert cards.cards == (card,)
    assert "now 0.30 at step 9" in card.curve.accessibleName()


def test_after_the_run_a_card_says_what_happened_and_what_is_kept(qtbot):
    cards = GuardCards(over=True)
    qtbot.addWidget(cards)
    cards.show_guarded([said("scar"), said("rim")])
    cards.show_kept(["scar", "core"])
    scar, rim = cards.cards
    assert scar.buttons == rim.buttons == {}
    assert scar.answer.text().startswith("The weights that were best for it are kept")
    assert not scar.answer.isHidden()
    assert rim.answer.isHidden()


def test_the_newest_is_on_top_and_two_are_open(cards):
    cards.show_guarded([said("b"), said("a")])
    cards.show_guarded([said("d"), said("c"), said("b"), said("a")])
    assert [card.guarded.name for card in cards.cards] == ["d", "c", "b", "a"]
    assert shown(cards) == ["d", "c"]
    assert cards.more.text() == "2 more classes in trouble"
    cards.more.click()
    assert shown(cards) == ["d", "c", "b", "a"]
    cards.more.click()
    assert shown(cards) == ["d", "c"]


def test_a_class_that_falls_again_comes_up_again(cards):
    cards.show_guarded([said("b"), said("a")])
    cards.show_guarded([said("a", "a is being lost. Once more."), said("b")])
    assert [card.guarded.name for card in cards.cards] == ["a", "b"]
    assert cards.cards[0].sentence.text() == "Once more."


def test_both_remedies_can_be_asked_for_with_the_keyboard(cards, qtbot):
    cards.show_guarded([said("scar")])
    cards.show()
    (card,) = cards.cards
    asked = []
    cards.remedy_chosen.connect(lambda warned, label: asked.append((warned.class_name, label)))
    for label in REMEDIES:
        assert card.buttons[label].focusPolicy() & Qt.FocusPolicy.TabFocus
        assert card.buttons[label].toolTip()
        qtbot.keyClick(card.buttons[label], Qt.Key.Key_Space)
        assert not card.buttons[label].isEnabled()
    assert asked == [("scar", label) for label in REMEDIES]
    assert card.answer.text() == "Asked for; the run takes it up at its next step."
    cards.show_taken_up("scar", "Looked at 3 times as often since step 7.", 7)
    cards.show_taken_up("scar", "Mistakes on it count 3 times as much since step 8.", 8)
    assert card.answer.text().splitlines() == [
        "Looked at 3 times as often since step 7.",
        "Mistakes on it count 3 times as much since step 8.",
    ]
    cards.show_taken_up("unknown", "Nothing.", 9)


def test_a_card_that_was_left_stays_away_until_there_is_news(cards, qtbot):
    cards.show_guarded([said("scar")])
    qtbot.keyClick(cards.cards[0].buttons["Leave it"], Qt.Key.Key_Space)
    assert cards.cards == ()
    cards.show_guarded([said("scar")])
    assert cards.isHidden()
    cards.show_guarded([said("scar", "scar is being lost. Again.")])
    assert shown(cards) == ["scar"]
    cards.clear()
    cards.show_guarded([said("scar")])
    assert shown(cards) == ["scar"]


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((5, 0.5),),
        ((5, 0.0), (6, 0.0)),
        ((5, 0.3), (5, 0.1)),
        tuple((step, abs(math.sin(step))) for step in range(3000)),
    ],
)
def test_odd_curves_are_drawn(cards, points):
    cards.show_guarded([said("x" * 200, points=points)])
    cards.show_taken_up("x" * 200, "Done.", 5)
    cards.show()
    QApplication.processEvents()
    assert not cards.grab().isNull()
    assert cards.cards[0].curve.isHidden() == (len(points) < 2)
