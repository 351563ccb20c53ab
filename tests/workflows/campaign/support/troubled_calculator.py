"""The analytic conductor with troubles on command, importable by worker processes."""

from __future__ import annotations

import os
import resource
import signal
import time
from collections.abc import Mapping
from pathlib import Path

from superion.potentials.cosine_lattice import CosineLatticeCalculator

HANGS_AFTER = 250
"""Steps that go well first: one segment of the campaign's trajectories, and part of the next."""


class TroubledCalculator(CosineLatticeCalculator):
    """Br kills the process or hangs, I fills the disk, as long as the files of these names are in the folder.

    A file `slow` holds the seconds that every step takes longer; who hangs says so by a file `hanging`.
    """

    def __init__(self, folder: str, barriers_ev: Mapping[str, float], spacing_angstrom: float, **options) -> None:
        super().__init__(barriers_ev, spacing_angstrom, **options)
        self.folder = Path(folder)
        self.n_calls = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=("positions",)) -> None:
        super().calculate(atoms, properties, system_changes)
        self.n_calls += 1
        if (self.folder / "slow").exists():
            time.sleep(float((self.folder / "slow").read_text() or 0.0))
        symbols = set(self.atoms.get_chemical_symbols())
        if "Br" in symbols and (self.folder / "kill").exists():
            os.kill(os.getpid(), signal.SIGKILL)
        if "Br" in symbols and self.n_calls > HANGS_AFTER and (self.folder / "hang").exists():
            (self.folder / "hanging").touch()
            # SIGTERM is heard, and the sleep goes on.
            time.sleep(1e6)
        if "I" in symbols and (self.folder / "full").exists():
            resource.setrlimit(resource.RLIMIT_FSIZE, (500, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
