"""Ordering in several processes: the answers of one, whatever script asks for them, and whoever dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
import yaml
from pymatgen.core import Lattice, Structure
from superion.errors import SettingsError
from superion.workflows.campaign.order_in_parallel import order_in_parallel, order_one

# As docs/campaigns.md has it: no guard of __main__.
SCRIPT = """
print("the script runs")
from superion.database.campaigns import CampaignCollections
from superion.workflows.campaign.submit import submit_campaign

with CampaignCollections.open("results.db") as collections:
    submit_campaign("c.yaml", collections, workers=2)
    for row in collections.iter_rows("c"):
        print(row.label, row.status, len(row.orderings), row.reason)
"""


def mixed_salt(edge: float = 5.4) -> Structure:
    """Half of its cations are sodium."""
    half = {"Li": 0.5, "Na": 0.5}
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), [half, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])


def slow_crystal() -> Structure:
    """Ordering it takes minutes."""
    cell = mixed_salt()
    cell.make_supercell(5)
    return cell


def children() -> list[psutil.Process]:
    """The processes that order, of this one."""
    return [one for one in psutil.Process().children() if any("ordering_worker" in part for part in one.cmdline())]


def test_a_script_without_a_guard_orders_its_candidates(tmp_path):
    for number in (1, 2):
        mixed_salt(5.2 + 0.2 * number).to(str(tmp_path / f"m{number}.cif"))
    content = {"name": "c", "candidates": [{"kind": "files", "paths": ["*.cif"]}], "mobile_ion": "Li"}
    content |= {"potential": "chgnet", "stages": [{"stage": "validate"}]}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(content))
    (tmp_path / "screening.py").write_text(SCRIPT)
    done = subprocess.run([sys.executable, "screening.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["the script runs", "m1 waiting 1 None"]


def test_several_processes_give_what_one_gives():
    crystals = [mixed_salt(5.0 + 0.1 * number) for number in range(5)]
    full = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    crystals.insert(2, full)
    settings = {"mobile_ion": "Li", "maximum_atoms": 16}
    found = list(order_in_parallel(((crystal, None) for crystal in crystals), settings, workers=2))
    assert found == [order_one(crystal.as_dict(), None, settings) for crystal in crystals]
    assert not children()


class Poison:
    """Whoever reads it dies, as for lack of memory."""

    def __reduce__(self):
        return signal.raise_signal, (signal.SIGKILL,)


def test_a_crystal_that_ends_its_process_fails_and_no_other():
    """Those that need no ordering travel together: what travels with a poison is none."""
    full = [Structure(Lattice.cubic(3.0 + 0.1 * number), ["Li"], [[0, 0, 0]]) for number in range(3)]
    poisons = [full[1].copy(), mixed_salt(5.2)]
    for poison in poisons:
        poison.add_site_property("kind", [Poison()] * len(poison))
    crystals = [mixed_salt(), full[0], poisons[0], poisons[1], full[2], mixed_salt(5.3)]
    found = list(order_in_parallel([(crystal, None) for crystal in crystals], {}, workers=2))
    assert [len(one.orderings) for one in found] == [1, 1, 0, 0, 1, 1]
    assert all("killed its process" in found[position].failure for position in (2, 3))


PARENT = """
import json, signal, sys, tempfile
from pymatgen.core import Structure
from superion.workflows.campaign.order_in_parallel import order_in_parallel

class Mark:
    # Whoever reads it leaves a folder of its own.
    def __reduce__(self):
        return tempfile.mkdtemp, (None, None, sys.argv[1])

# A shell that runs the tests in the background has its children ignore it.
signal.signal(signal.SIGINT, signal.default_int_handler)
crystal = Structure.from_dict(json.load(sys.stdin))
crystal.add_site_property("mark", [Mark()] + [None] * (len(crystal) - 1))
list(order_in_parallel([(crystal, None)] * 2, {"maximum_atoms": len(crystal)}, workers=2))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_processes_leave_with_who_started_them(tmp_path, number):
    """Killed at once, or interrupted, in the midst of their work."""
    command = [sys.executable, "-c", PARENT, str(tmp_path)]
    parent = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    parent.stdin.write(slow_crystal().to_json())
    parent.stdin.close()
    deadline = time.monotonic() + 300.0
    while len(list(tmp_path.iterdir())) < 2:
        assert parent.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    there = psutil.Process(parent.pid).children()
    os.kill(parent.pid, number)
    assert parent.wait(120.0) != 0
    _, alive = psutil.wait_procs(there, timeout=120.0)
    assert (len(there), alive) == (2, [])


def test_processes_that_do_not_start_are_no_fault_of_the_crystals(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(SettingsError, match="does not start: see why with"):
        list(order_in_parallel([(mixed_salt(), None)], {}, workers=1))
