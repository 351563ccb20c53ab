"""The databases' own clients against servers on the loopback: what they give, and what a failing one gets."""

from __future__ import annotations

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from superion.errors import SettingsError
from superion.structures.read import read_structure
from superion.workflows.candidates.materials_project import (
    KEY_VARIABLE,
    MaterialsProjectSettings,
    MaterialsProjectSource,
)
from superion.workflows.candidates.optimade import OptimadeSettings, OptimadeSource
from superion.workflows.candidates.source import RawCandidate, UnreadableCandidate

pytest.importorskip("optimade.client")

from support.materials_project_server import materials_project_server
from support.optimade_server import entry_of, optimade_server


def salt(edge: float, anion: str = "F") -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), ["Li", anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def ask(server, **changes):
    settings = {"base_urls": [server.url], "filter": 'elements HAS ALL "Li"', **changes}
    return list(OptimadeSource().read(OptimadeSettings(**settings), Path()))


def test_reads_all_pages_with_partial_occupancies_and_rejects_what_is_no_entry():
    structures = [read_structure("Li6PS5Cl"), *(salt(4.0 + 0.1 * number) for number in range(5))]
    entries = [entry_of(structure, f"db-{number}") for number, structure in enumerate(structures)]
    without_cell, without_species, molecule = (copy.deepcopy(entries[1]) for _ in range(3))
    without_cell["attributes"]["lattice_vectors"] = None
    without_species["attributes"]["species"] = []
    molecule["attributes"].update(dimension_types=[0, 0, 0], nperiodic_dimensions=0, lattice_vectors=None)
    bad = [without_cell, without_species, molecule, None, {"id": "nothing"}]
    with optimade_server([*entries[:2], *bad, *entries[2:]]) as server:
        found = ask(server)
        assert set(server.filters) == {'elements HAS ALL "Li"'}
        assert len(server.filters) == 4
    good = [item for item in found if isinstance(item, RawCandidate)]
    assert [item.origin.identifier.rsplit("/", 1)[1] for item in good] == [f"db-{number}" for number in range(6)]
    assert good[0].label == "Li6PS5Cl db-0"
    for item, structure in zip(good, structures, strict=True):
        assert item.structure.composition.almost_equals(structure.composition, 1e-6, 1e-6)
        assert item.structure.matches(structure)
    rejected = [item for item in found if isinstance(item, UnreadableCandidate)]
    assert len(rejected) == len(bad)
    assert all("\n" not in item.reason and len(item.reason) < 400 for item in rejected)


def test_takes_no_more_than_asked_for():
    with optimade_server([entry_of(salt(4.0 + 0.1 * number), str(number)) for number in range(8)]) as server:
        assert len(ask(server, maximum_structures=4)) == 4


def test_waits_for_a_busy_server():
    with optimade_server([entry_of(salt(4.0), "one")]) as server:
        server.failures = [429, 503]
        assert len(ask(server)) == 1


@pytest.mark.parametrize("status", [400, 404, 500])
def test_a_server_that_fails_is_told_in_one_sentence(status, capfd):
    with optimade_server([]) as server:
        server.failures = [status]
        with pytest.raises(SettingsError, match=f"did not answer as it should .*{status}"):
            ask(server)
    assert capfd.readouterr() == ("", "")


def test_a_server_that_is_not_there_and_a_filter_that_is_none_are_told():
    hook = sys.excepthook
    with optimade_server([]) as server, pytest.raises(SettingsError, match="filter"):
        ask(server, filter="elements HAS ((")
    # The client silences the tracebacks of whatever fails later in this process.
    assert sys.excepthook is hook
    assert not hasattr(sys, "tracebacklimit")
    with pytest.raises(SettingsError, match="did not answer"):
        ask(server)


def test_only_addresses_are_taken():
    with pytest.raises(ValueError, match="https://"):
        OptimadeSettings(base_urls=["file:///etc/passwd"], filter="nsites<3")


# ------------------------------------------------------------------ Materials Project


def test_without_a_key_it_says_so(monkeypatch):
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    with pytest.raises(SettingsError, match=r"MP_API_KEY"):
        list(MaterialsProjectSource().read(MaterialsProjectSettings(elements=["Li"]), Path()))


def test_the_whole_database_is_no_campaign():
    with pytest.raises(ValueError, match="name material_ids"):
        MaterialsProjectSettings(maximum_sites=10)


ASK = """
import sys
from pathlib import Path
from superion.errors import SettingsError
from superion.workflows.candidates.materials_project import MaterialsProjectSettings, MaterialsProjectSource
query = MaterialsProjectSettings(chemical_systems=["Li-P-S-Cl"], maximum_energy_above_hull_ev_per_atom=0.05)
for _ in range(2):
    try:
        for item in MaterialsProjectSource().read(query, Path()):
            print(type(item).__name__, item.origin.identifier, item.label, sep="|")
    except SettingsError as error:
        print("SettingsError", error, sep="|")
"""


def test_asks_the_materials_project_by_its_own_client():
    pytest.importorskip("mp_api")
    entries = [
        {"material_id": "mp-12", "formula_pretty": "Li6PS5Cl", "structure": read_structure("Li6PS5Cl").as_dict()},
        {"material_id": "mp-3", "formula_pretty": "LiF", "structure": {"lattice": 1}},
    ]
    # The client reads its address once, when it is imported: a process of its own.
    with materials_project_server(entries, answers=1) as server:
        done = subprocess.run(
            [sys.executable, "-c", ASK],
            env={**os.environ, **server.environment},
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    query = next(path for path in server.asked if "summary" in path)
    assert "chemsys=Li-P-S-Cl" in query
    assert "energy_above_hull_max=0.05" in query
    *found, failure = done.stdout.splitlines()
    assert found == ["UnreadableCandidate|mp-3|LiF mp-3", "RawCandidate|mp-12|Li6PS5Cl mp-12"]
    assert failure.startswith("SettingsError|The Materials Project did not answer")
    assert server.environment[KEY_VARIABLE] not in done.stdout
