"""Checkpoint files: the whole old one or the whole new one, and never code."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import nn

from ..data.preprocessing import Preprocessing
from ..errors import LongtailError
from ..files import replacing
from ..nets.recipe import build_network
from .card import ModelCard

CHECKPOINT_FORMAT = 1
FOLDER = "checkpoints"


class LoadedNetwork(NamedTuple):
    """A network ready to predict, in evaluation mode on the CPU."""

    network: nn.Module
    card: ModelCard
    preprocessing: Preprocessing


def save(path: Path, state: Mapping[str, Any]) -> None:
    """Write `state` (tensors and plain data) to `path` atomically.

    Raises
    ------
    LongtailError
        The disk is full or the folder cannot be written; the old file is intact.
    """
    with replacing(path) as aside, aside.open("wb") as file:
        try:
            torch.save({"format": CHECKPOINT_FORMAT, **state}, file)
        except RuntimeError as error:
            # torch hides why the file could not be written behind an error of its own.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint onto the CPU; nothing in the file is run.

    Raises
    ------
    LongtailError
        The file is missing, cut, no checkpoint, or was written by a newer version.
    """
    if not path.is_file():
        raise LongtailError(f"The checkpoint {path.name} is not in {path.parent}.", "Train again.")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise _damaged(path) from error
    if not isinstance(state, dict) or "format" not in state:
        raise _damaged(path)
    if int(state["format"]) > CHECKPOINT_FORMAT:
        raise LongtailError(f"{path.name} was made by a newer Longtail.", "Update Longtail.")
    return state


def checkpoint_path(run_folder: Path, which: str = "best") -> Path:
    """Give the file of `best`, `last` or `class-<id>` of a run.

    A run without validation has no `best.pt`: its best is its last.

    Raises
    ------
    LongtailError
        The run has no such checkpoint.
    """
    folder = run_folder / FOLDER
    names = {"best": ("best.pt", "last.pt"), "last": ("last.pt",)}
    wanted = names.get(which, (f"best-{which}.pt",))
    for name in wanted:
        if (folder / name).is_file():
            return folder / name
    raise LongtailError(
        f"This run has no checkpoint {which!r}.", "Let it train for a while, or choose another."
    )


def load_network(run_folder: Path, which: str = "best") -> LoadedNetwork:
    """Build the network of a run with its weights; see `checkpoint_path` for `which`."""
    return network_of(load(checkpoint_path(run_folder, which)))


def network_of(state: Mapping[str, Any]) -> LoadedNetwork:
    """Build the network that a loaded checkpoint describes.

    Raises
    ------
    LongtailError
        Weights and description do not fit each other.
    """
    card = ModelCard.from_mapping(state["card"])
    network = build_network(card.network)
    try:
        network.load_state_dict(state["weights"])
    except RuntimeError as error:
        raise LongtailError(
            "The weights of this checkpoint do not fit its network.", "Train again."
        ) from error
    return LoadedNetwork(network.eval(), card, card.preprocessing)


def weights_hash(path: Path) -> str:
    """Give the SHA-256 of the predicting weights in a checkpoint, as 64 hexadecimal digits.

    It covers names, types, shapes and values, not the file: the same weights always have the
    same hash.
    """
    return hash_of(load(path)["weights"])


def hash_of(weights: Mapping[str, torch.Tensor]) -> str:
    """Give the SHA-256 of weights by name; see `weights_hash`."""
    digest = hashlib.sha256()
    for name in sorted(weights):
        tensor = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _damaged(path: Path) -> LongtailError:
    return LongtailError(
        f"The checkpoint {path.name} is damaged or cut short.",
        "Resume from another checkpoint of the run, or train again.",
    )
