"""Options that flows with molecular dynamics share: short forms of settings that nearly all of them have."""

from __future__ import annotations

from .declaration import FlowOption

POTENTIAL = FlowOption("potential", "potential", "potential: chgnet, mace:MODEL or mace:FILE, ase:DOTTED.PATH, …")
DEVICE = FlowOption("device", "potential.device", "device: auto, cpu, cuda, cuda:1, mps")
DTYPE = FlowOption("dtype", "potential.dtype", "precision: auto, float32 or float64")
RUNTIME = FlowOption(
    "runtime", "potential.options.runtime", "engine that evaluates a MACE model: torch, symmetrix or auto"
)
MOBILE_ION = FlowOption("mobile-ion", "mobile_ion", "mobile ion, such as Li; guessed by default")
ION_CHARGE = FlowOption(
    "ion-charge", "ion_charge", "its formal charge, such as 1; the usual one of its element by default"
)
TEMPERATURES = FlowOption("temperatures", "temperatures_k", "temperatures in K, such as 800,1000,1200")
REPLICAS = FlowOption("replicas", "n_replicas", "independent runs per temperature")
DURATION = FlowOption("duration-ps", "md.duration_ps", "maximum length of each run in ps")

POTENTIAL_OPTIONS = (POTENTIAL, DEVICE, DTYPE, RUNTIME)
"""Options of a flow whose Maker has a field `potential`."""
