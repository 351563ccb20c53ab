"""Architectures of students: presets that ship with the package, or the user's own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...configs.shipped import find_file, shipped_files
from ...errors import SettingsError

_FOLDER = "potentials/architectures"


class Architecture(BaseModel):
    """The size of a MACE model that is trained from scratch; every one can be converted for a fast runtime.

    References
    ----------
    I. Batatia et al., Adv. Neural Inf. Process. Syst. 35 (2022), https://doi.org/10.48550/arXiv.2206.07697
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name of the preset: that of its file")
    description: str = Field(default="", description="what it is for")
    r_max: float = Field(default=5.0, gt=0, description="cutoff of one layer in Å")
    num_channels: int = Field(default=16, ge=1, description="scalar channels")
    num_interactions: Literal[1, 2] = Field(default=2, description="layers")
    max_ell: int = Field(default=3, ge=0, description="highest order of the spherical harmonics")
    correlation: int = Field(default=3, ge=1, description="order of correlation: neighbours in one product")
    num_radial_basis: int = Field(default=8, ge=1, description="radial basis functions")
    readout_width: int = Field(default=16, ge=1, description="width of the last layer")
    radial_widths: tuple[int, ...] = Field(default=(64, 64, 64), description="widths of the radial network")
    pair_repulsion: bool = Field(
        default=True, description="whether a screened nuclear repulsion (ZBL) keeps atoms apart at short distances"
    )

    def trainer_options(self) -> dict[str, Any]:
        """Give the options of mace-torch's trainer that build this model.

        Returns
        -------
        dict
            For its configuration file.
        """
        return {
            "model": "ScaleShiftMACE",
            "r_max": self.r_max,
            "num_channels": self.num_channels,
            "max_L": 0,
            "num_interactions": self.num_interactions,
            "max_ell": self.max_ell,
            "correlation": self.correlation,
            "num_radial_basis": self.num_radial_basis,
            "MLP_irreps": f"{self.readout_width}x0e",
            "radial_MLP": str(list(self.radial_widths)),
            "pair_repulsion": self.pair_repulsion,
        }


def list_architectures() -> list[Architecture]:
    """List the architectures that ship with the package.

    Returns
    -------
    list of Architecture
        From the smallest on.

    Examples
    --------
    >>> [one.name for one in list_architectures()]
    ['tiny', 'small', 'medium']
    """
    return sorted((_read(path) for path in shipped_files(_FOLDER).values()), key=lambda one: one.num_channels)


def load_architecture(name_or_path: str | Path) -> Architecture:
    """Read an architecture, shipped or the user's own.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a shipped architecture, or a YAML file with fields of `Architecture`.

    Returns
    -------
    Architecture
        The architecture.

    Raises
    ------
    SettingsError
        If there is no such preset or file, or a field is wrong.

    Examples
    --------
    >>> load_architecture("tiny").num_channels
    16
    """
    return _read(find_file(name_or_path, _FOLDER, "architecture"))


def _read(path: Path) -> Architecture:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Architecture(**({"name": path.stem} | content))
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise SettingsError(f"The architecture {path} is not a valid YAML mapping: correct the file.") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise SettingsError(
            f"The architecture {path} is wrong at '{'.'.join(map(str, first['loc']))}': {first['msg']}."
        ) from None
