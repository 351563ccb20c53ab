"""Check, plan, submit and run agree on what cannot be used, and say why where it happens."""

from __future__ import annotations

import pytest
from pymatgen.core import Lattice, Structure

FILE = """\
name: {name}
candidates: [{{kind: files, paths: ["*.cif"]}}]
mobile_ion: Li
potential: {potential}
stages:
  - stage: validate
    must_be_neutral: {neutral}
  - stage: relax
"""


@pytest.fixture
def crystals(folder):
    """One that lacks an ion, and one without the mobile ion."""
    salt = Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]
    charged = Structure.from_spacegroup("Fm-3m", *salt)
    charged.remove_sites([0])
    charged.to(filename=str(folder / "charged.cif"))
    sodium = Structure.from_spacegroup("Fm-3m", salt[0], ["Na", "Cl"], salt[2])
    sodium.to(filename=str(folder / "sodium.cif"))
    return folder


def write(folder, name, *, potential="chgnet", neutral="true"):
    (folder / f"{name}.yaml").write_text(FILE.format(name=name, potential=potential, neutral=neutral))
    return f"{name}.yaml"


def test_nothing_usable_is_an_error_with_its_reasons(cli, crystals):
    file = write(crystals, "strict")
    planned = cli("campaign", "plan", file, "--no-timing", "--json")
    assert planned.code == 1
    plan = planned.json()
    assert (plan["n_usable"], [stage["n_units"] for stage in plan["stages"]]) == (0, [0, 0])
    reasons = {item["label"]: item["reason"] for item in plan["rejected"]}
    submitted = cli("campaign", "submit", file, "--json")
    assert submitted.code == 1
    assert {item["label"]: item["reason"] for item in submitted.json()["turned_away"]} == reasons
    for arguments in (("run", file), ("run", "strict"), ("resume", "strict")):
        answer = cli("campaign", *arguments)
        answer.assert_sentence("no candidate that can be used", "2 were turned away")
        for label, reason in reasons.items():
            assert answer.err.count(f"turned away: {label}: {reason}") == 1


def test_a_charge_may_be_allowed(cli, crystals):
    file = write(crystals, "charged")
    assert cli("campaign", "submit", file, "--json").json()["n_orderings"] == 0
    write(crystals, "charged", neutral="false")
    planned = cli("campaign", "plan", file, "--no-timing", "--json")
    assert (planned.code, planned.json()["n_usable"]) == (0, 1)
    submitted = cli("campaign", "submit", file, "--json").json()
    assert submitted["counts"] == {"rejected": 1, "waiting": 1}
    assert [item["label"] for item in submitted["turned_away"]] == ["sodium"]


@pytest.mark.parametrize(
    ("potential", "words"),
    [
        ("mace:nofile.model", "there is no MACE model file 'nofile.model'"),
        ("{name: chgnet, device: cuda:9}", "the device 'cuda:9' was asked for but torch sees"),
        ("{name: chgnet, dtype: float64}", "computes in float32 only"),
    ],
)
def test_a_potential_that_is_not_here(cli, crystals, potential, words):
    file = write(crystals, "away", potential=potential)
    for command in ("check", "plan", "submit", "run"):
        cli("campaign", command, file).assert_sentence("away.yaml, line 4", words)
    # The same of a stage; one that nobody uses is not missed.
    of_stage = (crystals / file).read_text() + f"    potential: {potential}\n"
    (crystals / file).write_text(
        of_stage.replace(f"potential: {potential}\nstages", "potential: mace:none.model\nstages")
    )
    for command in ("check", "plan", "submit", "run"):
        cli("campaign", command, file).assert_sentence("away.yaml, line 9", words)


def test_a_cluster_may_have_what_is_not_here(cli, crystals):
    file = crystals / write(crystals, "away", potential="mace:nofile.model", neutral="false")
    file.write_text(f"{file.read_text()}dispatch: {{engine: jobflow_remote, project: p, cluster: c}}\n")
    answer = cli("campaign", "check", file)
    assert answer.code == 0, answer.err
    assert "warning: away.yaml, line 4: the potential cannot compute on this machine" in answer.err
    text = file.read_text().replace("relax\n", "relax\n    potential: mace:nofile.model\n").replace("mace", "chgnet", 1)
    file.write_text(text.replace("chgnet:nofile.model", "chgnet", 1))
    answer = cli("campaign", "check", file)
    assert "warning: away.yaml, line 9: the potential of the stage 'relax' cannot compute on this" in answer.err
