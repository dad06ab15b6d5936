"""The network that was looked through last, so that the next look need not read it again."""

from pathlib import Path
from typing import NamedTuple

from ..project.store import Project
from .predicting import ReadyNetwork, load_run

LARGEST_BYTES = 256 << 20
"""A network with more weights than this is not kept: a training may need the room."""


class _Kept(NamedTuple):
    """What was read, and from which state of which file onto which device."""

    key: tuple[Path, int, int, str]
    network: ReadyNetwork


_kept: list[_Kept] = []


def kept_run(project: Project, run_id: str, which: str, device: str) -> ReadyNetwork:
    """Give a run's network on the device; see `load_run`.

    It is read again when its file has changed, so that a run at work shows what it has learned
    since. Whoever looks through it leaves it as it was.
    """
    from ..checkpoints.store import checkpoint_path

    project.run(run_id)
    path = checkpoint_path(project.run_folder(run_id), which)
    facts = path.stat()
    key = (path, facts.st_mtime_ns, facts.st_size, device)
    if not _kept or _kept[0].key != key:
        _kept.clear()
        network = load_run(project, run_id, which, device)
        size = sum(part.numel() * part.element_size() for part in network.network.parameters())
        if size > LARGEST_BYTES:
            return network
        _kept.append(_Kept(key, network))
    return _kept[0].network
