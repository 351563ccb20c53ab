"""What must work without torch, and what must not load heavy packages."""

from __future__ import annotations

import subprocess
import sys


def run(code: str) -> str:
    """Run code in a fresh interpreter and give its last line."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip().splitlines()[-1]


def test_plan_works_without_torch():
    """A dry run on a machine that only submits."""
    code = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("torch", "chgnet", "mace"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
from superion.flows.plan import plan
from superion.flows.presets import load_preset
described = plan(load_preset("quickstart").maker(), "Li6PS5Cl")
print(described.n_atoms, described.mobile_ion, described.potential)
"""
    assert run(code) == "52 Li+ chgnet"


def test_listing_flows_and_presets_loads_nothing_heavy():
    code = """
import sys
from superion.flows.presets import list_presets
from superion.flows.registry import list_flows
assert list_flows() and list_presets()
print(sorted({"torch", "jobflow", "pymongo", "ase", "pymatgen", "scipy", "numpy"} & set(sys.modules)))
"""
    assert run(code) == "[]"


def test_a_flow_is_built_without_torch_or_atomate2():
    code = """
import sys
from superion.flows.conductivity import ConductivityMaker
ConductivityMaker().make("Li6PS5Cl")
print(sorted({"torch", "atomate2", "mace", "chgnet"} & set(sys.modules)))
"""
    assert run(code) == "[]"
