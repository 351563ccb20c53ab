"""A campaign whose stages compute with potentials of their own."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml
from superion.workflows.campaign.submit import submit_campaign

sys.path.append(str(Path(__file__).parent / "support"))
from lattice_campaign import PROBE, disturb, lattice_cell, open_campaigns, rows_of, run_here, start, write_campaign

CELLS = {"c14": lattice_cell(14, seed=14)}


def two_potentials(content: dict) -> dict:
    """Relax by a potential without repulsion, simulate by the campaign's."""
    own = content["potential"]
    cheap = own | {"model": "superion.potentials.cosine_lattice.CosineLatticeCalculator"}
    cheap["options"] = {name: value for name, value in own["options"].items() if name != "folder"} | {
        "repulsion_ev": 0.0
    }
    relax = {"stage": "relax", "potential": cheap, "relax_cell": False}
    return content | {"stages": [{"stage": "validate"}, relax, PROBE]}


def test_each_stage_computes_with_its_own_potential_killed_and_resumed(tmp_path):
    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    content = two_potentials(yaml.safe_load(write_campaign(unbroken, CELLS).read_text()))
    for folder in (unbroken, broken):
        # The same potentials to the letter: their options are part of every key.
        write_campaign(folder, CELLS, potential=content["potential"], stages=content["stages"])
        (folder / ".superion").mkdir()
    submitted, ran = run_here(unbroken)
    assert (ran.state, ran.n_finished, ran.counts) == ("finished", 3, {"done": 1}), rows_of(unbroken)

    (unbroken / "slow").write_text("0.02")
    try:
        disturb(broken, 0.3, workers_too=True)
    finally:
        (unbroken / "slow").unlink()
    driver = start(broken)
    output, errors = driver.communicate(timeout=600)
    assert driver.returncode == 0, errors.decode()[-2000:]
    assert output.decode().startswith("finished")
    rows = rows_of(broken)
    assert rows == rows_of(unbroken)

    with open_campaigns(broken) as collections:
        used = {
            (output["doc_type"], output["provenance"]["potential"]["weights_sha256"])
            for output in (document["output"] for document in collections.jobs.query({}, properties=["output"]))
            if output["provenance"]["potential"] and output["doc_type"] in ("relax", "trajectory")
        }
        assert len(used) == len({sha256 for _, sha256 in used}) == 2
        # Another potential of one stage asks for that stage alone, and one that is named where it held anyway for none.
        content["stages"][2] = PROBE | {"potential": content["potential"]}
        content["potential"] = content["stages"][1].pop("potential")
        write_campaign(broken, CELLS, potential=content["potential"], stages=content["stages"])
        submitted = submit_campaign(broken / "campaign.yaml", collections, workers=1)
        assert submitted.changed == ("potential", "stage relax (potential)", "stage probe (potential)")
        assert submitted.counts == {"done": 1}
        content["stages"][2].pop("potential")
        write_campaign(broken, CELLS, potential=content["potential"], stages=content["stages"])
        submitted = submit_campaign(broken / "campaign.yaml", collections, workers=1)
        assert (submitted.changed, submitted.counts) == (("stage probe (potential)",), {"waiting": 1})
    assert {row["stage"] for row in rows_of(broken).values()} == {"probe"}
