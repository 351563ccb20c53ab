"""A campaign file that is right, to be changed by tests."""

from __future__ import annotations

import json

COSINE_POTENTIAL = {
    "name": "ase",
    "model": "superion.potentials.cosine_lattice.CosineLatticeCalculator",
    "device": "cpu",
    "dtype": "float64",
    "options": {
        "barriers_ev": {"Li": 0.15, "S": 5.0},
        "spacing_angstrom": 3.0,
        "offsets": {"S": [0.5, 0.5, 0.5]},
        "repulsion_ev": 1.0,
    },
}

GOOD = f"""\
name: demo
description: for tests
candidates:
  - kind: files
    paths: ["*.cif"]
  - kind: table
    path: measured.csv
    structure: "cifs/{{ID}}.cif"
    measured:
      sigma_300k_ms_cm: {{column: sigma, unit: S/cm}}
  - kind: substitution
    parents: [Li6PS5Cl]
    maps:
      - {{S: Se}}
mobile_ion: Li
potential: {json.dumps(COSINE_POTENTIAL)}
ordering:
  n_orderings: 2
  seed: 3
md:
  time_step_fs: 2
  seed: 7
stages:
  - stage: validate
  - stage: relax
    maximum_steps: 50
  - stage: probe
    temperature_k: 900
    rules:
      - property: greatest_sigma_300k_ms_cm
        at_least: 0.01
      - keep_best: 10
        by: greatest_sigma_300k_ms_cm
  - stage: conductivity
    temperatures_k: [700, 900]
    md:
      time_step_fs: 1
ranking:
  by: sigma_300k_ms_cm
  weights:
    sigma_300k_ms_cm: 2
dispatch:
  engine: local
  workers: 2
limits:
  maximum_candidates: 100
"""
