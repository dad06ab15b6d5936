"""What labelled scans say of how much of each class there is."""

import pytest
import torch

from longtail.core.methods.held_shares import foreground_shares


def scan(**counts):
    """A flat label map with so many voxels of each value, such as v1=3."""
    parts = [
        torch.full((count,), int(name[1:]), dtype=torch.uint8) for name, count in counts.items()
    ]
    return torch.cat(parts)


def test_scans_that_are_labelled_in_full_speak_of_all_classes():
    shares = foreground_shares([scan(v0=50, v1=6, v2=2), scan(v0=9, v1=8)], 3)
    assert shares.tolist() == pytest.approx([0, 14 / 16, 2 / 16])


def test_a_scan_in_part_speaks_of_what_is_drawn_in_it_alone():
    whole, part = scan(v0=50, v1=6, v2=2), scan(v0=9, v1=8, v255=3)
    shares = foreground_shares([whole, part, None], 3)
    assert shares.tolist() == pytest.approx([0, 14 / 16, 2 / 8])


def test_nothing_drawn_gives_no_shares():
    assert foreground_shares([scan(v0=5, v255=2), None], 3).tolist() == [0, 0, 0]
