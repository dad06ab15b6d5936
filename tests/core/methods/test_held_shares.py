"""What labelled scans say of how much of each class there is, and which classes it helps."""

import pytest
import torch

from longtail.core.methods.held_shares import HeldShares


def scan(**counts):
    """A flat label map with so many voxels of each value, such as v1=3."""
    parts = [
        torch.full((count,), int(name[1:]), dtype=torch.uint8) for name, count in counts.items()
    ]
    return torch.cat(parts)


def test_scans_that_are_labelled_in_full_speak_of_all_classes():
    held = HeldShares([scan(v0=50, v1=6, v2=2), scan(v0=9, v1=8)], 3)
    assert held.shares.tolist() == pytest.approx([0, 14 / 16, 2 / 16])


def test_a_scan_in_part_speaks_of_what_is_drawn_in_it_alone():
    whole, part = scan(v0=50, v1=6, v2=2), scan(v0=9, v1=8, v255=3)
    held = HeldShares([whole, part, None], 3)
    assert held.shares.tolist() == pytest.approx([0, 14 / 16, 2 / 8])


@pytest.mark.parametrize("scans", [[scan(v0=5, v255=2), None], [None], []])
def test_nothing_drawn_helps_nobody(scans):
    held = HeldShares(scans, 3)
    assert held.shares.tolist() == [0, 0, 0]
    assert held.factors(torch.tensor([5.0, 3.0, 0.0]).double()).tolist() == [1, 1, 1]


def test_a_scarce_class_is_helped_to_its_share_and_others_are_left_alone():
    """Class 3 has 4 of 100 labelled voxels, but 4 of 20 in the one scan where it is drawn."""
    held = HeldShares([scan(v1=10, v2=6, v3=4), scan(v1=50, v2=30, v255=1)], 4)
    assert held.scarce.tolist() == [False, False, False, True]
    assert held.shares[3] == pytest.approx(0.2)
    short = held.factors(torch.tensor([900.0, 90.0, 0.0, 10.0]).double())
    assert short[:3].tolist() == [1, 1, 1]
    assert short[3] > 2
    enough = held.factors(torch.tensor([900.0, 40.0, 10.0, 50.0]).double())
    assert enough.tolist() == [1, 1, 1, 1]
