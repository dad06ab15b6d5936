"""The keys of a review on the image; they are the viewer's again when the panel is left.

A layer's own keys go first: A, S, D and Q are free on images and on labels. Ctrl+Z is not: there it
undoes strokes and boxes.
"""

from collections.abc import Callable, Mapping
from typing import Any


class ReviewKeys:
    """Binds keys on a viewer for as long as the panel is seen.

    Parameters
    ----------
    viewer
        Whose keys they are; None binds nothing.
    acts
        What each key does, named as napari names keys.
    """

    def __init__(self, viewer: Any, acts: Mapping[str, Callable[[], object]]) -> None:
        self._viewer, self._acts = viewer, acts
        self._former: dict[str, Any] = {}

    @property
    def bound(self) -> bool:
        """Whether the keys are ours now."""
        return bool(self._former)

    def take(self) -> None:
        """Bind the keys."""
        if self._viewer is None or self._former:
            return
        for key, act in self._acts.items():
            self._former[key] = self._viewer.bind_key(key, _on_viewer(act), overwrite=True)

    def give_back(self) -> None:
        """Leave the keys to whom they belonged."""
        former, self._former = self._former, {}
        try:
            for key, act in former.items():
                self._viewer.bind_key(key, act, overwrite=True)
        except ReferenceError:  # the viewer went first, and its keys with it
            return


def _on_viewer(act: Callable[[], object]) -> Callable[[Any], object]:
    return lambda _viewer: act()
