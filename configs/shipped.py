"""Files by name: those that ship with the package, or the user's own by path."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path

from ..errors import SettingsError

_SUFFIXES = (".yaml", ".yml")


def shipped_files(folder: str, suffix: str = ".yaml") -> dict[str, Path]:
    """List the files that ship in a folder of `superion.configs`.

    Parameters
    ----------
    folder : str
        Such as ``flows`` or ``potentials/architectures``.
    suffix : str
        Ending of the files.

    Returns
    -------
    dict of str to Path
        By name without ending, in alphabetical order.

    Examples
    --------
    >>> "quickstart" in shipped_files("flows")
    True
    """
    found = Path(str(resources.files("superion.configs"))) / folder
    return {path.stem: path for path in sorted(found.glob(f"*{suffix}"))}


def find_file(name_or_path: str | Path, folder: str, kind: str) -> Path:
    """Find the file that a user means.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped file, or path of a YAML file.
    folder : str
        Where those lie that ship.
    kind : str
        What it describes, for messages.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    SettingsError
        If there is no such file; the nearest name is given.

    Examples
    --------
    >>> find_file("quickstart", "flows", "preset").name
    'quickstart.yaml'
    """
    path = Path(name_or_path)
    if path.suffix in _SUFFIXES:
        if not path.is_file():
            raise SettingsError(f"The {kind} file {path} does not exist: check its path.")
        return path
    shipped = shipped_files(folder)
    if str(name_or_path) not in shipped:
        near = difflib.get_close_matches(str(name_or_path), shipped, n=1, cutoff=0.4)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(shipped)}."
        raise SettingsError(f"There is no {kind} '{name_or_path}': {hint}")
    return shipped[str(name_or_path)]
