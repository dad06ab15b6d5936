import pytest

from longtail.core.evaluate.tiers import BY_IMAGES, BY_SHARE, Tiering, shares


@pytest.mark.parametrize(
    ("images", "tier"), [(101, "head"), (100, "medium"), (20, "medium"), (19, "tail"), (0, "tail")]
)
def test_tiers_by_training_images(images, tier):
    assert BY_IMAGES.tier(images) == tier


@pytest.mark.parametrize(
    ("share", "tier"), [(0.20, "head"), (0.1999, "medium"), (0.05, "medium"), (0.049, "tail")]
)
def test_tiers_by_share_of_volume(share, tier):
    assert BY_SHARE.tier(share) == tier


def test_thresholds_are_said():
    assert "more than 100" in BY_IMAGES.sentence()
    assert "fewer than 20" in BY_IMAGES.sentence()
    assert "20%" in BY_SHARE.sentence()
    assert "5%" in BY_SHARE.sentence()
    assert "more than 50" in Tiering("images", 50, 5).sentence()


def test_shares_leave_out_background_and_not_labelled():
    assert shares({0: 100.0, 1: 3.0, 2: 1.0, 255: 50.0}, [1, 2]) == {1: 0.75, 2: 0.25}
    assert shares({}, [1]) == {1: 0.0}
