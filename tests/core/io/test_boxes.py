import pytest

from longtail.core.io.boxes import BoxFault, box_fault, cut_box

NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("box", "fault"),
    [
        ((0, 0, 20, 10), None),
        ((-1, 9.5, 5, 1.4), None),  # rounded over the edge
        ((NAN, 0, 5, 5), BoxFault.NO_NUMBER),
        ((0, 0, INF, 5), BoxFault.NO_NUMBER),
        ((0, 0, 0, 5), BoxFault.NO_AREA),
        ((0, 0, 5, -1), BoxFault.NO_AREA),
        ((16, 0, 6, 5), BoxFault.OUTSIDE),
        ((20, 0, 0.5, 5), BoxFault.OUTSIDE),
        ((-0.5, 0, 0.5, 5), BoxFault.OUTSIDE),
        ((0, -1.1, 5, 5), BoxFault.OUTSIDE),
    ],
)
def test_faults(box, fault):
    assert box_fault(box, (20, 10)) == fault
    if fault is BoxFault.OUTSIDE:
        assert box_fault(box, None) is None


def test_what_reaches_over_the_edge_is_cut():
    assert cut_box((-1, 9.5, 5, 1.4), (20, 10)) == (0, 9.5, 4, 0.5)
    assert cut_box((1, 2, 3, 4), (20, 10)) == (1, 2, 3, 4)
