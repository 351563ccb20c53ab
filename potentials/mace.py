"""MACE: foundation models by name, or a model file."""

from __future__ import annotations

import contextlib
import difflib
import logging
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from ..configs.shipped import shipped_files
from ..errors import PotentialError, RuntimeUnavailableError, as_clause
from .checksum import file_sha256
from .device import check_device, resolve_device
from .mace_model import load_mace_model, model_header
from .mace_runtimes import DEFAULT_RUNTIME, OPTION, SYMMETRIX_OPTIONS, requested_runtime
from .model_file import SUFFIX
from .model_header import ModelHeader
from .options import check_options
from .potential import Potential
from .quiet import quietly
from .specification import PotentialProvenance, PotentialSpecification
from .symmetrix.backends import require_symmetrix
from .trained_range import cautions_of

if TYPE_CHECKING:
    from ase import Atoms
    from ase.calculators.calculator import Calculator

    from .symmetrix.runtime import SymmetrixRuntime

_OWN_ARGUMENTS = frozenset({"models", "model_paths", "model_path", "device", "default_dtype"})
_UNNAMED_ARGUMENTS = frozenset({"head", "compute_atomic_stresses"})
_FORCE = "force"

_log = logging.getLogger(__name__)


class MacePotential(Potential):
    """A MACE model: a foundation model or one that ships with superion by name, or a model file by path.

    Names are those of mace-torch itself: the inorganic ones as they are (``medium-mpa-0``, ``small``, ``mh-1``; the
    published spelling ``mace-mpa-0-medium`` is understood too), the organic and molecular families with a prefix
    (``off-small``, ``omol-extra_large``). Without a model it is ``medium-mpa-0``. A named model that is not in
    mace's cache is downloaded, because the user named it; nothing else is. In float32 unless told otherwise for a
    foundation model, in its own precision for a file.

    atomate2's calculator loading is not used here: it puts a model file on the CPU whatever there is, records no
    digest of the weights, and does not know most of the names.

    The option `runtime` chooses what evaluates the model: ``torch`` (mace-torch itself, the default), ``symmetrix``
    (compiled code, several times faster, for models of scalar channels), or ``auto``: symmetrix where it is installed
    and agrees with mace-torch, else torch. For superion's own model files the default is ``auto``. The runtime that was
    used is part of the provenance.

    Notes
    -----
    Loading a model file runs the Python code pickled in it, as everywhere with MACE: load only files you trust.

    References
    ----------
    I. Batatia et al., arXiv:2401.00096 (2023), https://doi.org/10.48550/arXiv.2401.00096
    """

    name = "mace"
    description = "MACE foundation models by name (default medium-mpa-0) or any MACE model file, float32 or float64"
    distribution = "mace-torch"
    import_name = "mace"
    install_command = "pip install 'superion[mace]'"
    offers_torch_sim = True

    default_model: ClassVar[str] = "medium-mpa-0"

    def __init__(self, specification: PotentialSpecification) -> None:
        super().__init__(specification)
        check_device(specification.device)
        model = specification.model or self.default_model
        path = shipped_files("potentials", SUFFIX).get(model, Path(model).expanduser())
        self._header: ModelHeader | None = None
        if path.is_file():
            self._file: Path | None = path
            self._header = model_header(path)
            self._refuse_rejected()
        elif path.suffix or len(path.parts) > 1:
            raise PotentialError(f"There is no MACE model file '{model}': correct the path, or give a model's name.")
        else:
            self._file = None
            self._foundation = _find_foundation(model)
        # superion's own model files are newer than the choice: no trajectory of theirs has the key of another runtime
        default = DEFAULT_RUNTIME if self._header is None else "auto"
        self._requested_runtime = requested_runtime(specification.options, default)
        if self._requested_runtime == "symmetrix":
            self._check_symmetrix()

    @cached_property
    def _device(self) -> str:
        return resolve_device(self.specification.device)

    @cached_property
    def weights_path(self) -> Path:
        """The model file; a foundation model is downloaded to mace's cache when it is not there yet."""
        return self._file or _fetch(*self._foundation)

    @property
    def _model_name(self) -> str:
        if self._header is not None and self._header.name:
            # A file that is kept under its digest has the name that its user knows.
            return f"{self._header.name}{SUFFIX}"
        if self._file is not None:
            return self._file.name
        family, model = self._foundation
        return model if family == "mp" else f"{family}-{model}"

    @cached_property
    def _model(self) -> Any:
        return load_mace_model(self.weights_path, self._device)

    @cached_property
    def _dtype(self) -> str:
        if self.specification.dtype != "auto":
            return self.specification.dtype
        if self._header is not None:
            return str(self._header.architecture["dtype"])
        if self._file is None:
            return "float32"
        return str(next(self._model.parameters()).dtype).removeprefix("torch.")

    @property
    def _weights_sha256(self) -> str:
        return self._header.weights_sha256 if self._header else file_sha256(self.weights_path)

    def _refuse_rejected(self) -> None:
        header = self._header
        if header is None or header.verdict != "rejected" or self.specification.options.get(_FORCE):
            return
        reasons = "; ".join(header.reasons) or "no reason is recorded"
        raise PotentialError(
            f"The model {self._model_name} was rejected by its validation ({reasons}): train it further, or use it "
            "nevertheless with the option force: true."
        )

    def _provenance(self) -> PotentialProvenance:
        runtime = self._symmetrix
        return PotentialProvenance(
            name=self.name,
            model=self._model_name,
            weights_sha256=self._weights_sha256,
            package=self.distribution if runtime is None else runtime.package,
            package_version=(self.package_version() if runtime is None else runtime.package_version) or "unknown",
            dtype=self._dtype,
            device=self._device,
            runtime=None if runtime is None else runtime.name,
        )

    @cached_property
    def _options(self) -> dict[str, Any]:
        """Options for MACE's own calculator."""
        options = {name: value for name, value in self.specification.options.items() if name not in (OPTION, _FORCE)}
        if self._file is None and self._foundation[0] == "omol":
            options.setdefault("head", "omol")
        return options

    def _check_symmetrix(self) -> None:
        """Refuse what symmetrix cannot do, as far as that is known without loading anything."""
        require_symmetrix()
        foreign = sorted(set(self._options) - SYMMETRIX_OPTIONS)
        if foreign:
            raise RuntimeUnavailableError(
                f"The runtime 'symmetrix' does not know the option '{foreign[0]}' of the potential 'mace': leave it "
                "out, or set the runtime to torch."
            )

    @cached_property
    def _symmetrix(self) -> SymmetrixRuntime | None:
        """The compiled model; None where mace-torch evaluates it."""
        if self._requested_runtime == "torch":
            return None
        from .symmetrix.cache import require_cache
        from .symmetrix.conversion import MaceModelFile
        from .symmetrix.runtime import MaceReference, SymmetrixRuntime

        try:
            self._check_symmetrix()
            if self._requested_runtime == "auto":
                require_cache()
            return SymmetrixRuntime(
                MaceModelFile(self.weights_path, self._weights_sha256, self._options.get("head")),
                self._dtype,
                self._device,
                MaceReference(self._elements_of_model, self._reference_calculator),
            )
        except RuntimeUnavailableError as error:
            if self._requested_runtime == "symmetrix":
                raise
            level = logging.WARNING if OPTION in self.specification.options else logging.INFO
            _log.log(level, "mace-torch evaluates the model %s: %s.", self._model_name, as_clause(str(error)))
            return None

    def calculator(self) -> Calculator:
        """Build a fresh calculator of the runtime chosen, on the chosen device in the chosen precision."""
        if self._symmetrix is not None:
            return self._symmetrix.calculator()
        return self._torch_calculator(self._model, self._device, self._dtype)

    def _torch_calculator(self, model: Any, device: str, dtype: str) -> Calculator:
        options = self._options
        self._check_head(options.get("head"), model)
        with quietly():
            from mace.calculators import MACECalculator

            check_options(self.name, options, MACECalculator, own=_OWN_ARGUMENTS, unnamed=_UNNAMED_ARGUMENTS)
            try:
                return MACECalculator(models=[model], device=device, default_dtype=dtype, **options)
            except Exception as error:
                raise PotentialError(
                    f"MACE's calculator cannot be built from {self.weights_path.name} with the options {options} "
                    f"({type(error).__name__}: {error}): correct the options."
                ) from error

    @contextlib.contextmanager
    def _reference_calculator(self) -> Iterator[Calculator]:
        """Evaluate the model by mace-torch in float64 on the CPU, whatever the user asked for."""
        import torch

        previous = torch.get_default_dtype()  # MACE's calculator sets it for the whole process
        try:
            yield self._torch_calculator(load_mace_model(self.weights_path, "cpu"), "cpu", "float64")
        finally:
            torch.set_default_dtype(previous)

    def _check_head(self, head: Any, model: Any) -> None:
        # mace itself takes the last head when the named one is not there, which would be a silent fallback
        heads = list(getattr(model, "heads", None) or ["Default"])
        named = ", ".join(heads)
        if head is not None and head not in heads:
            raise PotentialError(f"The model {self.weights_path.name} has no head '{head}': its heads are {named}.")
        if head is None and len(heads) > 1 and not any(known.lower() == "default" for known in heads):
            raise PotentialError(
                f"The model {self.weights_path.name} has several heads ({named}) and no default: "
                "name one in the potential's options as head."
            )

    def check_elements_without_weights(self, symbols: Iterable[str]) -> bool:
        """Compare with the elements that a model file of superion names; other files say nothing without weights."""
        if self._header is None:
            return False
        self.check_elements(symbols)
        return True

    def known_elements(self) -> frozenset[str]:
        """Symbols of the elements that the model holds."""
        if self._header is None and self._symmetrix is not None:
            return self._symmetrix.elements
        return self._elements_of_model()

    def _elements_of_model(self) -> frozenset[str]:
        if self._header is not None:
            return frozenset(self._header.elements)
        from ase.data import chemical_symbols

        return frozenset(chemical_symbols[int(number)] for number in self._model.atomic_numbers)

    @property
    def supports_torch_sim(self) -> bool:
        """Whether it can serve torch-sim here: only mace-torch can, not symmetrix."""
        return super().supports_torch_sim and self._symmetrix is None

    def torch_sim_model(self) -> Any:
        """Build a torch-sim model for batched dynamics, which symmetrix cannot give."""
        if self._symmetrix is not None:
            raise RuntimeUnavailableError(
                f"The model {self._model_name} is evaluated by symmetrix, which cannot serve torch-sim: set the "
                "runtime to torch, or use the ase engine."
            )
        return super().torch_sim_model()

    def cautions(self, atoms: Atoms, temperature_k: float | None = None) -> list[str]:
        """Say where a model file of superion is used outside what it was trained for, or although it was rejected."""
        if self._header is None:
            return []
        return cautions_of(self._header, self._header.name or self._model_name, atoms, temperature_k)

    def _torch_sim_model(self) -> Any:
        import copy

        model = copy.deepcopy(self._model)  # the wrapper changes device and precision in place
        head = self._options.get("head")
        self._check_head(head, model)
        with quietly():
            import torch
            from torch_sim.models.mace import MaceModel

            return MaceModel(
                model=model, device=torch.device(self._device), dtype=getattr(torch, self._dtype), head=head
            )


