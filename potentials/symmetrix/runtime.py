"""A MACE model that symmetrix evaluates: converted, and checked against mace-torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from ...errors import RuntimeUnavailableError
from .agreement import Agreement, check_structures, compare
from .backends import DISTRIBUTION, backend_of, symmetrix_version
from .cache import MODEL_FILE
from .check_record import CheckRecord
from .conversion import MaceModelFile, convert

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator


@dataclass(frozen=True)
class MaceReference:
    """The model as mace-torch evaluates it, asked only where there is something to compare.

    Attributes
    ----------
    symbols : callable
        Gives the elements of the model.
    calculator : callable
        Opens a calculator in float64 on the CPU, as a context.
    """

    symbols: Callable[[], Iterable[str]]
    calculator: Callable[[], AbstractContextManager[Calculator]]


class SymmetrixRuntime:
    """A converted model that agrees with mace-torch, ready to give calculators.

    It is converted and compared on structures made of all its elements when it is first asked for, and compared again
    on the first structure of every new set of elements. What came out is kept beside the converted model.

    Parameters
    ----------
    model : MaceModelFile
        The model.
    dtype : str
        ``float32`` or ``float64``.
    device : str
        ``cpu`` or ``cuda:0``.
    reference : MaceReference
        The same model in mace-torch.

    Raises
    ------
    RuntimeUnavailableError
        If symmetrix is not installed for this device, the model cannot be converted, or it disagrees with mace-torch.
    """

    name: ClassVar[str] = "symmetrix"
    package: ClassVar[str] = DISTRIBUTION

    def __init__(self, model: MaceModelFile, dtype: str, device: str, reference: MaceReference) -> None:
        self.model = model
        self.dtype = dtype
        self.backend = backend_of(device)
        self._reference = reference
        folder = convert(model)
        self._file = folder / MODEL_FILE
        self._record = CheckRecord(folder / f"agreement-{dtype}-{self.backend}.json")
        if not self._record.agreements():
            self._compare(check_structures(sorted(reference.symbols())), is_given=False)
        self._refuse_disagreement()

    @property
    def package_version(self) -> str | None:
        """Version of symmetrix."""
        return symmetrix_version()

    @property
    def elements(self) -> frozenset[str]:
        """Elements of the model, known without loading it."""
        return frozenset(symbol for agreement in self._record.agreements() for symbol in agreement.elements)

    def calculator(self) -> Calculator:
        """Build a calculator that compares itself with mace-torch on the first structure of unseen elements.

        Returns
        -------
        ase.calculators.calculator.Calculator
            A fresh one.
        """
        from .calculator import SymmetrixCalculator

        return SymmetrixCalculator(self._file, self.dtype, self.backend, self.model.head, on_new_elements=self._check)

    def _bare_calculator(self) -> Calculator:
        from .calculator import SymmetrixCalculator

        return SymmetrixCalculator(self._file, self.dtype, self.backend, self.model.head)

    def _check(self, atoms: Atoms) -> None:
        """Compare on the structure at hand, unless one of the same elements was compared before."""
        if not all(atoms.pbc):
            return
        if self._record.has_structure_of(atoms.get_chemical_symbols()):
            return
        self._compare([atoms], is_given=True)
        self._refuse_disagreement()

    def _compare(self, structures: Sequence[Atoms], *, is_given: bool) -> None:
        with self._reference.calculator() as reference:
            for atoms in structures:
                self._record.add(compare(atoms, self._bare_calculator(), reference, is_given=is_given))

    def _refuse_disagreement(self) -> None:
        wrong: Agreement | None = next((one for one in self._record.agreements() if not one.is_close), None)
        if wrong is not None:
            raise RuntimeUnavailableError(
                f"symmetrix differs from mace-torch for the MACE model {self.model.path.name} by {wrong.clause}, more "
                "than is allowed: set the runtime to torch for this model."
            )
