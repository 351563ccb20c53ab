"""What a user says of a potential, and what is recorded of the one that was used."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ..errors import SettingsError


class PotentialSpecification(BaseModel):
    """The potential a user asks for.

    Examples
    --------
    >>> PotentialSpecification(name="chgnet").device
    'auto'
    >>> PotentialSpecification(name="mace", model="medium-mpa-0").written
    'mace:medium-mpa-0'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(default="mace", description="registered name: mace, chgnet, sevennet, matgl, ase, …")
    model: str | None = Field(
        default=None,
        description="foundation model name, path of a model file, or dotted path of an ASE calculator class",
    )
    device: str = Field(default="auto", description="auto (CUDA when there), cpu, cuda, cuda:1, mps")
    dtype: Literal["auto", "float32", "float64"] = Field(
        default="auto", description="floating-point precision; auto is the potential's own default"
    )
    options: dict[str, Any] = Field(default_factory=dict, description="further keyword arguments of the calculator")

    @property
    def written(self) -> str:
        """What a user writes for short: the name, with its model where there is one."""
        return self.name if self.model is None else f"{self.name}:{self.model}"

    @field_validator("model")
    @classmethod
    def _find_file_from_anywhere(cls, model: str | None) -> str | None:
        # jobs run in folders of their own: a file's path must hold there too
        if model is None:
            return None
        path = Path(model).expanduser()
        return str(path.resolve()) if path.is_file() else model


def potential_specification(given: PotentialSpecification | str | Mapping[str, Any]) -> PotentialSpecification:
    """Take a potential in any of the forms that a user may give it in.

    Parameters
    ----------
    given : PotentialSpecification, str or mapping
        A specification, ``name`` or ``name:model``, or the fields of a specification.

    Returns
    -------
    PotentialSpecification
        What was asked for.

    Raises
    ------
    SettingsError
        If it is none of these.

    Examples
    --------
    >>> potential_specification("mace:medium-mpa-0").model
    'medium-mpa-0'
    >>> potential_specification({"name": "chgnet", "device": "cpu"}).device
    'cpu'
    """
    if isinstance(given, PotentialSpecification):
        return given
    if isinstance(given, str):
        name, _, model = given.partition(":")
        given = {"name": name.strip(), "model": model.strip() or None}
    if not isinstance(given, Mapping):
        raise SettingsError(
            f"The potential cannot be {given!r}: give a name such as 'chgnet' or 'mace:medium-mpa-0', "
            "or a PotentialSpecification."
        )
    # Serialised models carry the name of their class.
    fields = {key: value for key, value in given.items() if not str(key).startswith("@")}
    if not fields.get("name"):
        raise SettingsError(
            f"The potential {dict(given)!r} has no name: give one such as 'chgnet' or 'mace:medium-mpa-0'."
        )
    try:
        return PotentialSpecification.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"The potential's '{place}' cannot be {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}; its "
            f"fields are {', '.join(PotentialSpecification.model_fields)}."
        ) from None


class PotentialProvenance(BaseModel):
    """Which potential computed a number, down to the bytes of its weights."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="registered name")
    model: str | None = Field(description="model name or file name (never a full path)")
    weights_sha256: str = Field(
        description="sha256 of the weights, or of class path and parameters for a classical calculator"
    )
    package: str = Field(description="package that computes the forces")
    package_version: str = Field(description="its version")
    dtype: str = Field(description="float32 or float64")
    device: str = Field(description="cpu, cuda:0, …")
    runtime: str | None = Field(
        default=None,
        description="engine that evaluates the model where it is not the one it was trained with, such as symmetrix",
    )

    @property
    def identity(self) -> dict[str, str]:
        """What makes two potentials one and the same for a key: weights, precision and runtime, not the device.

        A model's own runtime is left out, so that keys from before there was a choice stay valid.

        Examples
        --------
        >>> PotentialProvenance(
        ...     name="ase", model="EMT", weights_sha256="0a", package="ase", package_version="3", dtype="float64",
        ...     device="cpu",
        ... ).identity
        {'potential': '0a', 'dtype': 'float64'}
        """
        runtime = {} if self.runtime is None else {"runtime": self.runtime}
        return {"potential": self.weights_sha256, "dtype": self.dtype, **runtime}
