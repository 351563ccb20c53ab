"""Importing the package loads nothing heavy."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "pymongo", "maggma", "jobflow", "pymatgen", "ase", "mace", "chgnet", "matplotlib"}


@pytest.mark.parametrize("module", ["superion", "superion.errors", "superion.configs", "superion.scripts"])
def test_import_is_light(module):
    code = f"import sys, {module}; print(' '.join(sorted(name.partition('.')[0] for name in sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)


@pytest.mark.parametrize(
    "module",
    ["structures", "potentials", "dynamics", "transport", "database", "runtime", "makers", "flows", "workflows"],
)
def test_ground_floor_packages_load_neither_torch_nor_pymongo(module):
    code = f"import sys, superion.{module}; print(' '.join(sorted(name.partition('.')[0] for name in sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "pymongo"} & set(loaded)
