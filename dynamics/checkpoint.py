"""The exact state of a run at one step, in float64."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms

if TYPE_CHECKING:
    import h5py

IntegratorState = dict[str, np.ndarray | str]
"""What an integrator knows beyond positions, momenta and cell: float64 arrays and texts by name."""


@dataclass(frozen=True)
class Checkpoint:
    """Everything that the rest of the trajectory depends on.

    Attributes
    ----------
    key : str
        Identity of the trajectory it belongs to.
    step : int
        MD step, counted from the start of the trajectory.
    positions : numpy.ndarray, shape (n_atoms, 3)
        Unwrapped positions in Å, float64.
    momenta : numpy.ndarray, shape (n_atoms, 3)
        Momenta in ASE units, √(eV·amu), float64.
    cell : numpy.ndarray, shape (3, 3)
        Cell vectors in Å, float64.
    integrator_state : dict
        Random stream, thermostat and barostat; None before the first step.
    """

    key: str
    step: int
    positions: np.ndarray
    momenta: np.ndarray
    cell: np.ndarray
    integrator_state: IntegratorState | None

    def apply(self, atoms: Atoms) -> None:
        """Set positions, momenta and cell of the atoms to the checkpoint's.

        Parameters
        ----------
        atoms : ase.Atoms
            The atoms to change.
        """
        atoms.set_cell(self.cell, scale_atoms=False)
        atoms.positions = self.positions
        atoms.set_momenta(self.momenta)

    def write(self, group: h5py.Group) -> None:
        """Write the checkpoint into an HDF5 group.

        Parameters
        ----------
        group : h5py.Group
            An empty group.
        """
        group.attrs["key"] = self.key
        group.attrs["step"] = self.step
        for name in ("positions", "momenta", "cell"):
            group.create_dataset(name, data=np.asarray(getattr(self, name), dtype=np.float64))
        state = group.create_group("integrator")
        for name, value in sorted((self.integrator_state or {}).items()):
            if isinstance(value, str):
                state.attrs[name] = value
            else:
                state.create_dataset(name, data=np.asarray(value, dtype=np.float64))

    @classmethod
    def read(cls, group: h5py.Group) -> Checkpoint:
        """Read a checkpoint from an HDF5 group.

        Parameters
        ----------
        group : h5py.Group
            What `write` filled.

        Returns
        -------
        Checkpoint
            Equal bit by bit to the one written.
        """
        state: IntegratorState = {name: str(value) for name, value in group["integrator"].attrs.items()}
        state.update({name: dataset[()] for name, dataset in group["integrator"].items()})
        return cls(
            key=str(group.attrs["key"]),
            step=int(group.attrs["step"]),
            positions=group["positions"][()],
            momenta=group["momenta"][()],
            cell=group["cell"][()],
            integrator_state=state,
        )
