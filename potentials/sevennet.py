"""SevenNet: equivariant universal potentials, two of them inside its wheel."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import PotentialError
from .checksum import file_sha256
from .device import check_device, resolve_device
from .e3nn_import import allow_e3nn_constants
from .options import check_options
from .potential import Potential
from .quiet import quietly
from .specification import PotentialProvenance, PotentialSpecification

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


class SevennetPotential(Potential):
    """SevenNet by the name of a shipped model (``7net-0`` by default, ``7net-l3i5``) or a checkpoint file.

    Beside mace only sevenn 0.10.4 can be installed, because mace pins the version of e3nn. It computes in float32.

    References
    ----------
    Y. Park et al., J. Chem. Theory Comput. 20, 4857 (2024), https://doi.org/10.1021/acs.jctc.4c00190
    """

    name = "sevennet"
    description = "SevenNet universal potentials (7net-0 and 7net-l3i5 in the wheel of 0.10.4) or a checkpoint, float32"
    distribution = "sevenn"
    import_name = "sevenn"
    install_command = "pip install 'sevenn==0.10.4'"

    default_model: ClassVar[str] = "7net-0"

    def __init__(self, specification: PotentialSpecification) -> None:
        super().__init__(specification)
        if specification.dtype == "float64":
            raise PotentialError("SevenNet computes in float32 only: leave dtype at auto, or choose mace for float64.")
        check_device(specification.device)
        path = Path(specification.model or self.default_model)
        if (path.suffix or len(path.parts) > 1) and not path.is_file():
            raise PotentialError(
                f"There is no SevenNet checkpoint file '{path}': correct the path, or give a model's name."
            )

    @cached_property
    def _device(self) -> str:
        return resolve_device(self.specification.device)

    @cached_property
    def weights_path(self) -> Path:
        """The checkpoint: the user's file, or the one in the wheel."""
        model = self.specification.model or self.default_model
        if Path(model).is_file():
            return Path(model)
        with quietly():
            allow_e3nn_constants()
            from sevenn.util import pretrained_name_to_path

            try:
                path = Path(pretrained_name_to_path(model))
            except Exception as error:
                raise PotentialError(
                    f"There is no SevenNet model '{model}' in sevenn {self.package_version()} ({error}): use 7net-0 "
                    "or 7net-l3i5, or give the path of a checkpoint file."
                ) from error
        if not path.is_file():
            raise PotentialError(
                f"The weights of the SevenNet model '{model}' are not in the installed package: fetch them as its "
                "documentation says and give the path of the checkpoint file."
            )
        return path

    def _provenance(self) -> PotentialProvenance:
        model = self.specification.model or self.default_model
        return PotentialProvenance(
            name=self.name,
            model=self.weights_path.name if Path(model).is_file() else model,
            weights_sha256=file_sha256(self.weights_path),
            package=self.distribution,
            package_version=self.package_version() or "unknown",
            dtype="float32",
            device=self._device,
        )

    def calculator(self) -> Calculator:
        """Build a fresh SevenNet calculator on the chosen device."""
        path = self.weights_path
        with quietly():
            allow_e3nn_constants()
            from atomate2.forcefields.utils import MLFF, ase_calculator
            from sevenn.calculator import SevenNetCalculator

            options: dict[str, Any] = dict(self.specification.options)
            check_options(self.name, options, SevenNetCalculator, own={"model", "device"})
            try:
                calculator = ase_calculator(MLFF.SevenNet, model=str(path), device=self._device, **options)
            except Exception as error:
                raise PotentialError(
                    f"SevenNet's calculator cannot be built from {path.name} with the options {options} "
                    f"({type(error).__name__}: {error}): give a checkpoint of this version, or correct the options."
                ) from error
        return calculator

    @cached_property
    def _elements(self) -> frozenset[str]:
        from ase.data import chemical_symbols

        return frozenset(chemical_symbols[int(number)] for number in self.calculator().type_map)

    def known_elements(self) -> frozenset[str]:
        """Symbols of the elements that the model holds."""
        return self._elements
