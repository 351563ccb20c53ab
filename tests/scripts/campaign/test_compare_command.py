"""`superion campaign compare`, as a user types it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from superion.database.campaigns import CampaignCollections
from superion.database.documents import CampaignRecord
from superion.database.properties import PropertyEstimate
from superion.scripts.cli import main
from support.candidate_rows import make_row
from support.reported_campaign import EARLY

SIGMA = "sigma_300k_ms_cm"


def rows():
    """Twelve measured rows, one of them as a bound; two were rejected by the probe, one was not measured."""
    generator = np.random.default_rng(7)
    found = []
    for number, measured in enumerate(generator.normal(-2.0, 2.0, 13)):
        estimate = PropertyEstimate(value=10.0**measured)
        properties = {
            SIGMA: PropertyEstimate(value=10.0 ** (measured + 0.3 * generator.normal())),
            "mobile_ion_density_per_angstrom3": PropertyEstimate(value=generator.random()),
            "percolation_barrier_1d_ev": PropertyEstimate(value=0.5 - 0.1 * measured),
        }
        changes = {"status": "done"}
        if number < 2:
            del properties[SIGMA]
            properties["greatest_sigma_300k_ms_cm"] = PropertyEstimate(bound="upper", limit=0.5)
            changes = {"status": "rejected", "stage": "probe", "reason": "D is below what was asked for"}
        if number == 3:
            estimate = PropertyEstimate(bound="upper", limit=1e-9)
        known = {} if number == 12 else {SIGMA: estimate}
        found.append(make_row(number, measured=known, properties=properties, **changes))
    return found


@pytest.fixture
def call(tmp_path, monkeypatch, capfd):
    """Run the command on a store; give exit code, standard output and error."""
    with CampaignCollections.open(tmp_path / "results.db") as collections:
        for name in ("c", "empty"):
            record = CampaignRecord(campaign_id=name, file_text="", base_folder=".", created_at=EARLY, updated_at=EARLY)
            collections.save_campaign(record)
        collections.register_candidates(rows())
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["campaign", "compare", "--store", "results.db", *words])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def test_a_table_and_a_sentence(call):
    code, out, _ = call("c", "--bootstrap", "200", "--permutations", "200")
    assert code == 0
    for text in (
        "campaign c: order of measured σ(300 K)",
        "density of mobile ions",
        "1D bond-valence barrier",
        "45 of 45",
        "bounds     1 left out",
        "unmeasured 1 of 13 rows",
        "missing    material 0: rejected at probe: D is below what was asked for",
        "without a computed value: 2 rows",
        "Over n = 10 of 12 measured materials",
    ):
        assert text in out, text


def test_json_holds_everything(call):
    words = ["--baseline", "percolation_barrier_1d", "--stand-in", "greatest_sigma_300k", "--seed", "3", "--json"]
    code, out, err = call("c", "--computed", "sigma_300k", "--redraw-errors", *words)
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert (found["campaign"], found["computed"], found["seed"]) == ("c", SIGMA, 3)
    assert (found["agreement"]["n"], found["agreement"]["n_bounds"], found["n_stand_ins"]) == (12, 2, 2)
    assert found["with_errors_redrawn"] is True
    assert [entry["agreement"]["property"] for entry in found["baselines"]] == ["percolation_barrier_1d_ev"]
    assert set(found["agreement"]["spearman_rho"]) == {"value", "interval_95", "p_value", "null_95"}
    assert found["errors"]["unit"] == "log10"
    assert found["in_words"].startswith("Over n = 12 of 12")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["c", "--computed", "sgima"], "There is no property 'sgima' to compare; did you mean"),
        (["c", "--baseline", "volume_change_percent"], "Neither end of 'volume_change_percent' is better"),
        (["c", "--measured", "activation_energy_ev"], "has a measured activation_energy_ev: name the column"),
        (["empty"], "has a measured sigma_300k_ms_cm: name the column"),
        (["other"], "There is no campaign"),
        ([], "There are 2 campaigns in this store, so name one"),
    ],
)
def test_mistakes_are_one_sentence(call, words, message):
    code, out, err = call(*words)
    assert (code, out) == (1, "")
    assert err.count("error: ") == 1
    assert message in err
