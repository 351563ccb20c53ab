"""Documents made by formula: a material whose diffusivity follows an Arrhenius law, with noise of a known size."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
from superion.constants import BOLTZMANN_EV_PER_K, BOLTZMANN_J_PER_K, ELEMENTARY_CHARGE_C
from superion.database.documents import ConductivityDoc, DiffusionDoc, Provenance, SystematicError
from superion.potentials.specification import PotentialProvenance
from superion.transport.arrhenius import ArrheniusInput, fit_arrhenius
from superion.transport.results import (
    ConductivityEstimate,
    DiffusionResult,
    DiffusivityEstimate,
    HavenRatio,
    MsdCurve,
)

N_IONS = 24
VOLUME = 1013.0
PREFACTOR = 1.6e-3
BARRIER_EV = 0.25


def nernst_einstein_ms_cm(diffusivity_cm2_s: float, temperature_k: float) -> float:
    density_per_cm3 = N_IONS / (VOLUME * 1e-24)
    charge = ELEMENTARY_CHARGE_C
    return 1e3 * density_per_cm3 * charge**2 * diffusivity_cm2_s / (BOLTZMANN_J_PER_K * temperature_k)


def make_diffusion_result(temperature_k: float, *, relative_error: float = 0.15, seed: int = 1, withheld: bool = False):
    generator = np.random.default_rng(seed)
    true = PREFACTOR * math.exp(-BARRIER_EV / (BOLTZMANN_EV_PER_K * temperature_k))
    value = true * (1 + 0.5 * relative_error * generator.standard_normal())
    lag = np.concatenate([[0.02, 0.04, 0.06, 0.1, 0.14], np.linspace(0.2, 20.0, 80)])
    msd = 1.6 * (1 - np.exp(-lag / 0.12)) + 6 * value * 1e4 * lag
    error = 0.02 * msd + relative_error * msd * np.sqrt(lag / 20.0)
    collective = msd * (1.5 + 0.3 * np.cumsum(generator.standard_normal(lag.size)) / 9)
    framework = 0.9 * (1 - np.exp(-lag / 0.1)) + 0.01 * generator.standard_normal(lag.size)

    def bounds(z: float, centre: float) -> tuple[float, float]:
        return centre * math.exp(-z * relative_error), centre * math.exp(z * relative_error)

    sigma = nernst_einstein_ms_cm(value, temperature_k)

    def conductivity(kind: str, factor: float) -> ConductivityEstimate:
        return ConductivityEstimate(
            kind=kind,
            temperature_k=temperature_k,
            value_ms_cm=None if withheld else factor * sigma,
            interval_68_ms_cm=None if withheld else bounds(1, factor * sigma),
            interval_95_ms_cm=None if withheld else bounds(1.96, factor * sigma),
            upper_bound_95_ms_cm=factor * sigma * 2.1,
        )

    def diffusivity(kind: str, factor: float) -> DiffusivityEstimate:
        return DiffusivityEstimate(
            kind=kind,
            value_cm2_s=None if withheld else factor * value,
            standard_error_cm2_s=None if withheld else relative_error * factor * value,
            relative_error=None if withheld else relative_error,
            degrees_of_freedom=None if withheld else 2 / relative_error**2,
            interval_68_cm2_s=None if withheld else bounds(1, factor * value),
            interval_95_cm2_s=None if withheld else bounds(1.96, factor * value),
            upper_bound_95_cm2_s=factor * value * 2.1,
            withheld_reason="too few hops (3.2, at least 10 wanted)" if withheld else None,
            per_axis_cm2_s=None if withheld else (0.9 * value, 1.0 * value, 1.1 * value),
            fit_window_ps=None if withheld else (2.0, 12.0),
        )

    reason = "too few hops (3.2, at least 10 wanted): only an upper bound" if withheld else None
    return DiffusionResult(
        mobile_ion="Li",
        ion_charge=1.0,
        temperature_k=temperature_k,
        n_ions=N_IONS,
        n_replicas=2,
        duration_ps=80.0,
        frame_interval_ps=0.02,
        equilibration_ps=1.0,
        volume_angstrom3=VOLUME,
        tracer=diffusivity("tracer", 1.0),
        charge=diffusivity("charge", 1.5),
        haven_ratio=HavenRatio(value=None, withheld_reason="its interval spans more than a factor of four")
        if withheld
        else HavenRatio(value=0.67, interval_68=(0.5, 0.9)),
        nernst_einstein=conductivity("nernst_einstein", 1.0),
        collective=conductivity("collective", 1.5),
        effective_hops=3.2 if withheld else 140.0,
        hop_distance_angstrom=2.6,
        he_mo_relative_error=None if withheld else 0.33,
        diffusive_from_ps=None if withheld else 1.8,
        msd=MsdCurve(
            lag_ps=tuple(lag),
            tracer_angstrom2=tuple(msd),
            tracer_error_angstrom2=tuple(error),
            tracer_per_axis_angstrom2=tuple((m / 3, m / 3, m / 3) for m in msd),
            collective_angstrom2=tuple(collective),
            framework_angstrom2=tuple(framework),
        ),
        flags=("the lag times of the fit are short: 2 to 12 ps",) if temperature_k < 700 and not withheld else (),
        usable=not withheld,
        exclusion_reason=reason,
    )


def fit(results: list[DiffusionResult], which: str):
    estimates = [getattr(result, which) for result in results]
    return fit_arrhenius(
        [
            ArrheniusInput(
                result.temperature_k,
                estimate.value_ms_cm,
                None if estimate.value_ms_cm is None else result.tracer.relative_error * estimate.value_ms_cm,
                degrees_of_freedom=result.tracer.degrees_of_freedom,
                exclusion_reason=result.exclusion_reason,
                upper_bound_95=estimate.upper_bound_95_ms_cm,
            )
            for result, estimate in zip(results, estimates, strict=True)
        ],
        quantity=f"{which}_ms_cm",
    )


def make_document(
    label: str = "Li6PS5Cl",
    temperatures: tuple[float, ...] = (650.0, 800.0, 950.0, 1100.0),
    withheld: tuple[float, ...] = (500.0,),
) -> ConductivityDoc:
    results = [
        make_diffusion_result(temperature, seed=number, withheld=temperature in withheld)
        for number, temperature in enumerate(sorted({*temperatures, *withheld}))
    ]
    arrhenius, collective = fit(results, "nernst_einstein"), fit(results, "collective")
    return ConductivityDoc(
        formula="Li6PS5Cl",
        label=label,
        structure={},
        n_atoms=52,
        minimum_edge_angstrom=10.04,
        mobile_ion="Li",
        ion_charge=1.0,
        state="completed",
        temperatures=results,
        temperature_failures={"1300": "the framework melted after 3.2 ps; run it colder"},
        arrhenius=arrhenius,
        arrhenius_collective=collective,
        sigma_300k_ms_cm=arrhenius.extrapolated_value,
        sigma_300k_interval_68_ms_cm=arrhenius.extrapolated_interval_68,
        sigma_300k_interval_95_ms_cm=arrhenius.extrapolated_interval_95,
        activation_energy_ev=arrhenius.activation_energy_ev,
        activation_energy_error_ev=arrhenius.activation_energy_error_ev,
        systematic_errors=[
            SystematicError(
                source="potential",
                statement="CHGNet softens the energy surface and tends to over-estimate diffusivities "
                "(npj Comput. Mater. 2025, 10.1038/s41524-024-01500-6).",
            ),
            SystematicError(
                source="cell_size", statement="A 52-atom cell is small: argyrodites want thousands of atoms."
            ),
        ],
        verdict="A demonstration: one small cell and short runs. The order of magnitude counts, the value not.",
        notes=["The half-occupied Li sites were ordered by Ewald energy.", "Mobile ion Li+ was guessed."],
        provenance=Provenance(
            superion_version="0.1.0",
            packages={"ase": "3.26.0", "numpy": "2.3.1", "pymatgen": "2026.10.1"},
            potential=PotentialProvenance(
                name="chgnet",
                model="0.3.0",
                weights_sha256="9f" * 32,
                package="chgnet",
                package_version="0.4.2",
                dtype="float32",
                device="cpu",
            ),
            seeds=[42, 43],
            structure_fingerprint="ab" * 32,
            job_uuid="11111111-2222-3333-4444-555555555555",
            host="node1",
            created_at=datetime(2026, 11, 22, 12, 0, tzinfo=UTC),
        ),
    )


def make_diffusion_documents(document: ConductivityDoc) -> list[DiffusionDoc]:
    return [
        DiffusionDoc(
            formula=document.formula,
            label=document.label,
            provenance=document.provenance,
            trajectory_keys=[f"{int(result.temperature_k):04d}" * 16],
            trajectory_folders=["somewhere"],
            state="completed",
            stop_reasons=["converged"],
            requested_ps=100.0,
            completed_ps=[40.0],
            temperature_k=result.temperature_k,
            result=result,
        )
        for result in document.temperatures
    ]


def make_curved_document() -> ConductivityDoc:
    """A material whose Arrhenius plot bends, beyond the errors."""
    temperatures = (600.0, 750.0, 900.0, 1100.0)
    points = []
    for temperature, barrier_ev in zip(temperatures, (0.40, 0.34, 0.29, 0.25), strict=True):
        value = 1e5 * math.exp(-barrier_ev / (BOLTZMANN_EV_PER_K * temperature))
        points.append(ArrheniusInput(temperature, value, 0.05 * value))
    arrhenius = fit_arrhenius(points, quantity="nernst_einstein_ms_cm")
    assert arrhenius.curvature.verdict == "curved"
    return make_document(withheld=()).model_copy(update={"arrhenius": arrhenius})
