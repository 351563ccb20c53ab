"""CHGNet's ASE calculator, computing what is asked for and no more."""

from __future__ import annotations

from typing import Any

from ase import Atoms
from chgnet.model.dynamics import CHGNetCalculator


class ChgnetCalculator(CHGNetCalculator):
    """CHGNet's own calculator without the gradients that nobody wants.

    The parent computes stress at every step, which takes a second backward pass as long as that of the forces, and
    keeps the weights differentiable, as for training. Here stress and magnetic moments are computed from the first
    time on that they are asked for, and the weights are constants. Energies and forces are bitwise the parent's.

    Parameters
    ----------
    model : CHGNet
        The model; its weights are made constant.
    **options : Any
        As for `chgnet.model.dynamics.CHGNetCalculator`.

    Examples
    --------
    >>> import contextlib, io
    >>> from ase.build import bulk
    >>> from chgnet.model.model import CHGNet
    >>> with contextlib.redirect_stdout(io.StringIO()):
    ...     calculator = ChgnetCalculator(CHGNet.load(use_device="cpu", verbose=False), use_device="cpu")
    >>> atoms = bulk("LiF", "rocksalt", a=4.0)
    >>> atoms.calc = calculator
    >>> forces = atoms.get_forces()
    >>> sorted(name for name in calculator.results if name in ("energy", "forces", "stress", "magmoms"))
    ['energy', 'forces']
    >>> atoms.get_stress().shape
    (6,)
    """

    def __init__(self, model: Any, **options: Any) -> None:
        super().__init__(model=model, **options)
        self.model.requires_grad_(False)
        self._with_stress = False
        self._with_magmoms = False

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: list[str] | None = None,
        system_changes: list[str] | None = None,
    ) -> None:
        """Compute energy and forces, and whatever else was asked for now or before.

        Parameters
        ----------
        atoms : Atoms
            The atoms.
        properties : list of str
            What is asked for; everything if None.
        system_changes : list of str
            What changed since the last call; everything if None.
        """
        self._with_stress |= properties is None or "stress" in properties
        self._with_magmoms |= properties is None or bool({"magmoms", "magmom"}.intersection(properties))
        task = "efsm" if self._with_magmoms else "efs" if self._with_stress else "ef"
        super().calculate(atoms, properties, system_changes, task=task)
