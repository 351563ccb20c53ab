"""A package of somebody else's adds a flow, its document, and all that campaigns are made of by entry points alone."""

from __future__ import annotations

import copy
import json
import os
import shutil
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from pymongo import MongoClient
from support.pilots import kill_pilots

PLUGIN = Path(__file__).parent / "example_plugin"

DRIVER = """
import contextlib, io, json, sys
from superion.scripts.cli import main

answers = []
for line in json.load(sys.stdin):
    out, err = io.StringIO(), io.StringIO()
    sys.argv = ["superion", *line]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(line)
    answers.append([code, out.getvalue(), err.getvalue()])
json.dump(answers, sys.stdout)
"""
"""Runs several commands in one process, for starting one takes longer than most commands."""


def install(folder: Path) -> None:
    """Leave what pip would leave of the plug-in, its entry points, and one that leads nowhere."""
    project = tomllib.loads((PLUGIN / "pyproject.toml").read_text())["project"]
    information = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    lines = []
    for group, members in project["entry-points"].items():
        lines += [f"[{group}]", *(f"{name} = {target}" for name, target in members.items())]
        lines += ["broken_one = superion_strain.document:NoSuchDoc"] if group == "superion.documents" else []
    (information / "entry_points.txt").write_text("\n".join(lines))


class Installed:
    """A folder to work in, where the plug-in is installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        site = folder.parent / "site"
        install(site)
        before = os.environ.get("PYTHONPATH", "")
        path = os.pathsep.join([str(site), str(PLUGIN), *([before] if before else [])])
        self.environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
        self.environment.pop("SUPERION_STORE", None)

    def __call__(self, *lines: str) -> list[tuple[int, str, str]]:
        words = [line.split() for line in lines]
        done = subprocess.run(
            [sys.executable, "-c", DRIVER],
            cwd=self.folder,
            env=self.environment,
            input=json.dumps(words),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return [tuple(answer) for answer in json.loads(done.stdout)]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("plugin") / "project"
    folder.mkdir()
    lithium = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    sulphur = [[0.5 - a, 0.5 - b, 0.5 - c] for a, b, c in lithium]
    Structure(Lattice.cubic(5.0), ["Li"] * 4 + ["S"] * 4, lithium + sulphur).to(str(folder / "full.cif"))
    Structure(Lattice.cubic(5.1), ["S"] * 4, sulphur).to(str(folder / "empty.cif"))
    return Installed(folder)


def test_it_is_run_listed_shown_and_reported(installed: Installed) -> None:
    run, listed, rows = installed(
        "run volume_strain full.cif empty.cif --name first --label host --ion Li",
        "list",
        "list --type volume_strain --json",
    )
    assert run[0] == 0, run[2]
    assert "inputs        full.cif, empty.cif" in run[2]
    assert "host: volume strain 6.12 % (31.25 to 33.16 Å³ per framework atom)" in run[1]
    assert "strain 6.12 %" in listed[1]
    (warning,) = [line for line in listed[2].splitlines() if line.startswith("warning: ")]
    assert warning.startswith(
        "warning: The kind of document 'broken_one' of superion_strain.document:NoSuchDoc does not"
    )
    (row,) = json.loads(rows[1])
    assert row["volume_strain_percent"] == pytest.approx(100 * (1.02**3 - 1))
    assert row["sigma_300k_ms_cm"] is None, "a column of another kind"

    uuid = row["uuid"]
    show, report, again, crystal, *mistakes = installed(
        f"show {uuid[:8]}",
        "report first -o strain.html",
        # a document that holds a crystal is an input like a file
        f"run volume_strain {uuid[:8]} empty.cif --dry-run --json",
        f"run conductivity {uuid} --potential ase:ase.calculators.emt.EMT --dry-run --json",
        *MISTAKES,
    )
    assert "volume strain 6.12 %" in show[1]
    assert f"superion report {uuid[:8]}" in show[1]
    page = (installed.folder / "strain.html").read_text()
    assert report[0] == 0
    assert "<title>Volume strain of host</title>" in page
    assert "superion run volume_strain full.cif empty.cif" in page
    assert json.loads(again[1])["inputs"] == [uuid[:8], "empty.cif"]
    assert json.loads(crystal[1])["plan"]["label"] == "host"
    assert json.loads(crystal[1])["plan"]["formula"] == "LiS"
    check_sentences(mistakes)


def test_its_property_is_ranked_indexed_and_queried(installed: Installed) -> None:
    script = (
        "from superion.database.property_names import full_name, indexed_names, ranked_names\n"
        "from superion.database.query_language.columns import find_column\n"
        "from superion.workflows.selection.threshold import ThresholdRule\n"
        "assert full_name('volume_strain') == 'volume_strain_percent'\n"
        "assert 'volume_strain_percent' in ranked_names() and 'volume_strain_percent' in indexed_names()\n"
        "assert find_column('measured_volume_strain')[0].unit == 'percent'\n"
        "ThresholdRule(property='volume_strain_percent', at_most=5)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=installed.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


CAMPAIGN = """
name: charging
candidates:
  - {kind: charge_states, host: full.cif, removed: [0, 1, 2, 3], shrinkage_percent: 1.5}
