"""Any ASE calculator by dotted path."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from functools import cached_property
from importlib import metadata
from typing import TYPE_CHECKING, Any

from ..errors import PotentialError
from .checksum import parameters_sha256
from .device import resolve_device
from .potential import Potential
from .quiet import quietly
from .specification import PotentialProvenance, PotentialSpecification

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator


class AseCalculatorPotential(Potential):
    """An ASE calculator class named by its dotted path, with the options as its keyword arguments.

    Its provenance is the sha256 of the class path and the parameters (files among them by their bytes).

    Examples
    --------
    >>> from superion.potentials.registry import load_potential
    >>> from superion.potentials.specification import PotentialSpecification
    >>> potential = load_potential(PotentialSpecification(name="ase", model="ase.calculators.lj.LennardJones"))
    >>> type(potential.calculator()).__name__
    'LennardJones'
    """

    name = "ase"
    description = "any ASE calculator by dotted path, its keyword arguments as options"
    distribution = "ase"
    import_name = "ase"
    install_command = "pip install ase"

    def __init__(self, specification: PotentialSpecification) -> None:
        super().__init__(specification)
        self._device()
        self._dtype()

    @cached_property
    def _factory(self) -> Any:
        path = self.specification.model
        if not path or "." not in path:
            raise PotentialError(
                "The potential 'ase' needs the dotted path of a calculator class as its model, "
                f"for example ase.calculators.emt.EMT, and got '{path or 'nothing'}'."
            )
        module_name, _, class_name = path.rpartition(".")
        try:
            with quietly():
                module = importlib.import_module(module_name)
        except ImportError as error:
            raise PotentialError(
                f"The calculator '{path}' cannot be imported ({error}): install the package that holds it, "
                "or correct the path."
            ) from error
        factory = getattr(module, class_name, None)
        if factory is None or not callable(factory):
            raise PotentialError(f"The module {module_name} has no calculator named '{class_name}': correct the path.")
        return factory

    @cached_property
    def _accepted(self) -> frozenset[str]:
        try:
            return frozenset(inspect.signature(self._factory).parameters)
        except (TypeError, ValueError):
            return frozenset()

    def _device(self) -> str:
        if "device" in self.specification.options:
            return str(self.specification.options["device"])
        if "device" in self._accepted:
            return resolve_device(self.specification.device)
        if self.specification.device not in {"auto", "cpu"}:
            raise PotentialError(
                f"The calculator '{self.specification.model}' has no argument 'device', so it cannot be put on "
                f"'{self.specification.device}': leave the device at auto, or give the calculator's own option."
            )
        return "cpu"

    def _dtype(self) -> str:
        for key in ("dtype", "default_dtype"):
            if key in self.specification.options:
                return str(self.specification.options[key]).removeprefix("torch.")
        if self.specification.dtype == "float32":
            raise PotentialError(
                f"superion cannot set the precision of the calculator '{self.specification.model}': "
                "leave dtype at auto, or give the calculator's own option."
            )
        return "float64"

    def _parameters(self) -> dict[str, Any]:
        parameters = dict(self.specification.options)
        if "device" in self._accepted and "device" not in parameters:
            parameters["device"] = self._device()
        return parameters

    def _provenance(self) -> PotentialProvenance:
        module = self._factory.__module__.split(".")[0]
        try:
            version = metadata.version(module)
        except metadata.PackageNotFoundError:
            version = str(getattr(importlib.import_module(module), "__version__", "unknown"))
        path = str(self.specification.model)
        # the device is recorded on its own: the same parameters on another device are the same potential
        options = {key: value for key, value in self.specification.options.items() if key != "device"}
        return PotentialProvenance(
            name=self.name,
            model=path,
            weights_sha256=parameters_sha256(path, options),
            package=module,
            package_version=version,
            dtype=self._dtype(),
            device=self._device(),
        )

    def calculator(self) -> Calculator:
        """Build a fresh calculator with the options as keyword arguments."""
        try:
            with quietly():
                return self._factory(**self._parameters())
        except PotentialError:
            raise
        except Exception as error:
            raise PotentialError(
                f"The calculator '{self.specification.model}' cannot be built with the options "
                f"{self.specification.options} ({type(error).__name__}: {error}): correct the options."
            ) from error

    def check_elements_without_weights(self, symbols: Iterable[str]) -> bool:
        """Build the calculator, which checks its options too; most have no weights."""
        self.check_elements(symbols)
        return True

    def known_elements(self) -> frozenset[str] | None:
        """Symbols that the calculator names in an attribute `known_elements`; None when it has none."""
        known = getattr(self.calculator(), "known_elements", None)
        return None if known is None else frozenset(known)
