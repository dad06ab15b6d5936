"""What kind of place a project lies in: a network share, or a folder that cannot be written."""

import errno
import tempfile
from pathlib import Path

import psutil

NETWORK_FILE_SYSTEMS = frozenset(
    "nfs nfs3 nfs4 cifs smb smb2 smb3 smbfs afpfs webdav davfs fuse.sshfs fuse.davfs2 9p "
    "fuse.gvfsd-fuse lustre beegfs glusterfs fuse.glusterfs ceph fuse.ceph afs gpfs".split()
)


def on_network(folder: Path) -> bool:
    """Tell whether a folder lies on a network file system, where SQLite's WAL is unsafe."""
    resolved = folder.resolve()
    if str(resolved).startswith("\\\\"):
        return True
    parts = psutil.disk_partitions(all=True)
    mounts = [part for part in parts if resolved.is_relative_to(part.mountpoint)]
    if not mounts:
        return False
    nearest = max(mounts, key=lambda part: len(part.mountpoint))
    return nearest.fstype.lower() in NETWORK_FILE_SYSTEMS or "remote" in nearest.opts.split(",")


def can_write(folder: Path) -> bool:
    """Try it: access bits lie for administrators, on Windows and on mounted shares."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError as error:
        return error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS)
