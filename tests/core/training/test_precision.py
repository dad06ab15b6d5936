"""Which numbers are computed with."""

import pytest
import torch

from longtail.core.training import precision
from longtail.core.training.precision import choose_precision


@pytest.mark.parametrize("has_units", [True, False])
def test_processors_need_units_and_a_network_that_gains(monkeypatch, has_units):
    monkeypatch.setattr(precision, "processor_has_bfloat16", lambda: has_units)
    expected = torch.bfloat16 if has_units else None
    assert choose_precision("auto", "cpu", True) is expected
    assert choose_precision("auto", "cpu", False) is None


def test_a_wish_goes_first(monkeypatch):
    monkeypatch.setattr(precision, "processor_has_bfloat16", lambda: True)
    assert choose_precision("full", "cpu", True) is None
    assert choose_precision("bfloat16", "cpu", False) is torch.bfloat16


def test_older_torch_is_asked_nothing(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert not precision.processor_has_bfloat16()
