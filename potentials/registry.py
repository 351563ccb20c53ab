"""Potentials by name: superion's own and those that other packages register by entry point."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from ..errors import PotentialError
from ..plugins import PluginGroup
from .potential import Potential
from .specification import PotentialSpecification

POTENTIALS: PluginGroup[Potential] = PluginGroup("superion.potentials", "potential", Potential, PotentialError)
"""The entry points by which any package registers a potential."""


class PotentialInfo(BaseModel):
    """One line of the list of potentials.

    Examples
    --------
    >>> from superion.potentials.registry import list_potentials
    >>> "chgnet" in [info.name for info in list_potentials()]
    True
    """

    model_config = ConfigDict(frozen=True)

    name: str = Field(description="registered name")
    description: str = Field(description="what it is")
    installed: bool = Field(description="whether the package that computes the forces is there")
    package: str = Field(description="package that computes the forces")
    package_version: str | None = Field(description="its version, null when it is not installed")
    supports_torch_sim: bool = Field(description="whether it can serve torch-sim")
    install_command: str = Field(description="the command that installs it")


def potential_class(name: str) -> type[Potential]:
    """Find the class registered under a name.

    Parameters
    ----------
    name : str
        Registered name.

    Returns
    -------
    type of Potential
        The class.

    Raises
    ------
    PotentialError
        When no such name is registered (the nearest known one is named) or its package is broken.
    """
    return POTENTIALS.load(name)


def load_potential(specification: PotentialSpecification) -> Potential:
    """Give the potential that a specification names; never another one in its place.

    Parameters
    ----------
    specification : PotentialSpecification
        Name, model, device, precision and options.

    Returns
    -------
    Potential
        Ready to give calculators.

    Raises
    ------
    PotentialError
        When the name is unknown, the package is not installed, the model cannot be found or the device or
        precision cannot be had.

    Examples
    --------
    >>> from superion.potentials.specification import PotentialSpecification
    >>> emt = load_potential(PotentialSpecification(name="ase", model="ase.calculators.emt.EMT"))
    >>> emt.provenance.package
    'ase'
    """
    return potential_class(specification.name)(specification)


def list_potentials() -> list[PotentialInfo]:
    """List every registered potential, installed or not, without importing torch.

    Returns
    -------
    list of PotentialInfo
        Sorted by name. A registered potential whose module cannot be imported is listed as not installed, with the
        reason as its description.
    """
    infos = []
    for name, point in POTENTIALS.points().items():
        try:
            kind = potential_class(name)
        except PotentialError as error:
            infos.append(
                PotentialInfo(
                    name=name,
                    description=str(error),
                    installed=False,
                    package=point.dist.name if point.dist else point.module,
                    package_version=None,
                    supports_torch_sim=False,
                    install_command="",
                )
            )
            continue
        infos.append(
            PotentialInfo(
                name=name,
                description=kind.description,
                installed=kind.is_installed(),
                package=kind.distribution,
                package_version=kind.package_version(),
                supports_torch_sim=kind.offers_torch_sim,
                install_command=kind.install_command,
            )
        )
    return infos
