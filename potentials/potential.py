"""What every potential offers, whichever package computes the forces."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Iterable
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import PotentialError, UnknownElementError
from .specification import PotentialProvenance, PotentialSpecification

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator


class Potential(ABC):
    """A potential that was chosen, found and is ready to compute forces.

    A subclass names itself and its package in class attributes, so that a list of potentials needs no import of
    torch, and is registered through the entry-point group ``superion.potentials``. Its module must import heavy
    packages inside functions only.

    Parameters
    ----------
    specification : PotentialSpecification
        What the user asked for.

    Attributes
    ----------
    name : str
        Registered name.
    description : str
        One line for ``superion potential list``.
    distribution : str
        The installable package that computes the forces.
    import_name : str
        The module whose presence means that it is installed.
    install_command : str
        The command that installs it.
    offers_torch_sim : bool
        Whether this kind of potential can serve torch-sim once that is installed.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    distribution: ClassVar[str]
    import_name: ClassVar[str]
    install_command: ClassVar[str]
    offers_torch_sim: ClassVar[bool] = False

    def __init__(self, specification: PotentialSpecification) -> None:
        if not self.is_installed():
            raise PotentialError(
                f"The potential '{self.name}' needs the package {self.distribution}, which is not installed: "
                f"run {self.install_command}"
            )
        self.specification = specification

    @classmethod
    def is_installed(cls) -> bool:
        """Say whether the package behind this potential is there, without importing it."""
        return importlib.util.find_spec(cls.import_name) is not None

    @classmethod
    def package_version(cls) -> str | None:
        """Version of the package behind this potential, or None when it is not installed."""
        try:
            return metadata.version(cls.distribution)
        except metadata.PackageNotFoundError:
            return None

    @cached_property
    def provenance(self) -> PotentialProvenance:
        """Which potential this is, down to the bytes of its weights."""
        return self._provenance()

    @abstractmethod
    def _provenance(self) -> PotentialProvenance:
        """Collect the provenance; called once."""

    @abstractmethod
    def calculator(self) -> Calculator:
        """Build a fresh ASE calculator.

        Returns
        -------
        ase.calculators.calculator.Calculator
            Gives energies in eV, forces in eV/Å and, where it can, stresses in eV/Å³.
        """

    @abstractmethod
    def known_elements(self) -> frozenset[str] | None:
        """Symbols of the elements it was made for; None when the potential does not say."""

    def check_elements_without_weights(self, symbols: Iterable[str]) -> bool:
        """Refuse unknown elements as `check_elements` does, where that takes no loading of weights.

        Parameters
        ----------
        symbols : iterable of str
            Chemical symbols of the structure.

        Returns
        -------
        bool
            Whether the elements were checked; False unless a subclass can.

        Raises
        ------
        PotentialError
            Naming the elements and the potential.
        """
        return False

    def check_elements(self, symbols: Iterable[str]) -> None:
        """Refuse a structure with an element that the potential does not know.

        Parameters
        ----------
        symbols : iterable of str
            Chemical symbols of the structure.

        Raises
        ------
        PotentialError
            Naming the elements and the potential.
        """
        known = self.known_elements()
        if known is None:
            return
        unknown = sorted(set(symbols) - known)
        if unknown:
            label = self.name if self.provenance.model is None else f"{self.name} ({self.provenance.model})"
            plural = "s" if len(unknown) > 1 else ""
            reach = ", ".join(sorted(known)) if len(known) <= 20 else f"{len(known)} others"
            raise UnknownElementError(
                f"The potential {label} does not know the element{plural} {', '.join(unknown)} (it knows {reach}): "
                "choose a potential that covers every element of the structure; superion potential list names them."
            )

    def cautions(self, atoms: Atoms, temperature_k: float | None = None) -> list[str]:
        """Say what a reader should know of results of this potential for a structure.

        Parameters
        ----------
        atoms : ase.Atoms
            The structure.
        temperature_k : float or None
            Temperature of the dynamics in K; None for none.

        Returns
        -------
        list of str
            One clause each, such as on conditions that it was not trained for; empty unless a subclass knows them.
        """
        return []

    @property
    def supports_torch_sim(self) -> bool:
        """Whether `torch_sim_model` works here: this potential can serve torch-sim and torch-sim is installed."""
        return self.offers_torch_sim and importlib.util.find_spec("torch_sim") is not None

    def torch_sim_model(self) -> Any:
        """Build a torch-sim model for batched dynamics.

        Returns
        -------
        torch_sim.models.interface.ModelInterface
            The model, on the potential's device and in its precision.

        Raises
        ------
        PotentialError
            When this potential cannot serve torch-sim, or torch-sim is not installed.
        """
        if not self.offers_torch_sim:
            raise PotentialError(
                f"The potential '{self.name}' cannot serve torch-sim: use the ase engine with it, "
                "or a potential that can, such as mace."
            )
        if not self.supports_torch_sim:
            raise PotentialError(
                "torch-sim is not installed: run pip install 'superion[torch-sim]' (Python 3.12 or newer)."
            )
        return self._torch_sim_model()

    def _torch_sim_model(self) -> Any:
        raise NotImplementedError
