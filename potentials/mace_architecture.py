"""The architecture of a MACE model as plain data, and the empty model that it describes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import PotentialError

if TYPE_CHECKING:
    import torch

_CLASS_FIELDS = ("interaction_cls", "interaction_cls_first", "readout_cls")
_IRREPS_FIELDS = ("hidden_irreps", "MLP_irreps", "edge_irreps")
_UNSUPPORTED = {"cueq_config": "cuEquivariance", "embedding_specs": "embeddings of charge or spin"}


def describe_architecture(model: torch.nn.Module) -> dict[str, Any]:
    """Describe a MACE model by plain data: numbers, texts and lists.

    Parameters
    ----------
    model : torch.nn.Module
        A `ScaleShiftMACE`, as mace-torch trains by default.

    Returns
    -------
    dict
        For `build_model`.

    Raises
    ------
    PotentialError
        If the model is of another class, or has parts that plain data cannot describe.
    """
    from mace import modules
    from mace.tools.scripts_utils import extract_config_mace_model

    if type(model) is not modules.ScaleShiftMACE:
        raise PotentialError(
            f"A {type(model).__name__} cannot be written as a model file, which holds models of the class "
            "ScaleShiftMACE only: keep mace's own file."
        )
    config = extract_config_mace_model(model)
    for field, words in _UNSUPPORTED.items():
        if config.pop(field, None):
            raise PotentialError(f"A MACE model with {words} cannot be written as a model file: keep mace's own file.")
    gates = {function: name for name, function in modules.gate_dict.items()}
    plain = {key: _plain(value) for key, value in config.items() if key not in ("gate", *_CLASS_FIELDS)}
    plain["gate"] = gates.get(config["gate"])
    plain |= {field: config[field].__name__ for field in _CLASS_FIELDS}
    plain["dtype"] = str(next(model.parameters()).dtype).removeprefix("torch.")
    return plain


def build_model(architecture: dict[str, Any]) -> torch.nn.Module:
    """Build the model that a description is of; its weights are still random.

    Parameters
    ----------
    architecture : dict
        From `describe_architecture`.

    Returns
    -------
    torch.nn.Module
        On the CPU, in the precision of the description.

    Raises
    ------
    PotentialError
        If this version of mace-torch cannot build it.
    """
    import mace  # noqa: F401  before e3nn: importing e3nn first fails on current torch
    import numpy as np
    import torch
    from mace import modules

    from e3nn import o3  # isort: skip

    config = dict(architecture)
    precision = torch.get_default_dtype()
    random_state = torch.random.get_rng_state()
    try:
        torch.set_default_dtype(getattr(torch, config.pop("dtype")))
        config["gate"] = modules.gate_dict[str(config["gate"])]
        for field in ("interaction_cls", "interaction_cls_first"):
            config[field] = modules.interaction_classes[config[field]]
        config["readout_cls"] = modules.readout_classes[config["readout_cls"]]
        for field in _IRREPS_FIELDS:
            config[field] = None if config[field] is None else o3.Irreps(config[field])
        for field in ("atomic_energies", "atomic_inter_scale", "atomic_inter_shift"):
            config[field] = np.asarray(config[field])
        return modules.ScaleShiftMACE(**config)
    except Exception as error:
        raise PotentialError(
            f"The model cannot be built by the installed mace-torch ({type(error).__name__}: {error}): "
            "install the version that trained it."
        ) from error
    finally:
        torch.set_default_dtype(precision)
        torch.random.set_rng_state(random_state)


def _plain(value: Any) -> Any:
    """Turn arrays, tensors and irreps into numbers, lists and texts."""
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)
