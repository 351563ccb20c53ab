"""The plain data that the transport functions return: described, unit-labelled, serialisable."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Bounds = tuple[float, float]
Bounds3 = tuple[float, float, float]


class TransportModel(BaseModel):
    """Base of all transport results: immutable, and closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SamplingLaw(TransportModel):
    """How an estimated diffusivity scatters about the truth; bounds of any confidence follow from it.

    The variance at a true diffusivity D is gaussian_relative_variance · D² + counting_quantum_cm2_s · D. Where rattling
    makes up much of the Gaussian part, that part cannot grow with D²: then its standard error is the one at the
    estimate, plus √diffusive_relative_variance times what D exceeds the estimate by (the triangle inequality for the
    norms of the two covariances, so rather too large than too small).
    """

    estimate_cm2_s: float = Field(description="estimate in cm²/s, also where the value is withheld")
    gaussian_relative_variance: float = Field(description="relative variance that Gaussian increments leave")
    counting_quantum_cm2_s: float = Field(description="what one effective hop adds to the estimate, in cm²/s")
    median_shift: float = Field(
        default=0.0, description="standard errors by which half of such estimates lie above the truth"
    )
    background_error_cm2_s: float = Field(
        default=0.0, description="standard error that rattling alone leaves, in cm²/s"
    )
    diffusive_relative_variance: float | None = Field(
        default=None,
        description="relative Gaussian variance where diffusion outweighs rattling by far; None where it does already",
    )


class DiffusivityEstimate(TransportModel):
    """A tracer or charge diffusivity with calibrated statistical intervals.

    When too few hops were seen, `value_cm2_s` is None and `upper_bound_95_cm2_s` is all that is claimed.
    """

    kind: Literal["tracer", "charge"] = Field(description="tracer (single-ion) or charge (collective)")
    value_cm2_s: float | None = Field(description="diffusivity in cm²/s; None where it is withheld")
    standard_error_cm2_s: float | None = Field(description="statistical standard error in cm²/s")
    relative_error: float | None = Field(description="standard error divided by the value")
    degrees_of_freedom: float | None = Field(
        default=None, description="effective degrees of freedom behind the error (2 / relative_error²)"
    )
    interval_68_cm2_s: Bounds | None = Field(description="68 % statistical interval in cm²/s")
    interval_95_cm2_s: Bounds | None = Field(description="95 % statistical interval in cm²/s")
    upper_bound_95_cm2_s: float | None = Field(
        description="one-sided 95 % upper bound in cm²/s; None where nothing is known, as for the charge "
        "diffusivity of ions without a framework"
    )
    withheld_reason: str | None = Field(default=None, description="why the value is withheld")
    per_axis_cm2_s: tuple[float, float, float] | None = Field(
        default=None, description="diffusivity along the Cartesian axes x, y and z of the frames in cm²/s"
    )
    per_axis_interval_68_cm2_s: tuple[Bounds, Bounds, Bounds] | None = Field(
        default=None,
        description="68 % statistical interval along x, y and z in cm²/s; from 0 where too few hops go along the axis",
    )
    per_axis_interval_95_cm2_s: tuple[Bounds, Bounds, Bounds] | None = Field(
        default=None,
        description="95 % statistical interval along x, y and z in cm²/s; from 0 where too few hops go along the axis",
    )
    fit_window_ps: Bounds | None = Field(default=None, description="lag times used by the fit, in ps")
    law: SamplingLaw | None = Field(default=None, description="the sampling law behind the intervals")
    per_axis_law: tuple[SamplingLaw, SamplingLaw, SamplingLaw] | None = Field(
        default=None, description="the sampling laws behind the intervals along x, y and z"
    )
    straight_probability: float | None = Field(
        default=None, description="probability that the MSD is straight from the start of the fit on"
    )
    onset_variance_share: float | None = Field(
        default=None, description="share of the variance that comes of not knowing where and how diffusion sets in"
    )
    correction_factor: float | None = Field(
        default=None,
        description="factor that simulated mechanisms put on the slope of the MSD; divide by it for the slope itself",
    )
    replica_inflation: float = Field(
        default=1.0,
        description="factor by which the scatter of replicas enlarged the error (1: not enlarged)",
    )
    flags: tuple[str, ...] = Field(default=(), description="what a reader should know about this number")


class HavenRatio(TransportModel):
    """Tracer over charge diffusivity, or the reason why it is withheld."""

    value: float | None = Field(description="Haven ratio, dimensionless; None where it is withheld")
    interval_68: Bounds | None = Field(default=None, description="68 % statistical interval")
    withheld_reason: str | None = Field(default=None, description="why the value is withheld")


class ConductivityEstimate(TransportModel):
    """An ionic conductivity at one temperature."""

    kind: Literal["nernst_einstein", "collective"] = Field(
        description="from the tracer (Nernst-Einstein) or from the charge diffusivity (collective)"
    )
    temperature_k: float = Field(description="temperature in K")
    value_ms_cm: float | None = Field(description="conductivity in mS/cm; None where it is withheld")
    interval_68_ms_cm: Bounds | None = Field(description="68 % statistical interval in mS/cm")
    interval_95_ms_cm: Bounds | None = Field(description="95 % statistical interval in mS/cm")
    upper_bound_95_ms_cm: float | None = Field(
        description="one-sided 95 % upper bound in mS/cm; None where nothing is known"
    )


