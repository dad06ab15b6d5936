"""Stage 1 of ACTION: the student sees the same neighbours as its teacher, whole and in parts."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ..losses.distillation import patch_features, similarity_distillation, similarity_spread
from ..nets.averaging import Follower, average_share
from ..nets.heads import Predictor, Projector
from .settings_semi import ActionSettings

LOCAL_PATCH = {2: 64, 3: 20}
"""Side of the parts of an image, in voxels of the full grid; they overlap by half."""

COLLAPSED_BELOW = 0.02
FEWEST = 2


class Pretraining:
    """Heads, their averages and the bank of earlier scans.

    Parameters
    ----------
    map_widths
        Channels of the network's maps, the bottom first.
    """

    def __init__(
        self, settings: ActionSettings, map_widths: Sequence[int], spatial_dims: int, device: str
    ) -> None:
        self._settings = settings
        self._dims = spatial_dims
        self._device = device
        width = settings.width_contrast
        views = {"global": settings.pretrain_global, "local": settings.pretrain_local}
        widths = {"global": map_widths[0], "local": map_widths[-1]}
        self.names = tuple(name for name, wished in views.items() if wished)
        self.heads = nn.ModuleDict(
            {
                name: nn.Sequential(Projector(widths[name], width), Predictor(width))
                for name in self.names
            }
        ).to(device)
        self.teacher_heads = copy.deepcopy(self.heads).eval().requires_grad_(False)
        self._follower = Follower(self.teacher_heads, self.heads)
        self.bank: dict[str, Tensor] = {}
        self.spread: float | None = None
        self._waiting: dict[str, list[Tensor]] = {}

    def loss(
        self,
        student: Sequence[Tensor],
        teacher: Sequence[Tensor],
        size: Sequence[int],
        student_temperature: float,
        teacher_temperature: float,
    ) -> Tensor:
        """Give L_global + L_local of two views of the same images.

        Parameters
        ----------
        student, teacher
            Their maps, (batch, channel, *space) each, the bottom first, without the logits.
        """
        total = student[0].new_zeros((), dtype=torch.float32)
        for name in self.names:
            seen = self.heads[name](self._described(name, student, size))
            with torch.no_grad():
                teach = self.teacher_heads[name][0]  # type: ignore[index]
                aim = teach(self._described(name, teacher, size))
            self._waiting.setdefault(name, []).append(aim)
            bank = self.bank.get(name)
            if bank is None or len(bank) < FEWEST:
                continue
            total = total + similarity_distillation(
                seen, aim, bank, student_temperature, teacher_temperature
            )
            if name == self.names[0]:
                self.spread = similarity_spread(seen, bank)
        return total

    def forget(self) -> None:
        """Drop what a step that came to nothing has left: scans, and figures of the norms."""
        self._follower.take_back()
        self._waiting.clear()

    def after_step(self, step: int, kept: float) -> None:
        """Let the teacher's heads follow, and remember this step's scans."""
        self._follower.follow(average_share(step, kept))
        for name, waiting in self._waiting.items():
            before = [self.bank[name]] if name in self.bank else []
            self.bank[name] = torch.cat([*before, *waiting])[-self._settings.bank :]
        self._waiting.clear()

    def state(self) -> dict[str, Any]:
        """Give what a resume needs."""
        return {
            "heads": self.heads.state_dict(),
            "teacher_heads": self.teacher_heads.state_dict(),
            "bank": dict(self.bank),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what `state` gave."""
        self.heads.load_state_dict(state["heads"])
        self.teacher_heads.load_state_dict(state["teacher_heads"])
        self.bank = {name: scans.to(self._device) for name, scans in state["bank"].items()}
        self.spread = None
        self._waiting.clear()

    def _described(self, name: str, maps: Sequence[Tensor], size: Sequence[int]) -> Tensor:
        if name == "global":
            return maps[0].float().flatten(2).mean(2)
        values = maps[-1]
        side = LOCAL_PATCH[self._dims]
        shrunk = [have / full for have, full in zip(values.shape[2:], size, strict=True)]
        patch = [max(1, round(side * share)) for share in shrunk]
        return patch_features(values, patch, [max(1, length // 2) for length in patch])
