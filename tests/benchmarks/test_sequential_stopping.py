"""The replay ends runs where the engine does, and the comparison tells good protocols from bad ones."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))
sys.path.append(str(Path(__file__).parents[1] / "workflows" / "campaign" / "support"))

import stopping_campaign
import stopping_candidates
import stopping_comparison
import stopping_protocols
import stopping_replay
from lattice_campaign import PROBE, lattice_cell, run_here, write_campaign
from superion.constants import BOLTZMANN_EV_PER_K
from superion.dynamics.engine import run_md
from superion.dynamics.protocol import RunLimits
from superion.dynamics.trajectory import Trajectory
from superion.errors import TrajectoryError
from superion.potentials.registry import load_potential
from superion.runtime.atoms import ase_atoms
from superion.runtime.stop_criteria import StopCriteria
from superion.runtime.stop_rules import AdaptiveLength, melting_check
from superion.transport.analysis import DiffusionSettings
from superion.workflows.selection.threshold import ThresholdRule
from superion.workflows.stages.conductivity import ConductivitySettings
from superion.workflows.stages.probe import ProbeSettings
from support.campaign_text import COSINE_POTENTIAL

ROOT = Path(__file__).parents[2]
LIMITS = RunLimits(duration_ps=6.0, minimum_ps=3.0, segment_ps=1.0)
CRITERIA = {
    "never": StopCriteria(target_relative_error=None),
    # Far above what the candidate reaches, so that a look ends it as soon as its bound has fallen enough.
    "ruled_out": StopCriteria(target_relative_error=None, target_sigma_300k_ms_cm=2000.0),
    "too_short": StopCriteria(target_relative_error=0.9),
}


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A slow candidate at one temperature, run to its full length by the engine without a rule."""
    candidate = stopping_candidates.make_candidates(4)[-1]
    run = stopping_replay.StoredRun(
        candidate.structure,
        stopping_candidates.MOBILE_ION,
        1.0,
        load_potential(candidate.potential),
        candidate.md.at(1000.0),
    )
    library = tmp_path_factory.mktemp("library")
    run_md(ase_atoms(run.cell), run.potential, run.protocol, LIMITS, library)
    return run, library


def replayed(stored, criteria, root, limits=LIMITS):
    run, library = stored
    return stopping_replay.replay(run, limits, criteria, DiffusionSettings(), library, root)


@pytest.mark.parametrize("name", CRITERIA)
def test_replay_ends_where_the_engine_does(stored, tmp_path, name):
    """The engine runs the same trajectory with the rule: same end, same history, same files."""
    run, _ = stored
    criteria = CRITERIA[name]
    end = replayed(stored, criteria, tmp_path / "replayed")
    rules = [AdaptiveLength(run.cell, run.mobile_ion, 1.0, criteria, DiffusionSettings())] if name != "never" else []
    checks = [melting_check(run.cell, run.mobile_ion)] if name != "never" else []
    real = run_md(
        ase_atoms(run.cell), run.potential, run.protocol, LIMITS, tmp_path, stop_rules=rules, health_checks=checks
    )
    assert (end.reason, end.completed_ps) == (real.stop_reason, real.completed_ps)
    assert end.reason == ("ruled_out" if name == "ruled_out" else "max_length")
    short = Trajectory(tmp_path / "replayed" / run.key)
    assert short.n_frames == real.n_frames
    assert (short.positions() == Trajectory(tmp_path / run.key).positions()).all()
    if rules:
        assert short.history == tuple(real.history)
    if name == "ruled_out":
        assert LIMITS.minimum_ps <= end.completed_ps < LIMITS.duration_ps


def test_a_second_stage_goes_on_from_the_first(stored, tmp_path):
    """What a probe ended early is continued with other criteria, as the engine would."""
    run, _ = stored
    first = replayed(stored, CRITERIA["ruled_out"], tmp_path)
    second = replayed(stored, CRITERIA["too_short"], tmp_path)
    assert first.n_steps < second.n_steps
    looks = [entry["estimate"]["look"] for entry in Trajectory(tmp_path / run.key).history if entry["estimate"]]
    assert looks == sorted(looks)


