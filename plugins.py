"""Things found by name through entry points: superion's own and those of other packages."""

from __future__ import annotations

import difflib
import warnings
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, TypeVar

from .errors import SettingsError, SuperionError

T = TypeVar("T")


class BrokenPluginWarning(UserWarning):
    """A package registers something that does not load; what does not need it goes on without."""


@dataclass(frozen=True)
class _EntryPoints:
    """What groups of classes and groups of objects share: finding names and importing what stands behind one.

    Parameters
    ----------
    entry_point_group : str
        Name of the group, as packages write it in their ``pyproject.toml``.
    kind : str
        What its members are, in one or two words for sentences to the user.
    base : type
        Class that each member must derive from, or be an object of; ``object`` for any.
    error : type of SuperionError
        What is raised for a name that does not serve.
    """

    entry_point_group: str
    kind: str
    base: type
    error: type[SuperionError] = SettingsError

    def points(self) -> dict[str, EntryPoint]:
        """Find what is registered, without importing any of it.

        Returns
        -------
        dict of str to EntryPoint
            By name, sorted.

        Raises
        ------
        SuperionError
            Of the group's kind: if two packages register different things under one name.
        """
        found: dict[str, EntryPoint] = {}
        for point in sorted(entry_points(group=self.entry_point_group), key=_name):
            other = found.setdefault(point.name, point)
            if other.value != point.value:
                raise self.error(
                    f"The {self.kind} '{point.name}' is registered twice, as {other.value} and as {point.value}: "
                    "uninstall one of the two packages."
                )
        return found

    def names(self) -> tuple[str, ...]:
        """List the registered names.

        Returns
        -------
        tuple of str
            Sorted.
        """
        return tuple(self.points())

    def _import(self, name: str) -> tuple[EntryPoint, Any]:
        """Import what is registered under a name, whatever it is."""
        points = self.points()
        if name not in points:
            near = difflib.get_close_matches(name.lower(), points, n=1, cutoff=0.5)
            hint = f"did you mean '{near[0]}'? " if near else ""
            known = ", ".join(points) or "none"
            raise self.error(f"There is no {self.kind} '{name}': {hint}known names are {known}.")
        point = points[name]
        try:
            return point, point.load()
        except Exception as error:
            raise self.error(
                f"The {self.kind} '{name}' of {point.value} does not load ({type(error).__name__}: {error}): "
                "update or reinstall the package that registers it."
            ) from error

    def _misfit(self, point: EntryPoint, expected: str) -> SuperionError:
        return self.error(
            f"The {self.kind} '{point.name}' of {point.value} is not {expected} {self.base.__module__}."
            f"{self.base.__qualname__}: this is a bug in the package that registers it."
        )


class PluginGroup(_EntryPoints, Generic[T]):
    """One group of entry points whose members are classes.

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

    base: type[T]

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
        point, loaded = self._import(name)
        if not (isinstance(loaded, type) and issubclass(loaded, self.base)):
            raise self._misfit(point, "a subclass of")
        return loaded

    def find(self, name: str) -> type[T] | None:
        """Import the class of a name that need not be registered.

        Parameters
        ----------
        name : str
            A name.

        Returns
        -------
        type or None
            The class; None where no package registers the name.

        Raises
        ------
        SuperionError
            As for `load`, where it is registered.
        """
        return self.load(name) if name in self.points() else None

    def find_sound(self, name: str) -> type[T] | None:
        """Import the class of a name that need not be registered, nor load.

        Parameters
        ----------
        name : str
            A name.

        Returns
        -------
        type or None
            The class; None where no package registers the name, or what it registers does not load.

        Warns
        -----
        BrokenPluginWarning
            In the latter case.
        """
        try:
            return self.find(name)
        except self.error as error:
            warnings.warn(str(error), BrokenPluginWarning, stacklevel=2)
            return None


class ObjectGroup(_EntryPoints, Generic[T]):
    """One group of entry points whose members are ready-made objects, such as definitions.

    Parameters
    ----------
    entry_point_group, kind, base, error
        As for `PluginGroup`; each member is an object of the class `base`.

    Examples
    --------
    >>> from superion.database.properties import PropertyDefinition
    >>> properties = ObjectGroup("superion.properties", "property", PropertyDefinition)
    >>> properties.load("activation_energy_ev").unit
    'eV'
    """

    base: type[T]

    def load(self, name: str) -> T:
        """Import the object of one name.

        Parameters
        ----------
        name : str
            Registered name.

        Returns
        -------
        object
            The object.

        Raises
        ------
        SuperionError
            Of the group's kind: when no such name is registered (the nearest known one is named), or what is
            registered does not load or is no such object.
        """
        point, loaded = self._import(name)
        if not isinstance(loaded, self.base):
            raise self._misfit(point, "an object of")
        return loaded


def _name(point: EntryPoint) -> str:
    return point.name
