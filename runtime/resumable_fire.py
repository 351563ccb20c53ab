"""ASE's FIRE optimiser, which can be stopped after any step and continued by another process."""

from __future__ import annotations

from typing import Any

import numpy as np
from ase import Atoms
from ase.optimize import FIRE
from pydantic import BaseModel, ConfigDict, Field


class FireState(BaseModel):
    """All that the next step depends on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    n_steps: int = Field(description="steps so far")
    cell_angstrom: list[list[float]] = Field(description="cell vectors in Å")
    positions_angstrom: list[list[float]] = Field(description="positions in Å")
    velocities: list[float] | None = Field(description="FIRE's velocities, the cell's share included")
    time_step: float = Field(description="FIRE's time step now")
    mixing: float = Field(description="FIRE's share of the force's direction now (alpha)")
    n_downhill: int = Field(description="steps since the last one uphill")


class ResumableFIRE(FIRE):
    """FIRE whose state can be taken and put back: the same steps follow.

    Parameters
    ----------
    atoms : Atoms or Filter
        What is relaxed; a cell filter must be one of the structure that the relaxation started from.
    **settings
        As for ASE's FIRE.

    Examples
    --------
    >>> from ase.build import bulk
    >>> from ase.calculators.emt import EMT
    >>> copper = bulk("Cu", a=3.8)
    >>> copper.calc = EMT()
    >>> optimizer = ResumableFIRE(copper, logfile=None)
    >>> optimizer.state().n_steps
    0
    """

    def run(self, fmax: float = 0.05, steps: int = 100_000_000) -> bool:
        """Optimise.

        Parameters
        ----------
        fmax : float
            Largest force allowed at the end in eV/Å.
        steps : int
            Most steps, those before a continuation included.

        Returns
        -------
        bool
            Whether the force criterion was met.
        """
        return bool(super().run(fmax=fmax, steps=steps - self.nsteps))

    def state(self) -> FireState:
        """Give the state after the last step.

        Returns
        -------
        FireState
            Plain numbers.
        """
        atoms = self._plain_atoms()
        return FireState(
            n_steps=self.nsteps,
            cell_angstrom=atoms.cell.array.tolist(),
            positions_angstrom=atoms.positions.tolist(),
            velocities=None if self.vel is None else np.ravel(self.vel).tolist(),
            time_step=float(self.dt),
            mixing=float(self.a),
            n_downhill=self.Nsteps,
        )

    def restore(self, state: FireState) -> None:
        """Go on from a state.

        Parameters
        ----------
        state : FireState
            What `state` gave, of the same structure.
        """
        # Not through the filter, whose logarithm and exponential of the cell would change the last bits.
        atoms = self._plain_atoms()
        atoms.set_cell(np.array(state.cell_angstrom), scale_atoms=False)
        atoms.set_positions(np.array(state.positions_angstrom))
        self.nsteps = state.n_steps
        self.vel = None if state.velocities is None else np.array(state.velocities)
        self.dt, self.a, self.Nsteps = state.time_step, state.mixing, state.n_downhill

    def _plain_atoms(self) -> Atoms:
        atoms: Any = self.atoms
        return atoms if isinstance(atoms, Atoms) else atoms.atoms
