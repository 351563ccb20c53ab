"""CHGNet: a universal potential whose weights come inside its wheel."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import PotentialError
from .checksum import file_sha256
from .device import check_device, resolve_device
from .options import check_options
from .potential import Potential
from .quiet import quietly
from .specification import PotentialProvenance, PotentialSpecification

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

# The Materials Project trajectories hold 89 elements: 1 to 94 without these. The network has (random) weights for
# them all the same and would answer without a word.
_SHIPPED_REACH = 94
_NOT_IN_TRAINING_DATA = frozenset({"Po", "At", "Rn", "Fr", "Ra"})


class ChgnetPotential(Potential):
    """CHGNet, trained on the Materials Project trajectories.

    The model is a version shipped in the wheel (``0.3.0`` by default, ``0.2.0``, ``r2scan``) or the path of a
    checkpoint. It computes in float32 only.

    atomate2's calculator loading is not used here: without the chgnet package it takes another CHGNet, of the matgl
    package, in its place, and nothing in superion falls back silently.

    References
    ----------
    B. Deng et al., Nat. Mach. Intell. 5, 1031 (2023), https://doi.org/10.1038/s42256-023-00716-3
    """

    name = "chgnet"
    description = (
        "CHGNet universal potential, weights in its wheel, float32 only; softens barriers, so ions diffuse too fast"
    )
    distribution = "chgnet"
    import_name = "chgnet"
    install_command = "pip install 'superion[chgnet]'"

    default_model: ClassVar[str] = "0.3.0"

    def __init__(self, specification: PotentialSpecification) -> None:
        super().__init__(specification)
        if specification.dtype == "float64":
            raise PotentialError("CHGNet computes in float32 only: leave dtype at auto, or choose mace for float64.")
        check_device(specification.device)
        self.weights_path = self._find_weights()

    def _find_weights(self) -> Path:
        model = self.specification.model or self.default_model
        if Path(model).is_file():
            return Path(model)
        package = importlib.util.find_spec("chgnet")
        locations = list(package.submodule_search_locations or []) if package else []
        shipped = {
            weights.parent.name: weights
            for location in locations
            for weights in sorted(Path(location, "pretrained").glob("*/*.pth.tar"))
        }
        if model not in shipped:
            raise PotentialError(
                f"There is no CHGNet model '{model}': the installed package ships {', '.join(sorted(shipped))}, "
                "or give the path of a checkpoint file."
            )
        return shipped[model]

    @property
    def _is_shipped(self) -> bool:
        return self.specification.model is None or not Path(self.specification.model).is_file()

    @cached_property
    def _device(self) -> str:
        return resolve_device(self.specification.device)

    @cached_property
    def _model(self) -> Any:
        # a device that is not there is no fault of the file
        device = self._device
        with quietly():
            from chgnet.model.model import CHGNet

            try:
                if not self._is_shipped:
                    return CHGNet.from_file(str(self.weights_path)).to(device)
                return CHGNet.load(
                    model_name=self.specification.model or self.default_model, use_device=device, verbose=False
                )
            except Exception as error:
                raise PotentialError(
                    f"The file {self.weights_path.name} cannot be read as a CHGNet checkpoint "
                    f"({type(error).__name__}: {error}): give the path of one."
                ) from error

    def _provenance(self) -> PotentialProvenance:
        return PotentialProvenance(
            name=self.name,
            model=(self.specification.model or self.default_model) if self._is_shipped else self.weights_path.name,
            weights_sha256=file_sha256(self.weights_path),
            package=self.distribution,
            package_version=self.package_version() or "unknown",
            dtype="float32",
            device=self._device,
        )

    def calculator(self) -> Calculator:
        """Build a fresh CHGNet calculator on the chosen device."""
        model = self._model
        # raised by chgnet's own code at the first step of every process; nothing that a user could mend
        warnings.filterwarnings("ignore", message="Converting a tensor with requires_grad=True to a scalar")
        with quietly():
            from chgnet.model.dynamics import CHGNetCalculator

            from .chgnet_calculator import ChgnetCalculator

            check_options(self.name, self.specification.options, CHGNetCalculator, own={"model", "use_device"})
            try:
                return ChgnetCalculator(model=model, use_device=self._device, **self.specification.options)
            except TypeError as error:
                raise PotentialError(
                    f"CHGNet's calculator refuses the options {self.specification.options} ({error}): correct them."
                ) from error

    def check_elements_without_weights(self, symbols: Iterable[str]) -> bool:
        """Check the elements of a shipped model; a file must be read to know its own."""
        if self._is_shipped:
            self.check_elements(symbols)
        return self._is_shipped

    def known_elements(self) -> frozenset[str]:
        """Symbols of hydrogen to plutonium; for a shipped model without those that its training data does not hold."""
        from ase.data import chemical_symbols

        if self._is_shipped:
            return frozenset(chemical_symbols[1 : _SHIPPED_REACH + 1]) - _NOT_IN_TRAINING_DATA
        return frozenset(chemical_symbols[1 : int(self._model.atom_embedding.embedding.num_embeddings) + 1])
