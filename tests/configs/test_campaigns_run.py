"""The shipped campaign files, run to their end as a user runs them: only their lengths are shortened."""

from __future__ import annotations

import contextlib
import io
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymatgen.core import Lattice, Structure
from superion.database.campaigns import CampaignCollections
from superion.database.documents import CandidateSummary, StageDoc
from superion.scripts.cli import main
from superion.workflows.stages.registry import load_stage

FOLDER = Path(str(resources.files("superion.configs"))) / "campaigns"
ION_AND_FRAMEWORK = {"Li": 0.12, **dict.fromkeys(("Br", "Cl", "P", "S", "Si", "W"), 1.5)}
ANALYTIC_CONDUCTOR = {
    "name": "ase",
    "model": "superion.potentials.cosine_lattice.CosineLatticeCalculator",
    "device": "cpu",
    "dtype": "auto",
    "options": {
        # Sites this close tie any framework to where it is, and let lithium wander.
        "spacing_angstrom": 0.5,
        "barriers_ev": ION_AND_FRAMEWORK,
        "repulsion_ev": 0.2,
        "repulsion_range_angstrom": 1.8,
    },
}

# Seconds on a quiet machine, minutes on a crowded one.
pytestmark = pytest.mark.timeout(1800)


def shortened(name: str, lengths: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Read a shipped file with other lengths in its stages; only numbers are replaced, and only what a stage knows."""
    content = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    for entry in content["stages"]:
        for key, value in lengths[entry["stage"]].items():
            assert key in load_stage(entry["stage"]).settings_model.model_fields, key
            assert not isinstance(value, str | bool), key
            entry[key] = value
    return content


def run(folder: Path, content: dict[str, Any], workers: int, **environment: str) -> dict[str, Any]:
    """Run a campaign file and its report by the command line; give what the run says at its end.

    The jobs run in real processes; with one worker heavy libraries are loaded once.
    """
    (folder / "campaign.yaml").write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    (folder / ".superion").mkdir()
    said = []
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("SUPERION_STORE", raising=False)
        for name, value in {"OMP_NUM_THREADS": "1", **environment}.items():
            patch.setenv(name, value)
        for words in (
            ["run", "campaign.yaml", "--workers", str(workers), "--json"],
            ["report", "-o", "report", "--json"],
        ):
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main(["campaign", *words])
            assert "Traceback" not in out.getvalue() + err.getvalue(), err.getvalue()[-3000:]
            assert code == 0, err.getvalue()[-3000:]
            said.append(json.loads(out.getvalue()))
    return said[0]


def results_of(folder: Path, name: str) -> tuple[dict[str, CandidateSummary], dict[str, list[StageDoc]]]:
    """All rows, and the stage documents of each, by label."""
    with CampaignCollections.open(str(folder / ".superion" / "superion.db")) as collections:
        rows = {row.label: row for row in collections.iter_rows(name)}
        documents = {
            label: list(
                collections.latest_stage_docs(
                    [key for stage in row.stages.values() for key in stage.stage_keys]
                ).values()
            )
            for label, row in rows.items()
        }
    return rows, documents


def section_of(page: str, heading: str) -> str:
    """What stands below a heading."""
    found = re.search(rf"<h2>{heading}.*?(?=<h2>|</main>|</body>)", page, re.DOTALL)
    assert found is not None, f"no section {heading}"
    return found[0]


def test_minimal_runs(tmp_path):
    """The shipped example, over steps that only show that every stage works."""
    short = {"minimum_edge_angstrom": 5, "duration_ps": 2, "minimum_ps": 1, "segment_ps": 1}
    short |= {"analysis": {"equilibration_ps": 0.2}, "md": {"time_step_fs": 2}}
    lengths = {
        "validate": {},
        "relax": {"maximum_steps": 8},
        "probe": short,
        "conductivity": {"temperatures_k": [900, 1000], **short},
    }
    content = shortened("minimal.yaml", lengths)
    assert content["potential"] == "chgnet"
    content["potential"] = ANALYTIC_CONDUCTOR
    said = run(tmp_path, content, workers=1)
    assert (said["state"], said["n_finished"], said["n_failed"]) == ("finished", 4, 0)
    assert said["counts"] == {"done": 1}
    rows, documents = results_of(tmp_path, "minimal")
    (row,) = rows.values()
    assert row.label == "Li6PS5Cl"
    assert {name: stage.state for name, stage in row.stages.items()} == dict.fromkeys(lengths, "passed")
    assert {document.stage for document in documents["Li6PS5Cl"]} == set(lengths)
    assert row.properties["sigma_300k_ms_cm"].interval_95 is not None
    potentials = {
        document.provenance.potential.name for document in documents["Li6PS5Cl"] if document.stage != "validate"
    }
    assert potentials == {"ase"}
    # The probe's trajectory at 1000 K is that of the conductivity, so there are two and not three.
    assert len(list((tmp_path / ".superion" / "trajectories").glob("*/manifest.json"))) == 2
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert f"candidates/{row.candidate_id}.html" in section_of(page, "Ranking")
    assert (tmp_path / "report" / "candidates" / f"{row.candidate_id}.html").is_file()


def salt(edge: float, anion: str) -> Structure:
    return Structure.from_spacegroup("Fm-3m", Lattice.cubic(edge), ["Li", anion], [[0, 0, 0], [0.5, 0.5, 0.5]])


def full_lengths() -> dict[str, dict[str, Any]]:
    """Rules are given with their numbers only; their kind and property stay as they are in the file."""
    short = {"minimum_edge_angstrom": 5, "segment_ps": 2, "analysis": {"equilibration_ps": 0.2}}
    return {
        "validate": {},
        "percolation": {"resolution_angstrom": 1.0},
        "relax": {"maximum_steps": 8},
        "stability": {"maximum_steps": 100},
        "probe": {"duration_ps": 2, "minimum_ps": 1, **short},
        "conductivity": {"duration_ps": 4, "minimum_ps": 2, "temperatures_k": [700, 1000], **short},
    }


def write_what_a_user_has(folder: Path) -> None:
    """A folder of CIFs, one of them damaged, and a table with measured values, one of them without its CIF."""
    (folder / "cifs").mkdir()
    salt(5.13, "Cl").to(str(folder / "cifs" / "a1.cif"))
    (folder / "cifs" / "bad.cif").write_text("no crystal")
    (folder / "measured.csv").write_text(
        "ID,name,composition,conductivity,DOI\na1,LiCl,LiCl,<1E-10,10.1/x\nnone,LiBr,LiBr,1e-6,\n"
    )


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """The full example, run to its end: folder, what it said, rows and documents, and what the databases were asked."""
    pytest.importorskip("optimade.client")
    pytest.importorskip("mp_api")
    pytest.importorskip("bvlain")
    from support.materials_project_server import materials_project_server, summary_of
    from support.optimade_server import entry_of, optimade_server

    folder = tmp_path_factory.mktemp("full")
    write_what_a_user_has(folder)
    content = shortened("full.yaml", full_lengths())
    content["ordering"]["n_orderings"] = 2
    content["md"]["time_step_fs"] = 2
    # So that the substituted ones are told apart from their parent before anything is computed.
    content["stages"][0]["rules"][0]["at_most"] = 23
    content["potential"] = ANALYTIC_CONDUCTOR
    sulfide = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.71), ["Li", "S"], [[0.25, 0.25, 0.25], [0, 0, 0]])
    positions = [[0.25, 0.25, 0.25], [0.5, 0.5, 0.5], [0, 0, 0]]
    phosphide = Structure.from_spacegroup("Fm-3m", Lattice.cubic(6.0), ["Li", "Li", "P"], positions)
    with (
        optimade_server([entry_of(sulfide, "o1")]) as structures,
        materials_project_server([summary_of("mp-985592", phosphide)]) as project,
    ):
        source = next(source for source in content["candidates"] if source["kind"] == "optimade")
        source["base_urls"] = [structures.url]
        said = run(folder, content, workers=1, **project.environment)
        asked = (structures.filters, project.asked)
    assert asked[0] == [source["filter"]]
    assert any("material_ids=mp-985592" in path and "exclude_elements=H" in path for path in asked[1])
    rows, documents = results_of(folder, "full")
    return folder, said, rows, documents


def test_full_runs_every_source_and_stage(full):
    _, said, rows, documents = full
    assert (said["state"], said["n_failed"]) == ("finished", 0)
    assert {label: row.status for label, row in rows.items()} == {
        "a1": "done",
        "Li6PS5Cl": "done",
        "Li3P mp-985592": "done",
        "Li2S o1": "rejected",
        "Li6PS5Cl Cl→Br": "rejected",
        "Li6PS5Cl P5+→0.25 Si4+ + 0.25 W6+": "rejected",
        "bad": "rejected",
        "LiBr (none)": "rejected",
    }
    kinds = {origin.source for row in rows.values() for origin in row.origins}
    assert kinds == {"files", "table", "substitution", "optimade", "materials_project"}
    assert [origin.source for origin in rows["a1"].origins] == ["files", "table"]
    assert rows["a1"].measured["sigma_300k_ms_cm"].limit == pytest.approx(1e-7)
    assert len(rows["Li6PS5Cl"].orderings) == 2
    for row in (row for row in rows.values() if row.status == "done"):
        assert {name: stage.state for name, stage in row.stages.items()} == dict.fromkeys(full_lengths(), "passed")
    for label, row in rows.items():
        keys = [key for stage in row.stages.values() for key in stage.stage_keys]
        assert sorted(document.stage_key for document in documents[label]) == sorted(keys)
    assert [len(documents[label]) for label in ("a1", "Li6PS5Cl", "Li6PS5Cl Cl→Br", "bad")] == [6, 12, 2, 0]


def test_full_finds_what_the_stages_are_for(full):
    _, _, rows, documents = full
    assert rows["Li6PS5Cl Cl→Br"].stage == "validate"
    assert "mean atomic mass" in rows["Li6PS5Cl Cl→Br"].reason
    # Eleven sites of the potential along its edge: half of its sulfur sits on their barriers, by symmetry for ever.
    assert rows["Li2S o1"].stage == "stability"
    assert "energy above hull is at least" in rows["Li2S o1"].reason
    stability = next(document for document in documents["Li6PS5Cl"] if document.stage == "stability")
    assert len(stability.details["reference_phases"]) >= 5
    assert stability.properties["energy_above_hull_ev_per_atom"].bound == "lower"
    argyrodite = rows["Li6PS5Cl"].properties
    assert argyrodite["sigma_300k_ms_cm"].value > 0
    low, high = argyrodite["sigma_300k_ms_cm"].interval_95
    assert low < argyrodite["sigma_300k_ms_cm"].value < high
    # Lithium that wanders over sites with a barrier of 0.12 eV, and repels its neighbours.
    assert 0.0 < argyrodite["activation_energy_ev"].value < 0.3
    assert argyrodite["percolation_barrier_3d_ev"].value < 1.0


def test_full_has_a_report_with_every_part(full):
    folder, _, rows, _ = full
    page = (folder / "report" / "index.html").read_text(encoding="utf-8")
    for heading, figure in {
        "The way through the stages": "funnel",
        "Pareto front": "pareto",
        "Temperature dependence": "arrhenius-overlay",
        "Measured and computed": "measured-sigma-300k-ms-cm",
    }.items():
        assert '<svg xmlns="http://www.w3.org/2000/svg"' in section_of(page, heading)
        assert f'aria-labelledby="{figure}-title' in section_of(page, heading)
    ranking = section_of(page, "Ranking")
    done = [row for row in rows.values() if row.status == "done"]
    assert all(f"candidates/{row.candidate_id}.html" in ranking for row in done)
    valued = [row for row in done if row.properties["sigma_300k_ms_cm"].value is not None]
    best_first = sorted(valued, key=lambda row: -row.properties["sigma_300k_ms_cm"].value)
    assert [row.candidate_id for row in best_first] == sorted(
        (row.candidate_id for row in valued), key=lambda name: ranking.index(f"candidates/{name}.html")
    )
    overlay = section_of(page, "Temperature dependence")
    assert "Li6PS5Cl" in overlay
    rejected = section_of(page, "Rejected and failed")
    assert all(f"candidates/{row.candidate_id}.html" in rejected for row in rows.values() if row.status == "rejected")
    pages = {path.stem for path in (folder / "report" / "candidates").iterdir()}
    assert pages == {row.candidate_id for row in rows.values()}
    argyrodite = (folder / "report" / "candidates" / f"{rows['Li6PS5Cl'].candidate_id}.html").read_text(
        encoding="utf-8"
    )
    for heading in ("Structure", "Temperature dependence", "Displacements", "Provenance", "Systematic errors"):
        assert section_of(argyrodite, heading)
    assert argyrodite.count("<svg ") >= 4
