"""NEP: neuroevolution potentials from a file, computed on the CPU."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PotentialError
from .checksum import file_sha256
from .nep_completeness import missing_numbers
from .nep_header import NepHeader, read_nep_header
from .options import check_options
from .potential import Potential
from .quiet import quietly
from .specification import PotentialProvenance, PotentialSpecification

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

_OWN_ARGUMENTS = frozenset({"model_filename", "atoms"})


class NepPotential(Potential):
    """A neuroevolution potential (NEP) in the text format of GPUMD, computed by calorine on one CPU core.

    The model is the path of a file: a universal one such as NEP89, or one of your own. No weights come with superion
    or calorine. It is an order of magnitude faster than a graph network and less accurate, for the first cut of a
    screening. It computes in float64.

    References
    ----------
    Z. Fan et al., J. Chem. Phys. 157, 114801 (2022), https://doi.org/10.1063/5.0106617
    """

    name = "nep"
    description = "neuroevolution potential from a NEP file by path (NEP89, or one of your own), CPU, float64"
    distribution = "calorine"
    import_name = "calorine"
    install_command = "pip install 'superion[nep]'"

    def __init__(self, specification: PotentialSpecification) -> None:
        super().__init__(specification)
        if specification.dtype == "float32":
            raise PotentialError("NEP files are computed in float64 only: leave dtype at auto.")
        if specification.device not in {"auto", "cpu"}:
            raise PotentialError(
                f"NEP files are computed on the CPU only, not on '{specification.device}': leave the device at auto."
            )
        model = specification.model
        if model is None:
            raise PotentialError(
                "The potential 'nep' needs the path of a NEP file as its model, for example nep:models/nep89.txt; "
                "superion ships none."
            )
        self.weights_path = Path(model).expanduser()
        if not self.weights_path.is_file():
            raise PotentialError(f"There is no NEP file '{model}': correct the path.")

    @cached_property
    def _header(self) -> NepHeader:
        return read_nep_header(self.weights_path)

    def _provenance(self) -> PotentialProvenance:
        return PotentialProvenance(
            name=self.name,
            model=self.weights_path.name,
            weights_sha256=file_sha256(self.weights_path),
            package=self.distribution,
            package_version=self.package_version() or "unknown",
            dtype="float64",
            device="cpu",
        )

    def calculator(self) -> Calculator:
        """Build a fresh calculator from the file."""
        self._check_complete()
        options = self.specification.options
        with quietly():
            from calorine.calculators import CPUNEP

            check_options(self.name, options, CPUNEP, own=_OWN_ARGUMENTS)
            try:
                return CPUNEP(str(self.weights_path), **options)
            except Exception as error:
                raise PotentialError(
                    f"calorine cannot read the NEP file {self.weights_path.name} ({type(error).__name__}: {error}): "
                    "give a complete file of a version that this calorine can read."
                ) from error

    def _check_complete(self) -> None:
        """Refuse a file that is cut off: calorine would compute with numbers that are not there."""
        header = self._header
        missing = missing_numbers(self.weights_path, header.version, len(header.elements))
        if missing:
            raise PotentialError(
                f"The NEP file {self.weights_path.name} is cut off ({missing} of its lines are missing): get it again "
                "from where it came."
            )

    def known_elements(self) -> frozenset[str]:
        """Symbols of the elements in the file's first line."""
        return frozenset(self._header.elements)

    def check_elements_without_weights(self, symbols: Iterable[str]) -> bool:
        """Check the elements against the file's first line."""
        self.check_elements(symbols)
        return True