def _families() -> dict[str, tuple[str, dict[str, str]]]:
    """Prefix of every family with the function that fetches it and the models it names."""
    with quietly():
        from mace.calculators import foundations_models as zoo

    return {
        "mp": ("mace_mp", dict(zoo.mace_mp_urls)),
        "off": ("mace_off", dict(zoo.mace_off_urls)),
        "omol": ("mace_omol", {"extra_large": "MACE-omol-0-extra-large-1024.model"}),
    }


def _find_foundation(name: str) -> tuple[str, str]:
    """Resolve a foundation model's name to its family and mace's own name for it."""
    families = _families()
    spoken = name.lower()
    for prefix in ("mace_", "mace-"):
        spoken = spoken.removeprefix(prefix)
    for separator in (":", "-", "_"):
        family, found, model = spoken.partition(separator)
        family = family.removesuffix("23")
        if found and family in families and model in families[family][1]:
            return family, model
    names = {model.lower(): model for model in families["mp"][1]}
    # the release names say mace-mpa-0-medium where mace's own table says medium-mpa-0
    head, _, tail = spoken.rpartition("-")
    for candidate in (name.lower(), spoken, f"{tail}-{head}", f"{tail}-{head.removeprefix('mp-')}"):
        if candidate in names:
            return "mp", names[candidate]
    known = [
        *shipped_files("potentials", SUFFIX),
        *families["mp"][1],
        *(f"off-{model}" for model in families["off"][1]),
        "omol-extra_large",
    ]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean '{near[0]}'? " if near else ""
    raise PotentialError(
        f"There is no MACE model '{name}': {hint}known names are {', '.join(known)}; or give the path of a model file."
    )


def _fetch(family: str, model: str) -> Path:
    """Give the file of a foundation model, downloading it when it is not in mace's cache."""
    with quietly() as said:
        from mace.calculators import foundations_models as zoo
        from mace.tools.utils import get_cache_dir

        function_name, urls = _families()[family]
        url = urls[model]
        try:
            if family == "mp":
                path = Path(zoo.download_mace_mp_checkpoint(model))
            else:
                path = Path(get_cache_dir()) / url.rsplit("/", 1)[-1].split("?")[0]
                if not path.is_file():
                    fetch: Callable[..., Any] = getattr(zoo, function_name)
                    fetch(model=model, device="cpu", return_raw_model=True)
        except Exception as error:
            cause = error.__cause__ or error
            raise PotentialError(
                f"The MACE model '{model}' is not in mace's cache and cannot be downloaded ({cause}): connect to a "
                f"network, or fetch {url} elsewhere and give the file's path as the model."
            ) from error
    if "Academic Software License" in said.getvalue():
        _log.warning("The MACE model '%s' is under the Academic Software License, which forbids commercial use.", model)
    return path
