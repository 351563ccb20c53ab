"""Verdict, known errors and atomic files: computed from the run, never fixed sentences."""

from __future__ import annotations

import threading

import pytest
from superion.files import write_text_atomically
from superion.potentials.specification import PotentialProvenance
from superion.runtime.systematic_errors import SimulatedCase, known_systematic_errors
from superion.runtime.verdict import verdict
from superion.transport.analysis import analyze_diffusion
from superion.transport.arrhenius import ArrheniusInput, fit_arrhenius


def potential(name, model=None):
    given = {"name": name, "model": model, "package": name, "package_version": "1"}
    return PotentialProvenance(**given, weights_sha256="0" * 64, dtype="float32", device="cpu")


def statements(**changes):
    case = {
        "formula": "Li3PS4",
        "n_atoms": 500,
        "potential": potential("mace", "medium-mpa-0"),
        "was_disordered": False,
        "volume_was_relaxed": True,
    }
    return {(error.source, error.statement) for error in known_systematic_errors(SimulatedCase(**case | changes))}


@pytest.mark.parametrize(
    ("changes", "source", "words"),
    [
        ({"n_atoms": 52}, "cell_size", "A cell of 52 atoms is small"),
        ({"potential": potential("chgnet")}, "potential", "soften"),
        ({"potential": potential("mace", "medium")}, "potential", "soften"),
        ({"was_disordered": True}, "ordering", "One arrangement"),
        ({"formula": "Li6PS5Cl"}, "ordering", "2407.04126"),
        ({"volume_was_relaxed": False}, "method", "thermal expansion"),
        ({"longest_lag_ps": 1.57}, "run_length", "about 2.4 times"),
    ],
)
def test_each_known_error_follows_from_its_cause(changes, source, words):
    added = statements(**changes) - statements()
    assert [(given, words in text) for given, text in added] == [(source, True)]


def test_unknown_potential_has_an_unknown_error():
    texts = [text for source, text in statements(potential=potential("ase")) if source == "potential"]
    assert texts == ["The error of this potential is not known to superion: compare its forces with DFT."]


def judged(**changes):
    import numpy as np
    from superion.transport.synthetic import gaussian_walk

    walk = gaussian_walk(np.random.default_rng(1), n_ions=20, n_frames=500, diffusivity_cm2_s=2e-5)
    result = analyze_diffusion([walk.as_run()], mobile_ion="Li", ion_charge=1)
    points = [ArrheniusInput(t, d, 0.1 * d) for t, d in ((600, 1.2), (900, 4.9), (1200, 12.0))]
    case = {
        "n_atoms": 500,
        "minimum_edge_angstrom": 20.0,
        "temperatures": [result],
        "failures": {},
        "arrhenius": fit_arrhenius(points, quantity="nernst_einstein_ms_cm"),
        "is_unfinished": False,
    }
    return verdict(**case | changes), result


def test_verdict_speaks_of_this_run():
    text, result = judged()
    assert "500 atoms and is 20.0 Å" in text
    assert f"{result.effective_hops:.0f} effective hops" in text
    assert "cannot be tested" in text
    assert "3 temperatures, the lowest 600 K" in text
    assert "demonstration" not in text
    assert "demonstration" in judged(n_atoms=52, minimum_edge_angstrom=9.8)[0]
    assert "to rank materials" in judged(n_atoms=300)[0]
    assert "no result at 900 K" in judged(failures={"900": "melted"})[0]
    assert "resume" in judged(is_unfinished=True)[0]
    assert "no σ(300 K)" in judged(arrhenius=None)[0]
    falling = fit_arrhenius(
        [ArrheniusInput(t, s, 0.1 * s) for t, s in ((600, 12.0), (900, 4.9))], quantity="nernst_einstein_ms_cm"
    )
    assert f"comes out as {falling.activation_energy_ev:.2g} eV" in judged(arrhenius=falling)[0]


def test_atomic_file_is_never_seen_half_written(tmp_path):
    path = tmp_path / "state.json"
    texts = ["a" * 200_000, "b" * 200_000]
    write_text_atomically(path, texts[0])
    done = threading.Event()

    def write():
        for turn in range(60):
            write_text_atomically(path, texts[turn % 2], durable=turn % 10 == 0)
        done.set()

    thread = threading.Thread(target=write)
    thread.start()
    seen = 0
    while not done.is_set():
        assert path.read_text() in texts
        seen += 1
    thread.join()
    assert seen > 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["state.json"]
