"""Which kind of file system a path lies on."""

from __future__ import annotations

from pathlib import Path

import psutil

NETWORK_FILE_SYSTEMS = frozenset(
    {
        "9p", "afp", "afpfs", "afs", "auristorfs", "beegfs", "beegfs_nodev", "ceph", "cifs", "coda", "davfs",
        "fhgfs", "fuse.ceph", "fuse.davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.juicefs", "fuse.moosefs",
        "fuse.rclone", "fuse.s3fs", "fuse.sshfs", "fuse.weed", "gfs", "gfs2", "glusterfs", "gpfs", "lustre",
        "mfs", "ncpfs", "nfs", "nfs3", "nfs4", "ocfs2", "orangefs", "osxfuse.sshfs", "panfs", "pvfs2", "smb",
        "smb2", "smb3", "smbfs", "sshfs", "wekafs",
    }
)  # fmt: skip
"""File systems that several hosts share: no shared memory between hosts, and locks that cannot be relied on."""


def file_system_of(path: str | Path) -> str:
    """Find the kind of file system that a path lies on, or would lie on once created.

    Parameters
    ----------
    path : str or Path
        A file or folder; it need not exist.

    Returns
    -------
    str
        The name the system gives it, in lower case (`ext4`, `nfs4`, …); empty if it does not say.

    Examples
    --------
    >>> isinstance(file_system_of("."), str)
    True
    """
    resolved = Path(path).expanduser().resolve()
    kind = ""
    longest = -1
    for partition in psutil.disk_partitions(all=True):
        mount_point = Path(partition.mountpoint)
        # Of several mounts on one place the last one is seen.
        if resolved.is_relative_to(mount_point) and len(mount_point.parts) >= longest:
            longest = len(mount_point.parts)
            kind = partition.fstype
    return kind.lower()


def is_network_file_system(kind: str) -> bool:
    """Tell whether several hosts may share a file system of this kind.

    Parameters
    ----------
    kind : str
        A name as of `file_system_of`.

    Returns
    -------
    bool
        Whether it is known to be shared over a network.

    Examples
    --------
    >>> is_network_file_system("nfs4"), is_network_file_system("ext4")
    (True, False)
    """
    return kind.lower() in NETWORK_FILE_SYSTEMS