class MsdCurve(TransportModel):
    """A thinned mean-squared-displacement curve for figures; the fit used the full one."""

    lag_ps: tuple[float, ...] = Field(description="lag times in ps")
    tracer_angstrom2: tuple[float, ...] = Field(description="tracer MSD, summed over axes, in Å²")
    tracer_error_angstrom2: tuple[float, ...] = Field(description="standard error of the tracer MSD in Å²")
    tracer_per_axis_angstrom2: tuple[Bounds3, ...] = Field(
        description="tracer MSD along the Cartesian axes x, y, z in Å²"
    )
    collective_angstrom2: tuple[float, ...] | None = Field(
        description="collective MSD divided by the number of ions, summed over axes, in Å²; None without a framework"
    )
    framework_angstrom2: tuple[float, ...] | None = Field(
        default=None, description="MSD of the framework atoms in Å²; flat in a solid"
    )


class DiffusionResult(TransportModel):
    """Everything that runs at one temperature say about transport."""

    mobile_ion: str = Field(description="element symbol of the mobile ion")
    ion_charge: float = Field(description="formal charge of the mobile ion in elementary charges")
    temperature_k: float = Field(description="temperature in K")
    n_ions: int = Field(description="number of mobile ions in the cell")
    n_replicas: int = Field(description="number of runs combined")
    duration_ps: float = Field(description="analysed length, summed over replicas, in ps")
    frame_interval_ps: float = Field(description="time between frames in ps")
    equilibration_ps: float = Field(description="time cut from the start of each run, in ps")
    volume_angstrom3: float = Field(description="mean cell volume in Å³")
    tracer: DiffusivityEstimate
    charge: DiffusivityEstimate
    haven_ratio: HavenRatio
    nernst_einstein: ConductivityEstimate
    collective: ConductivityEstimate
    effective_hops: float = Field(
        description="largest total MSD of the mobile ions divided by the hop distance², after He & Mo: rattling counts "
        "too. Values are withheld by their diffusive hops, D · 6 n_ions duration / hop distance²"
    )
    hop_distance_angstrom: float = Field(description="hop distance behind effective_hops, in Å")
    he_mo_relative_error: float | None = Field(
        description="relative error by the rule of He, Zhu, Epstein & Mo (10.1038/s41524-018-0074-y), for comparison"
    )
    diffusive_from_ps: float | None = Field(
        description="lag from which the motion is diffusive, in ps; None where it never is"
    )
    msd: MsdCurve
    flags: tuple[str, ...] = Field(default=(), description="melted, drifting, too few hops, …")
    usable: bool = Field(description="whether the temperature may enter the Arrhenius fit as a value")
    exclusion_reason: str | None = Field(default=None, description="why it may not")


class ArrheniusPoint(TransportModel):
    """One temperature of an Arrhenius fit, used or excluded."""

    temperature_k: float = Field(description="temperature in K")
    value: float | None = Field(description="diffusivity in cm²/s or conductivity in mS/cm")
    standard_error: float | None = Field(description="its standard error, same unit")
    used: bool = Field(description="whether the point entered the fit")
    exclusion_reason: str | None = Field(default=None, description="why it did not")


class CurvatureTest(TransportModel):
    """Is a straight Arrhenius line enough?  "untestable" below four temperatures, never "passed"."""

    verdict: Literal["no_curvature_found", "curved", "untestable"]
    p_value: float | None = Field(default=None, description="probability of so much curvature by chance")
    note: str = Field(description="one sentence for the reader")


class ArrheniusResult(TransportModel):
    """A weighted Arrhenius fit and its extrapolation, with the covariance of slope and intercept."""

    quantity: Literal["diffusivity_cm2_s", "nernst_einstein_ms_cm", "collective_ms_cm"] = Field(
        description="what was fitted: ln D, or ln(σT)"
    )
    activation_energy_ev: float | None = Field(description="activation energy in eV")
    activation_energy_error_ev: float | None = Field(description="its standard error in eV")
    log_prefactor: float | None = Field(description="intercept of ln(quantity) at 1/T = 0")
    covariance: tuple[Bounds, Bounds] | None = Field(
        default=None, description="covariance of (log_prefactor, activation_energy_ev)"
    )
    extrapolation_temperature_k: float = Field(description="temperature extrapolated to, in K")
    extrapolated_value: float | None = Field(
        description="the quantity at that temperature (for σ: mS/cm); None without a line, or where its activation "
        "energy is not positive"
    )
    extrapolated_interval_68: Bounds | None = Field(default=None, description="68 % statistical interval")
    extrapolated_interval_95: Bounds | None = Field(default=None, description="95 % statistical interval")
    reduced_chi_squared: float | None = Field(default=None, description="χ² per degree of freedom")
    curvature: CurvatureTest
    points: tuple[ArrheniusPoint, ...]
    flags: tuple[str, ...] = Field(default=())
