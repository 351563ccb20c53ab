"""symmetrix's ASE calculator, without what slows it down and what it remembers."""

from __future__ import annotations

import logging
import os
import shlex
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes

from ...errors import RuntimeUnavailableError

NEIGHBOUR_SKIN_ANGSTROM = 0.5
"""A neighbour list serves until an atom has moved half of this."""


_log = logging.getLogger(__name__)


class SymmetrixCalculator(Calculator):
    """A converted MACE model evaluated by symmetrix.

    Forces depend on earlier steps in the last bits, by the neighbour list with a skin, until `reset` makes the
    calculator forget them.

    Parameters
    ----------
    model_file : Path
        The converted model.
    dtype : str
        ``float32`` or ``float64``.
    backend : str
        ``cpu``, or the name of symmetrix's backend for a GPU.
    head : str or None
        Head of a model that has several.
    on_new_elements : callable or None
        Given the atoms before the first computation of every set of elements.

    Raises
    ------
    RuntimeUnavailableError
        If symmetrix cannot run on this machine or cannot load the model.
    """

    implemented_properties = ("energy", "free_energy", "energies", "forces", "stress")

    def __init__(
        self,
        model_file: Path,
        dtype: str,
        backend: str = "cpu",
        head: str | None = None,
        on_new_elements: Callable[[Atoms], None] | None = None,
    ) -> None:
        super().__init__()
        self._compiled = _load(model_file, dtype, backend, head)
        self._on_new_elements = on_new_elements
        self._seen: set[frozenset[int]] = set()

    def reset(self) -> None:
        """Forget results and neighbour list, as if the calculator were new."""
        super().reset()
        self._compiled.reset()
        self._compiled._neighbor_cache = None

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] | None = None,
    ) -> None:
        """Compute energy, forces and stress.

        Parameters
        ----------
        atoms : Atoms
            The atoms.
        properties : list of str
            What is asked for; all is computed, which costs next to nothing.
        system_changes : list of str
            What changed since the last call; everything if None.
        """
        super().calculate(atoms, properties or ["energy"], system_changes or all_changes)
        atoms = self.atoms
        elements = frozenset(atoms.numbers.tolist())
        if elements not in self._seen:
            if self._on_new_elements is not None:
                self._on_new_elements(atoms)
            self._seen.add(elements)
        wanted = [name for name in self.implemented_properties if name != "stress" or atoms.cell.rank == 3]
        self._compiled.calculate(atoms, wanted, all_changes)
        self.results = dict(self._compiled.results)


def _load(model_file: Path, dtype: str, backend: str, head: str | None) -> Any:
    """Load a converted model into symmetrix's own calculator, compiling what the model needs."""
    # symmetrix asks before each small matrix product which BLAS is loaded, by searching the symbol tables of all
    # libraries: some 12 ms of a step, whatever the size; its own loops are as fast and need not ask
    os.environ.setdefault("SYMMETRIX_HOST_WORKER_BLAS", "off")
    # one thread is bound nowhere: processes that share a node would all take the same core
    os.environ.setdefault("OMP_PROC_BIND", "false")
    try:
        import symmetrix

        symmetrix.load_backend(backend)
        from symmetrix import Symmetrix

        build = partial(Symmetrix, str(model_file), dtype=dtype, head=head, neighbor_skin=NEIGHBOUR_SKIN_ANGSTROM)
        if backend == "cpu" and not _has_compiler():
            return build(streamed_edges="non-compiled")
        try:
            # Loading code that was compiled with -ffast-math makes its thread treat subnormal numbers as zero from then
            # on, all other computations included: a thread that ends takes that along.
            with ThreadPoolExecutor(max_workers=1) as short_lived:
                return short_lived.submit(build, streamed_edges="direct").result()
        except RuntimeError as error:
            if backend != "cpu":
                raise
            _log.warning(
                "symmetrix cannot compile code for the model, and runs slower without it: %s", _one_line(error)
            )
            return build(streamed_edges="non-compiled")
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        raise RuntimeUnavailableError(
            f"symmetrix cannot evaluate models here ({_one_line(error)}): set the runtime to torch."
        ) from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _has_compiler() -> bool:
    """Say whether the compiler is there that symmetrix specialises a model with; without it a step takes longer."""
    command = shlex.split(os.environ.get("CXX", "c++"))
    return bool(command) and shutil.which(command[0]) is not None
