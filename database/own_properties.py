"""superion's own properties; each is an entry point of the group `superion.properties`."""

from __future__ import annotations

from .properties import PropertyDefinition

SIGMA_300K_MS_CM = PropertyDefinition(
    name="sigma_300k_ms_cm",
    label="σ(300 K) / mS cm⁻¹",
    unit="mS/cm",
    better="higher",
    logarithmic=True,
    description="ionic conductivity at 300 K, extrapolated by Arrhenius' law",
    position=10,
    query_heading="σ(300 K) / mS cm⁻¹",
    query_option="--min-sigma",
    indexed="campaigns",
    usual_rank=1,
    on_usual_front=True,
)

GREATEST_SIGMA_300K_MS_CM = PropertyDefinition(
    name="greatest_sigma_300k_ms_cm",
    label="greatest σ(300 K) / mS cm⁻¹",
    unit="mS/cm",
    better="higher",
    logarithmic=True,
    description="greatest σ(300 K) that a run at one temperature allows with the smallest barrier thinkable",
    position=20,
    indexed="campaigns",
    usual_rank=2,
)

ACTIVATION_ENERGY_EV = PropertyDefinition(
    name="activation_energy_ev",
    label="activation energy / eV",
    unit="eV",
    better="lower",
    description="activation energy of the ionic conductivity",
    position=30,
    query_heading="E_a / eV",
    indexed="campaigns",
    on_usual_front=True,
)

PROBE_DIFFUSIVITY_CM2_S = PropertyDefinition(
    name="probe_diffusivity_cm2_s",
    label="D at the probe's temperature / cm² s⁻¹",
    unit="cm**2/s",
    better="higher",
    logarithmic=True,
    description="tracer diffusivity at the temperature of the probe",
    position=40,
)

ENERGY_ABOVE_HULL_EV_PER_ATOM = PropertyDefinition(
    name="energy_above_hull_ev_per_atom",
    label="energy above hull / eV atom⁻¹",
    unit="eV/atom",
    better="lower",
    description="energy above the convex hull of the competing phases, by the same potential",
    position=50,
    query_heading="E_hull / eV atom⁻¹",
    query_option="--max-ehull",
    indexed="campaigns",
    usual_rank=6,
    on_usual_front=True,
)

REDUCTION_LIMIT_V = PropertyDefinition(
    name="reduction_limit_v",
    label="reduction limit / V",
    unit="V",
    better="lower",
    description="lowest voltage against the mobile metal at which the phase does not decompose",
    position=60,
)

OXIDATION_LIMIT_V = PropertyDefinition(
    name="oxidation_limit_v",
    label="oxidation limit / V",
    unit="V",
    better="higher",
    description="highest voltage against the mobile metal at which the phase does not decompose",
    position=70,
)

ELECTROCHEMICAL_WINDOW_V = PropertyDefinition(
    name="electrochemical_window_v",
    label="electrochemical window / V",
    unit="V",
    better="higher",
    description="oxidation limit minus reduction limit",
    position=80,
    indexed="stores",
    on_usual_front=True,
)

PERCOLATION_BARRIER_1D_EV = PropertyDefinition(
    name="percolation_barrier_1d_ev",
    label="1D bond-valence barrier / eV",
    unit="eV",
    better="lower",
    description="lowest bond-valence site energy barrier of a path that crosses the crystal along one direction",
    position=90,
    usual_rank=5,
)

PERCOLATION_BARRIER_2D_EV = PropertyDefinition(
    name="percolation_barrier_2d_ev",
    label="2D bond-valence barrier / eV",
    unit="eV",
    better="lower",
    description="lowest bond-valence site energy barrier of paths along two directions",
    position=100,
    usual_rank=4,
)

PERCOLATION_BARRIER_3D_EV = PropertyDefinition(
    name="percolation_barrier_3d_ev",
    label="3D bond-valence barrier / eV",
    unit="eV",
    better="lower",
    description="lowest bond-valence site energy barrier of paths along three directions",
    position=110,
    indexed="stores",
    usual_rank=3,
)

VOLUME_CHANGE_PERCENT = PropertyDefinition(
    name="volume_change_percent",
    label="volume change / %",
    unit="percent",
    better="neither",
    description="change of the volume in relaxation",
    position=120,
)

ENERGY_EV_PER_ATOM = PropertyDefinition(
    name="energy_ev_per_atom",
    label="energy / eV atom⁻¹",
    unit="eV/atom",
    better="neither",
    description="potential energy of the relaxed cell; only orderings of one composition compare",
    position=130,
)

MEAN_ATOMIC_MASS_AMU = PropertyDefinition(
    name="mean_atomic_mass_amu",
    label="mean atomic mass / u",
    unit="amu",
    better="lower",
    description="mean mass of an atom",
    position=140,
    indexed="stores",
    usual_rank=7,
    on_usual_front=True,
)

ELEMENT_COST_USD_PER_KG = PropertyDefinition(
    name="element_cost_usd_per_kg",
    label="cost of elements / USD kg⁻¹",
    unit="USD/kg",
    better="lower",
    description="cost of the elements in one kilogram, by a shipped table of prices",
    position=150,
    indexed="stores",
    on_usual_front=True,
)

MOBILE_ION_DENSITY_PER_ANGSTROM3 = PropertyDefinition(
    name="mobile_ion_density_per_angstrom3",
    label="density of mobile ions / Å⁻³",
    unit="1/angstrom**3",
    better="higher",
    description="number of mobile ions per volume",
    position=160,
)
