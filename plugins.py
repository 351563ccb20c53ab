"""Things found by name through entry points: superion's own and those of other packages."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from .errors import SettingsError, SuperionError

T = TypeVar("T")


@dataclass(frozen=True)
class PluginGroup(Generic[T]):
    """One group of entry points whose objects are classes.

    Parameters
    ----------
    entry_point_group : str
        Name of the group, as packages write it in their ``pyproject.toml``.
    kind : str
        What its members are, in one or two words for sentences to the user.
    base : type
        Class that each member must derive from; ``object`` for any class.
    error : type of SuperionError
        What is raised for a name that does not serve.

    Examples
    --------
    >>> from superion.potentials.potential import Potential
    >>> potentials = PluginGroup("superion.potentials", "potential", Potential)
    >>> "chgnet" in potentials.names()
    True
    """

    entry_point_group: str
    kind: str
    base: type[T]
    error: type[SuperionError] = SettingsError

    def points(self) -> dict[str, EntryPoint]:
        """Find what is registered, without importing any of it.

        Returns
        -------
        dict of str to EntryPoint
            By name, sorted.
        """
        return {point.name: point for point in sorted(entry_points(group=self.entry_point_group), key=_name)}

    def names(self) -> tuple[str, ...]:
        """List the registered names.

        Returns
        -------
        tuple of str
            Sorted.
        """
        return tuple(self.points())

    def load(self, name: str) -> type[T]:
        """Import the class of one name.

        Parameters
        ----------
        name : str
            Registered name.

        Returns
        -------
        type
            The class.

        Raises
        ------
        SuperionError
            Of the group's kind: when no such name is registered (the nearest known one is named), or what is
            registered does not load or is not such a class.
        """
        points = self.points()
        if name not in points:
            near = difflib.get_close_matches(name.lower(), points, n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'? " if near else ""
            known = ", ".join(points) or "none"
            raise self.error(f"There is no {self.kind} '{name}': {hint}known names are {known}.")
        point = points[name]
        try:
            loaded = point.load()
        except Exception as error:
            raise self.error(
                f"The {self.kind} '{name}' of {point.value} does not load ({type(error).__name__}: {error}): "
                "mend or reinstall the package that registers it."
            ) from error
        if not (isinstance(loaded, type) and issubclass(loaded, self.base)):
            raise self.error(
                f"The {self.kind} '{name}' of {point.value} is not a subclass of {self.base.__module__}."
                f"{self.base.__qualname__}: mend the package that registers it."
            )
        return loaded


def _name(point: EntryPoint) -> str:
    return point.name
