"""Where results go, as the environment says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from ..errors import StoreError
from .file_privacy import refuse_unless_private

STORE_VARIABLE = "SUPERION_STORE"
"""Environment variable that names the result store: an address, or a file; see `open_job_store`."""

STORE_FILE_VARIABLE = "SUPERION_STORE_FILE"
"""Environment variable with the path of a file that holds what SUPERION_STORE would: for addresses with a password."""

_GREATEST_SIZE = 65_536


def store_from_environment() -> str | None:
    """Read where results go from the environment.

    Returns
    -------
    str or None
        The value of SUPERION_STORE; else what the file holds that SUPERION_STORE_FILE names; else None.

    Raises
    ------
    StoreError
        If that file cannot be read, is not the user's, or others may read it.
    """
    return next(locations_from_environment(), None)


def locations_from_environment() -> Iterator[str]:
    """Read all locations that the environment names: several where a store is looked for by its address.

    Yields
    ------
    str
        The value of SUPERION_STORE, then what the file holds that SUPERION_STORE_FILE names.

    Raises
    ------
    StoreError
        If that file cannot be read, is not the user's, or others may read it.
    """
    if text := os.environ.get(STORE_VARIABLE):
        yield text
    if path := os.environ.get(STORE_FILE_VARIABLE):
        yield store_from_file(path)


def store_from_file(path: str | Path) -> str:
    """Read the location of a store from a file that only its owner can read.

    Parameters
    ----------
    path : str or Path
        A file of one line: what SUPERION_STORE would hold. Lines that begin with # are left out.

    Returns
    -------
    str
        The location.

    Raises
    ------
    StoreError
        If it cannot be read, belongs to another user, its mode is neither 0600 nor 0400, or it holds no single line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "store"
    ...     _ = path.write_text("mongodb://ann:secret@host/superion")
    ...     path.chmod(0o600)
    ...     store_from_file(path)
    'mongodb://ann:secret@host/superion'
    """
    place = Path(path).expanduser()
    try:
        # The open file is looked at, not its name, which may come to mean another one in between.
        with place.open("rb") as file:
            status = os.fstat(file.fileno())
            refuse_unless_private(place, status, f"The file {place}, which {STORE_FILE_VARIABLE} names,")
            content = file.read(_GREATEST_SIZE)
    except OSError as error:
        raise StoreError(
            f"The file {place}, which {STORE_FILE_VARIABLE} names, cannot be read ({error.strerror}): "
            "correct the path, or make the file yours."
        ) from None
    # What cannot be decoded is not quoted: it may be a password.
    lines = [line.strip() for line in content.decode("utf-8", errors="replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if len(lines) != 1:
        raise StoreError(
            f"The file {place}, which {STORE_FILE_VARIABLE} names, must hold one line, the address of the store, "
            f"but holds {len(lines)}: correct it."
        )
    return lines[0]


def own_store_file(address: str) -> str | None:
    """Name the user's own file that holds an address, so that workers can read it there.

    Parameters
    ----------
    address : str
        Address of a store.

    Returns
    -------
    str or None
        Absolute path of the file that SUPERION_STORE_FILE names; None where it names none, or holds another address.

    Raises
    ------
    StoreError
        If that file cannot be read, is not the user's, or others may read it.

    Examples
    --------
    >>> own_store_file("mongodb://no_such_host/superion") is None
    True
    """
    path = os.environ.get(STORE_FILE_VARIABLE)
    if not path or store_from_file(path) != address:
        return None
    return str(Path(path).expanduser().absolute())
