"""The life of a campaign as a user types it, with the stage that needs no dynamics."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import psutil
import pytest

sys.path.append(str(Path(__file__).parents[2] / "workflows" / "campaign" / "support"))
from lattice_campaign import lattice_cell, write_campaign
from superion.scripts.cli import main


@pytest.fixture
def call(tmp_path, monkeypatch, capfd):
    """Run a command in a project with a campaign file; give exit code, standard output and error."""
    write_campaign(tmp_path, {"c14": lattice_cell(14, 1), "c15": lattice_cell(15, 2)}, stages=[{"stage": "validate"}])
    (tmp_path / ".superion").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUPERION_STORE", raising=False)

    def run(line: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = main(["campaign", *line.split()])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def test_life_of_a_campaign(call, tmp_path):
    """Submitted, run, paused, resumed, extended, exported, imported; every answer is one line or one table."""
    assert "There is no store" in call("status")[2]
    code, out, _ = call("submit campaign.yaml --json")
    assert (code, json.loads(out)["n_new"]) == (0, 2)
    code, out, _ = call("status --json")
    found = json.loads(out)
    assert (found["state"], found["counts"]) == ("idle", {"waiting": 2})

    code, out, err = call("run --workers 1 --json")
    found = json.loads(out)
    assert (code, found["state"], found["n_finished"], found["counts"]) == (0, "finished", 2, {"done": 2})
    assert "2 units in" in err
    code, out, _ = call("status lattice")
    assert code == 0
    assert "validate" in out
    assert "nothing is left to do" in out

    assert call("pause")[0] == 0
    code, _, err = call("run")
    assert (code, err.count("error: ")) == (1, 1)
    assert "The campaign lattice is paused: go on with `superion campaign resume lattice`." in err
    code, out, _ = call("resume --json")
    assert (code, json.loads(out)["n_finished"]) == (0, 0)

    (tmp_path / "c16.json").write_text(json.dumps(lattice_cell(16, 3).as_dict()))
    code, _, err = call("extend campaign.yaml")
    assert (code, "1 new candidates of 3" in err) == (0, True)
    assert "0 units will be tried again" in call("retry --failed")[2]
    code, _, err = call("retry")
    assert (code, "Say what to try again" in err) == (1, True)

    code, out, _ = call("export --json")
    assert (code, json.loads(out)["n_candidates"]) == (0, 3)
    code, out, _ = call("import lattice.zip --as theirs --json")
    assert (code, json.loads(out)["n_candidates"]) == (0, 3)
    code, _, err = call("run theirs")
    assert (code, "was imported: read its file" in err) == (1, True)
    code, _, err = call("status")
    assert (code, "There are 2 campaigns in this store, so name one" in err) == (1, True)
    code, _, err = call("status theris")
    assert (code, "did you mean theirs?" in err) == (1, True)


def test_extend_refuses_a_campaign_that_is_not_there(call):
    code, _, err = call("extend campaign.yaml")
    assert (code, "There is no campaign lattice to extend" in err) == (1, True)
    assert "There is no campaign file" in call("submit nothing.yaml")[2]


@pytest.mark.parametrize("how", ["option", "variable", "file"])
def test_a_driver_in_the_background_works_in_the_same_store(call, tmp_path, monkeypatch, how):
    """Also where the store is named from another folder than the project's."""
    below = tmp_path / "below"
    below.mkdir()
    monkeypatch.chdir(below)
    option = "--store results.db" if how == "option" else ""
    if how == "variable":
        monkeypatch.setenv("SUPERION_STORE", "results.db")
    if how == "file":
        (below / "where").write_text("results.db")
        (below / "where").chmod(0o600)
        monkeypatch.setenv("SUPERION_STORE_FILE", "where")
    assert call(f"submit ../campaign.yaml {option}")[0] == 0
    code, out, err = call(f"run lattice --background --workers 1 --json {option}")
    assert code == 0, err
    driver = psutil.Process(json.loads(out)["pid"]) if psutil.pid_exists(json.loads(out)["pid"]) else None
    if driver is not None:
        driver.wait(timeout=500)
    assert json.loads(call(f"status lattice --json {option}")[1])["counts"] == {"done": 2}
    assert not (tmp_path / "results.db").exists()


@pytest.mark.parametrize("command", ["run campaign.yaml", "run lattice", "resume lattice"])
def test_once_and_background_contradict_each_other(call, command):
    code, _, err = call(f"{command} --once --background")
    assert (code, err.count("error: "), "leave one of them out" in err) == (1, 1, True)
    assert "There is no store" in call("status")[2], "nothing was submitted"