def test_what_is_too_short_is_refused(stored, tmp_path):
    with pytest.raises(TrajectoryError, match="has 6 of the 8 ps"):
        replayed(stored, CRITERIA["never"], tmp_path, LIMITS.model_copy(update={"duration_ps": 8.0}))


def test_candidates_are_as_they_say():
    """Barriers give the conductivities asked for, over many decades; σ at 300 K falls along the list."""
    candidates = stopping_candidates.make_candidates(30)
    sigmas = [one.log10_sigma_300k for one in candidates]
    assert sigmas == sorted(sigmas, reverse=True)
    assert sigmas[0] > 0.5
    assert sigmas[-1] < -8.0
    # Real ones: 17 % reach 1 mS/cm.
    assert sum(value >= 0.0 for value in sigmas) == pytest.approx(0.17 * len(sigmas), abs=1.0)
    for one in candidates[::7]:
        theory = stopping_candidates.theory_sigma_ms_cm(one.barrier_ev, one.n_ions, 300.0)
        assert theory == pytest.approx(10**one.log10_sigma_300k, rel=1e-3)
        symbols = [site.specie.symbol for site in one.structure]
        assert symbols.count(stopping_candidates.MOBILE_ION) == one.n_ions
    assert len({one.structure.composition.reduced_formula for one in candidates}) == 3


def test_theory_is_an_arrhenius_law():
    from math import log

    values = {t: log(stopping_candidates.theory_sigma_ms_cm(0.3, 40, t) * t) for t in (300.0, 1000.0)}
    slope = (values[300.0] - values[1000.0]) / (1 / 300.0 - 1 / 1000.0)
    assert -slope * BOLTZMANN_EV_PER_K == pytest.approx(0.3, rel=1e-9)


# ------------------------------------------------------------------------------------------------------------ comparing


def screened(steps, ranked):
    return stopping_protocols.Screened(steps=steps, ranked=ranked, survivors=sorted(ranked))


def test_comparison_tells_right_from_wrong():
    names = [f"c{n:02d}" for n in range(20)]
    truth = {name: -float(number) for number, name in enumerate(names)}
    whole = screened(dict.fromkeys(names, 100), names)
    third = screened(dict.fromkeys(names, 30), names)
    wrong = screened(dict.fromkeys(names, 30), names[::-1])
    right = stopping_comparison.compare(third, whole, 5, truth)
    assert right.ratio == pytest.approx((0.3, 0.3, 0.3))
    assert right.overlap[0] == right.recall[0] == 1.0
    assert right.decades_lost[0] == 0.0
    bad = stopping_comparison.compare(wrong, whole, 5, truth)
    assert bad.recall[0] == 0.0
    assert bad.decades_lost[0] == pytest.approx(15.0)
    # Nobody left: all of the best are missed, and the loss is that of the worst candidate.
    empty = stopping_comparison.compare(screened(dict.fromkeys(names, 1), []), whole, 5, truth)
    assert empty.recall[0] == 0.0
    assert empty.decades_lost[0] == pytest.approx(17.0)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12), st.integers(1, 20))
def test_best_of_a_draw(times, k):
    order = [str(number) for number in range(len(times))]
    taken = stopping_comparison.best(order, k, dict(zip(order, times, strict=True)))
    assert taken.total() == min(k, sum(times))
    last = max((order.index(name) for name in taken), default=-1)
    assert all(taken[name] == count for name, count in zip(order[:last], times[:last], strict=True))