mobile_ion: Li
potential: ase:ase.calculators.lj.LennardJones
stages:
  - {stage: validate, must_be_neutral: false}
  - stage: volume_strain
    charged_angstrom3: 31.0
    rules:
      - {rule: distinct, by: volume_strain_percent, distance: 0.5}
      - {property: volume_strain_percent, at_most: 3}
limits: {minimum_free_disk_gb: 0}
"""


@pytest.mark.parametrize("engine", [pytest.param("local", marks=pytest.mark.slow), "fireworks"])
def test_its_source_stage_rule_and_kind_of_jobs_make_a_campaign(installed: Installed, engine: str, request) -> None:
    """What it registers for campaigns goes through a real one, with no line of superion changed for it."""
    folder = installed.folder.parent / engine
    folder.mkdir()
    shutil.copy(installed.folder / "full.cif", folder)
    (folder / ".superion").mkdir()
    dispatch, store = {"engine": engine}, []
    if engine == "fireworks":
        store = ["--store", request.getfixturevalue("mongo_uri")]
        request.addfinalizer(partial(kill_pilots, folder))
        profile = {
            "scheduler": "shell",
            "work_folder": str(folder / "work"),
            "python": sys.executable,
            "environment": {"PYTHONPATH": installed.environment["PYTHONPATH"], "OMP_NUM_THREADS": "1"},
            "packing": {"geometry": {"idle_s": 5}},
        }
        (folder / "here.yaml").write_text(json.dumps(profile))
        dispatch["cluster"] = str(folder / "here.yaml")
    (folder / "campaign.yaml").write_text(f"{CAMPAIGN}dispatch: {json.dumps(dispatch)}\n")
    here = copy.copy(installed)
    here.folder = folder
    run, ranked = here(
        *(
            " ".join([*words, *store])
            for words in (
                ["campaign", "run", "campaign.yaml", "--json"],
                ["campaign", "rank", "charging", "--by", "volume_strain", "--json"],
            )
        )
    )
    assert run[0] == 0, run[2]
    assert json.loads(run[1])["counts"] == {"done": 2, "rejected": 2}
    # 0.8, 0.71, 2.24 and 3.7 %: the first is about the second, and the last is too much.
    assert [(row["label"], round(row["volume_strain_percent"], 2)) for row in json.loads(ranked[1])] == [
        ("full - 1 Li", 0.71),
        ("full - 2 Li", 2.24),
    ]
    if engine == "fireworks":
        fireworks = MongoClient(store[1]).get_default_database()["fireworks"].find()
        kinds = {firework["name"]: firework["spec"]["_category"].rpartition(".")[2] for firework in fireworks}
        assert kinds == {"validate": "analysis", "volume strain": "geometry"}


MISTAKES = (
    "run volume_strain full.cif",
    "run volume_strain full.cif empty.cif a.cif",
    "run volume_strain full.cif empty.cif --replicas 2",
    "run volume_strain full.cif empty.cif --oin Li",
    "run conductivity deadbeef",
    "flow show volume_strain",
)


def check_sentences(answers: list[tuple[int, str, str]]) -> None:
    """What does not fit is one sentence, and the flow shows what does."""
    sentences = [
        "The flow volume_strain takes DISCHARGED CHARGED, and no charged is given; give it: crystal of the same",
        "The flow volume_strain takes DISCHARGED CHARGED, and 'a.cif' is one too many; leave it out.",
        "The flow volume_strain has no option --replicas; it has --mobile-ion, --ion,",
        "No such option of the flow volume_strain: --oin Did you mean --ion?",
        "There is no structure file 'deadbeef', and no document of that id: ",
    ]
    for (code, _, err), sentence in zip(answers, sentences, strict=False):
        assert code > 0
        assert sentence in " ".join(err.replace("│", " ").split()), err
        assert "Traceback" not in err
    code, out, _ = answers[-1]
    assert code == 0
    for words in (
        "superion run volume_strain DISCHARGED CHARGED",
        "kind 'volume_strain'",
        "--ion",
        "compare.mobile_ion",
    ):
        assert words in out
