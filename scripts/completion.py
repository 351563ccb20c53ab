"""What the shell offers when the user presses Tab; loads nothing heavy."""

from __future__ import annotations

import os
from importlib import metadata
from importlib.resources import files
from pathlib import Path


def flow_names(incomplete: str = "") -> list[str]:
    """Names of registered flows, without importing them.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Names that begin so.
    """
    return _registered("superion.flows", incomplete)


def potential_names(incomplete: str = "") -> list[str]:
    """Names of registered potentials, without importing them.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Names that begin so.
    """
    return _registered("superion.potentials", incomplete)


def student_names(incomplete: str = "") -> list[str]:
    """Names of the potentials that were trained in this project.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Names that begin so; none where the store cannot be read.
    """
    if not any((folder / ".superion").is_dir() for folder in (Path.cwd(), *Path.cwd().parents)):
        # Opening a store loads much; without a project there is none to open.
        return []
    from ..errors import SuperionError
    from ..workflows.student_names import StudentNames

    try:
        found = StudentNames().listed()
    except SuperionError:
        return []
    return [student.document.name for student in found if student.document.name.startswith(incomplete)]


def potential_and_student_names(incomplete: str = "") -> list[str]:
    """Names of registered potentials, and of those that were trained in this project.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Names that begin so.
    """
    return [*potential_names(incomplete), *student_names(incomplete)]


def preset_names(incomplete: str = "") -> list[str]:
    """Names of the presets that ship with superion.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Names that begin so.
    """
    return [name for name in _config_names("flows", (".yaml",)) if name.startswith(incomplete)]


def cluster_names(incomplete: str = "") -> list[str]:
    """Names of cluster profiles, those that ship and the user's own.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Names that begin so.
    """
    folder = os.environ.get("SUPERION_CLUSTERS") or "~/.config/superion/clusters"
    own = {path.stem for path in Path(folder).expanduser().glob("*.y*ml")}
    names = own.union(_config_names("clusters", (".yaml",)))
    return sorted(name for name in names if name.startswith(incomplete))


def structure_names(incomplete: str = "") -> list[str]:
    """Names of the structures that ship with superion; the shell itself offers files.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Names that begin so.
    """
    return [name for name in _config_names("structures", (".cif",)) if name.startswith(incomplete)]


def document_types(incomplete: str = "") -> list[str]:
    """Kinds of documents, without importing them.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Kinds that begin so.
    """
    return _registered("superion.documents", incomplete)


def ranked_properties(incomplete: str = "") -> list[str]:
    """Names of the properties that candidates can be ranked by.

    Parameters
    ----------
    incomplete : str
        What is typed so far.

    Returns
    -------
    list of str
        Names that begin so.
    """
    from ..database.property_names import ranked_names

    return [name for name in ranked_names() if name.startswith(incomplete)]


def _registered(group: str, incomplete: str) -> list[str]:
    """Names in one group of entry points, without importing what they name."""
    names = {point.name for point in metadata.entry_points(group=group)}
    return sorted(name for name in names if name.startswith(incomplete))


def _config_names(folder: str, suffixes: tuple[str, ...]) -> list[str]:
    """File names without suffix in one folder of the shipped presets."""
    root = files("superion.configs").joinpath(folder)
    if not root.is_dir():
        return []
    names = [entry.name for entry in root.iterdir()]
    return sorted(name.rsplit(".", 1)[0] for name in names if name.endswith(suffixes))
