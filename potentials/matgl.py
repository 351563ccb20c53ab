"""Materials graph library: M3GNet, TensorNet, CHGNet and others in its model format."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..errors import PotentialError
from .checksum import file_sha256
from .options import check_options
from .potential import Potential
from .quiet import quietly
from .specification import PotentialProvenance, PotentialSpecification

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

_MODEL_FILES = ("model.json", "model.pt", "state.pt")
_HUB_ORGANISATION = "materialyze"


class MatglPotential(Potential):
    """A matgl potential by name (downloaded to matgl's cache when it is not there), or a folder saved by matgl.

    atomate2's calculator loading is not used here: it leaves the stress in GPa where ASE wants eV/Å³, and records no
    digest. matgl builds its graphs on the CPU and in float32.

    References
    ----------
    C. Chen & S. P. Ong, Nat. Comput. Sci. 2, 718 (2022), https://doi.org/10.1038/s43588-022-00349-3
    """

    name = "matgl"
    description = "matgl models (M3GNet, TensorNet, …) by name or folder, float32, CPU"
    distribution = "matgl"
    import_name = "matgl"
    install_command = "pip install 'matgl>=4'"

    default_model: ClassVar[str] = "TensorNet-PES-MatPES-PBE-2025.2"

    def __init__(self, specification: PotentialSpecification) -> None:
        super().__init__(specification)
        if specification.dtype == "float64":
            raise PotentialError("matgl's models compute in float32: leave dtype at auto, or choose mace for float64.")
        if specification.device not in {"auto", "cpu"}:
            raise PotentialError(
                f"matgl's ASE calculator runs on the CPU only, not on '{specification.device}': "
                "leave the device at auto, or choose another potential."
            )

    @property
    def _model_name(self) -> str:
        return self.specification.model or self.default_model

    @cached_property
    def _model(self) -> Any:
        with quietly():
            import matgl

            try:
                return matgl.load_model(self._model_name)
            except Exception as error:
                cause = error.__cause__ or error
                raise PotentialError(
                    f"The matgl model '{self._model_name}' is neither a folder with {', '.join(_MODEL_FILES)} nor in "
                    f"matgl's cache, and cannot be downloaded ({type(cause).__name__}): connect to a network, correct "
                    "the name, or give the path of such a folder."
                ) from error

    def _files(self) -> list[Path]:
        folder = Path(self._model_name)
        if folder.is_dir():
            return [folder / name for name in _MODEL_FILES]
        self._model  # noqa: B018  it is in the cache after this
        from huggingface_hub import hf_hub_download
        from matgl.config import MATGL_CACHE

        repository = self._model_name if "/" in self._model_name else f"{_HUB_ORGANISATION}/{self._model_name}"
        return [
            Path(hf_hub_download(repository, name, cache_dir=str(MATGL_CACHE), local_files_only=True))
            for name in _MODEL_FILES
        ]

    def _provenance(self) -> PotentialProvenance:
        # architecture and weights lie in three files: the digest is of their digests in a fixed order
        digest = hashlib.sha256("".join(file_sha256(path) for path in self._files()).encode()).hexdigest()
        return PotentialProvenance(
            name=self.name,
            model=Path(self._model_name).name,
            weights_sha256=digest,
            package=self.distribution,
            package_version=self.package_version() or "unknown",
            dtype="float32",
            device="cpu",
        )

    def calculator(self) -> Calculator:
        """Build a fresh matgl calculator whose stress is in eV/Å³."""
        model = self._model
        with quietly():
            from matgl.ext.ase import PESCalculator

            check_options(self.name, self.specification.options, PESCalculator, own={"potential"})
            try:
                return PESCalculator(model, **{"stress_unit": "eV/A3", "use_voigt": True} | self.specification.options)
            except Exception as error:
                raise PotentialError(
                    f"matgl's calculator cannot be built with the options {self.specification.options} "
                    f"({type(error).__name__}: {error}): correct the options."
                ) from error

    def known_elements(self) -> frozenset[str]:
        """Symbols of the elements that the model holds."""
        return frozenset(self._model.model.element_types)
