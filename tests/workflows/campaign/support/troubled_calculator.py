"""The analytic conductor with troubles on command, importable by worker processes."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Mapping
from pathlib import Path

from superion.potentials.cosine_lattice import CosineLatticeCalculator


class TroubledCalculator(CosineLatticeCalculator):
    """Br kills the process, I fills the disk, as long as the files of these names are in the folder."""

    def __init__(self, folder: str, barriers_ev: Mapping[str, float], spacing_angstrom: float, **options) -> None:
        super().__init__(barriers_ev, spacing_angstrom, **options)
        self.folder = Path(folder)

    def calculate(self, atoms=None, properties=("energy",), system_changes=("positions",)) -> None:
        super().calculate(atoms, properties, system_changes)
        symbols = set(self.atoms.get_chemical_symbols())
        if "Br" in symbols and (self.folder / "kill").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        if "I" in symbols and (self.folder / "full").exists():
            resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
