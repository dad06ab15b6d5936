"""Which classes are head, medium and tail, by what the run was trained on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TIERS = ("head", "medium", "tail")


@dataclass(frozen=True, slots=True)
class Tiering:
    """Where head ends and tail begins; always printed beside the figures.

    By `images`: head has more than `head` labelled training images, tail fewer than `tail`.
    By `share` of the labelled foreground volume: head has at least `head`, tail less than `tail`.
    """

    by: str
    head: float
    tail: float

    def tier(self, amount: float) -> str:
        """Give the tier of a class with `amount` images or share."""
        is_head = amount > self.head if self.by == "images" else amount >= self.head
        if is_head:
            return "head"
        return "tail" if amount < self.tail else "medium"

    def sentence(self) -> str:
        """Say the thresholds in words."""
        if self.by == "images":
            return (
                f"Head: more than {self.head:g} labelled training images; "
                f"tail: fewer than {self.tail:g}."
            )
        return (
            f"Head: at least {self.head:.0%} of the labelled foreground volume; "
            f"tail: less than {self.tail:.0%}."
        )


BY_IMAGES = Tiering("images", head=100, tail=20)
BY_SHARE = Tiering("share", head=0.20, tail=0.05)


def shares(volumes: Mapping[int, float], class_ids: Sequence[int]) -> dict[int, float]:
    """Give each class's share of the summed volume of `class_ids`; all 0 without any volume."""
    total = sum(volumes.get(class_id, 0.0) for class_id in class_ids)
    return {i: (volumes.get(i, 0.0) / total if total else 0.0) for i in class_ids}
