"""The conductivity of one material: the document that ranking reads."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, Field

from ...potentials.force_error import ForceErrorSeries
from ...transport.results import ArrheniusResult, Bounds, DiffusionResult
from .base import StructureDict, SuperionDocument


class SystematicError(BaseModel):
    """What is known of an error that the statistical interval leaves out."""

    source: Literal["potential", "cell_size", "ordering", "run_length", "method"] = Field(
        description="where it comes from"
    )
    statement: str = Field(description="one sentence, with its source")


class ConductivityDoc(SuperionDocument):
    """Arrhenius result and σ(300 K) of one material, with all that led to it."""

    listed: ClassVar = {
        "state": "state",
        "sigma_300k_ms_cm": "sigma_300k_ms_cm",
        "activation_energy_ev": "activation_energy_ev",
    }
    indexed: ClassVar = ("sigma_300k_ms_cm",)

    doc_type: Literal["conductivity"] = "conductivity"
    structure: StructureDict = Field(description="simulated supercell, pymatgen Structure.as_dict()")
    n_atoms: int = Field(description="atoms in the simulated cell")
    minimum_edge_angstrom: float = Field(description="smallest distance between opposite faces in Å")
    mobile_ion: str = Field(description="element symbol of the mobile ion")
    ion_charge: float = Field(description="formal charge of the mobile ion in elementary charges")
    state: Literal["completed", "partial", "failed"] = Field(description="worst state of the runs")
    temperatures: list[DiffusionResult] = Field(description="results per temperature")
    temperature_failures: dict[str, str] = Field(
        default_factory=dict, description="temperature in K -> why it has no result"
    )
    arrhenius: ArrheniusResult | None = Field(description="fit of ln(σT), Nernst-Einstein")
    arrhenius_collective: ArrheniusResult | None = Field(default=None, description="fit of the collective ln(σT)")
    sigma_300k_ms_cm: float | None = Field(description="Nernst-Einstein σ(300 K) in mS/cm")
    sigma_300k_interval_68_ms_cm: Bounds | None = Field(description="68 % statistical interval in mS/cm")
    sigma_300k_interval_95_ms_cm: Bounds | None = Field(description="95 % statistical interval in mS/cm")
    sigma_300k_upper_bound_ms_cm: float | None = Field(
        default=None, description="upper bound where no value can be given, in mS/cm"
    )
    activation_energy_ev: float | None = Field(description="activation energy in eV")
    activation_energy_error_ev: float | None = Field(description="its standard error in eV")
    force_errors: list[ForceErrorSeries] = Field(
        default_factory=list, description="force errors of a student against its teacher along the runs"
    )
    systematic_errors: list[SystematicError] = Field(
        default_factory=list, description="known errors beside the statistical interval"
    )
    verdict: str = Field(description="what a result of this size is worth, in plain words")

    def why_empty(self) -> str | None:
        """Say why the document holds no result, if it holds none.

        Returns
        -------
        str or None
            The reasons by temperature; None where any temperature worked.
        """
        if self.temperatures:
            return None
        listed = "; ".join(f"{temperature} K: {why}" for temperature, why in self.temperature_failures.items())
        return f"no temperature gave a diffusivity ({listed})"