def test_the_way_through_both_stages(stored, tmp_path):
    """Steps of a screening: who is cut spends those of the probe alone, who goes on continues its run."""
    candidates = stopping_candidates.make_candidates(4)[::3]
    probe = ProbeSettings(duration_ps=4.0)
    conductivity = ConductivitySettings(duration_ps=6.0, temperatures_k=(800.0, 1000.0))
    never = stopping_protocols.NEVER
    way = stopping_protocols.Way(probe.model_copy(update=never), conductivity.model_copy(update=never))
    outcomes = {}
    for one in candidates:
        material = stopping_protocols.Material(
            one.label, one.structure, stopping_candidates.MOBILE_ION, 1.0, one.potential, one.md
        )
        stopping_protocols.run_in_full(material, conductivity, tmp_path)
        with stopping_protocols.remembered_analysis():
            outcomes[one.label] = stopping_protocols.follow(material, way, tmp_path)
    for outcome in outcomes.values():
        # 20 fs a step; the probe is the beginning of one of the two runs.
        assert (outcome.probe_steps, outcome.total_steps) == (200, 600)
        assert [end.reason for end in outcome.conductivity_ends] == ["max_length"] * 2
    fast, slow = (one.label for one in candidates)
    bounds = [outcomes[name].probe_properties["greatest_sigma_300k_ms_cm"].limit for name in (fast, slow)]
    assert bounds[1] < bounds[0]
    rule = ThresholdRule(property="greatest_sigma_300k_ms_cm", at_least=sum(bounds) / 2.0)
    found = stopping_protocols.screen(outcomes, [rule])
    assert found.survivors == [fast]
    assert found.steps == {fast: 600, slow: 200}


@pytest.mark.slow
def test_quick_benchmark_from_the_shell(tmp_path):
    """The program as it is called, with few candidates; the fixed protocol is the measure of all."""
    command = [sys.executable, str(ROOT / "benchmarks" / "sequential_stopping.py"), "--quick", "--candidates", "4"]
    done = subprocess.run(
        [*command, "--output", str(tmp_path / "page.md")], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.md").read_text()
    assert page.startswith("## Sequential stopping")
    assert "| full length | 4 | 1.00 (1.00–1.00) | 1.00 (1.00–1.00) | 1.00 (1.00–1.00) |" in page


# ------------------------------------------------------------------------------------------------------------ campaigns

LATTICE = COSINE_POTENTIAL | {
    "options": COSINE_POTENTIAL["options"]
    | {"barriers_ev": {"Li": 0.15, "Cl": 5.0}, "offsets": {"Cl": [0.5, 0.5, 0.5]}},
}


def test_a_campaign_of_fixed_length_is_replayed(tmp_path):
    """Its own trajectories, found by its own file and store; nothing of the project is touched."""
    never = dict.fromkeys(stopping_protocols.NEVER)
    write_campaign(
        tmp_path,
        {"c14": lattice_cell(14, 1), "c20": lattice_cell(20, 2)},
        stages=[{"stage": "validate"}, PROBE | never],
        potential=LATTICE,
    )
    _, ran = run_here(tmp_path)
    assert ran.counts == {"done": 2}, ran
    stored = stopping_campaign.load_campaign(tmp_path)
    assert (len(stored.entries), stored.left_out, stored.stops_by_itself) == (2, {}, False)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob(".superion/trajectories/**/*")}
    material, fixed, sequential = stored.entries[0]
    assert fixed.probe.target_sigma_300k_ms_cm is None
    assert sequential.probe.target_sigma_300k_ms_cm == ProbeSettings().target_sigma_300k_ms_cm
    outcome = stopping_protocols.follow(material, sequential, stored.library)
    assert outcome.probe_steps == 600
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob(".superion/trajectories/**/*")} == before


def test_a_campaign_that_stops_by_itself_says_so(tmp_path):
    """With a rule, what is not of full length is left out by name, and the reader is warned."""
    ends = PROBE | {"target_sigma_300k_ms_cm": 1e6}
    write_campaign(
        tmp_path,
        {"c14": lattice_cell(14, 1)},
        stages=[{"stage": "validate"}, ends],
        potential=LATTICE,
        # Enough frames for a look before the end.
        md={"time_step_fs": 4.0, "frame_interval_fs": 8.0},
    )
    run_here(tmp_path)
    stored = stopping_campaign.load_campaign(tmp_path)
    assert stored.stops_by_itself
    assert stored.entries == []
    assert "of the 2.4 ps of the fixed-length protocol" in stored.left_out["c14"]
    import sequential_stopping

    options = argparse.Namespace(campaign_project=tmp_path, campaign=None, processes=1)
    text = sequential_stopping.campaign(options)
    assert "says nothing of the saving" in text.replace("\n", " ")
    assert "0 candidates have runs of full length, 1 have not" in text
