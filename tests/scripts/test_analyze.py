"""Trajectories made elsewhere: random walks whose diffusivities are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ase import Atoms
from ase.io import write
from superion.constants import BOLTZMANN_EV_PER_K
from superion.database.documents import ConductivityDoc

BARRIER_EV = 0.25
PREFACTOR = 2.0e-3
INTERVAL_PS = 0.05


def diffusivity(temperature_k: float) -> float:
    return PREFACTOR * math.exp(-BARRIER_EV / (BOLTZMANN_EV_PER_K * temperature_k))


def walk(temperature_k: float, seed: int, n_frames: int = 600) -> list[Atoms]:
    """16 Li that walk freely among 16 S that rattle, wrapped into the cell as most programs write it."""
    generator = np.random.default_rng(seed)
    start = np.random.default_rng(0).uniform(0.0, 10.0, (32, 3))
    step = math.sqrt(2.0 * diffusivity(temperature_k) * 1e4 * INTERVAL_PS)
    moves = generator.normal(0.0, step, (n_frames, 16, 3)).cumsum(axis=0)
    found = []
    for move in moves:
        atoms = Atoms("Li16S16", positions=start, cell=[10.0] * 3, pbc=True)
        atoms.positions[:16] += move
        atoms.positions[16:] += generator.normal(0.0, 0.05, (16, 3))
        atoms.wrap()
        found.append(atoms)
    return found


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("walks")
    for temperature in (600, 800, 1000, 1200):
        for replica in range(2):
            write(folder / f"t{temperature}-{replica}.extxyz", walk(temperature, 10 * temperature + replica))
    return folder


@pytest.fixture
def answer(cli, files, tmp_path):
    names = sorted(files.glob("*.extxyz"), reverse=True)
    kelvin = ",".join(path.name[1:].partition("-")[0] for path in names)
    return cli(
        *("analyze", *names, "--frame-interval-fs", "50", "--temperature", kelvin),
        *("--json", "--report", tmp_path / "report.html"),
    )


def test_several_temperatures_give_the_arrhenius_result(answer, tmp_path):
    assert answer.code == 0, answer.err
    document = ConductivityDoc.model_validate(answer.json())
    assert [result.temperature_k for result in document.temperatures] == [600.0, 800.0, 1000.0, 1200.0]
    for result in document.temperatures:
        assert result.n_replicas == 2
        true = diffusivity(result.temperature_k)
        assert abs(result.tracer.value_cm2_s - true) < 4.0 * result.tracer.standard_error_cm2_s
    assert abs(document.activation_energy_ev - BARRIER_EV) < 4.0 * document.activation_energy_error_ev
    assert document.arrhenius.curvature.verdict != "untestable"
    assert document.mobile_ion == "Li"
    assert not any("thermal expansion" in error.statement for error in document.systematic_errors)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert "report.html" in answer.err


def test_the_table_for_readers(cli, files):
    answer = cli("analyze", files / "t1000-0.extxyz", "--frame-interval-fs", "50", "--temperature", "1000")
    assert answer.code == 0, answer.err
    assert "mobile ion Li (charge +1)" in answer.out
    assert "95 % upper bound" in answer.out
    assert "activation energy" not in answer.out
    assert "mobile ion guessed: Li" in answer.out


def test_our_own_trajectories_give_what_the_run_gave(cli, finished):
    folders = sorted((finished.root / ".superion" / "trajectories").iterdir())
    answer = cli("analyze", *folders, "--json")
    assert answer.code == 0, answer.err
    ours = {result["temperature_k"]: result for result in finished.document["temperatures"]}
    for result in answer.json()["temperatures"]:
        expected = ours[result["temperature_k"]]
        assert result["tracer"]["value_cm2_s"] == pytest.approx(expected["tracer"]["value_cm2_s"], rel=1e-6)
        assert result["charge"]["value_cm2_s"] == pytest.approx(expected["charge"]["value_cm2_s"], rel=1e-6)
        assert result["effective_hops"] == pytest.approx(expected["effective_hops"], rel=1e-6)


def test_one_bad_temperature_does_not_cost_the_others(cli, files, tmp_path):
    write(tmp_path / "short.extxyz", walk(900, 1, n_frames=10))
    names = [files / "t600-0.extxyz", files / "t1200-0.extxyz", tmp_path / "short.extxyz"]
    answer = cli("analyze", *names, "--frame-interval-fs", "50", "--temperature", "600,1200,900", "--json")
    assert answer.code == 0, answer.err
    document = answer.json()
    assert [result["temperature_k"] for result in document["temperatures"]] == [600.0, 1200.0]
    assert "short.extxyz" in document["temperature_failures"]["900"]


def test_measured_temperatures_are_grouped():
    from superion.workflows.existing import ExistingRun, group_by_temperature

    def run(kelvin: float, exact: bool) -> ExistingRun:
        return ExistingRun(
            source=str(kelvin),
            positions_angstrom=np.zeros((2, 1, 3)),
            symbols=("Li",),
            masses_amu=np.ones(1),
            cell_angstrom=np.eye(3),
            volume_angstrom3=1.0,
            frame_interval_ps=1.0,
            temperature_k=kelvin,
            is_temperature_exact=exact,
        )

    measured = [run(kelvin, False) for kelvin in (803.0, 600.0, 798.0, 604.0, 620.0)]
    assert [[item.temperature_k for item in group] for group in group_by_temperature(measured)] == [
        [600.0, 604.0],
        [620.0],
        [798.0, 803.0],
    ]
    stated = [run(kelvin, True) for kelvin in (600.0, 604.0, 600.0)]
    assert [len(group) for group in group_by_temperature(stated)] == [2, 1]


@pytest.fixture(scope="module")
def known_walk():
    """A walk with D = 6.25e-6 cm²/s, a frame every 20 fs."""
    from support.foreign_walks import walk as known

    return known(1200)


def test_the_same_frames_count_once_in_whatever_format(cli, known_walk, tmp_path):
    from support.foreign_walks import lammps, xdatcar

    (tmp_path / "run.dump").write_text(lammps(known_walk))
    marks = [f"Direct configuration={10 * index:6d}" for index in range(1, len(known_walk) + 1)]
    (tmp_path / "XDATCAR").write_text(xdatcar(known_walk, marks))
    (tmp_path / "part.dump").write_text(lammps(known_walk[200:700]))
    shuffled = known_walk[::4][:, np.r_[15:-1:-1, 16:32]] + 0.7
    (tmp_path / "thinned.dump").write_text(lammps(shuffled, steps=40 * np.arange(len(shuffled))))
    options = ("--temperature", "700", "--time-step-fs", "2", "--json")
    once = cli("analyze", tmp_path / "run.dump", *options).json()["temperatures"][0]
    assert once["tracer"]["value_cm2_s"] == pytest.approx(6.25e-6, rel=0.3)
    names = ("part.dump", "thinned.dump", "run.dump", "XDATCAR", "run.dump")
    answer = cli("analyze", *(tmp_path / name for name in names), *options)
    assert answer.code == 0, answer.err
    document = answer.json()
    again = document["temperatures"][0]
    assert again["n_replicas"] == 1
    assert again["tracer"] == once["tracer"]
    assert sum("count once" in note for note in document["notes"]) >= 3
    options = ("--temperature", "700,800", "--frame-interval-fs", "20", "--json")
    answer = cli("analyze", tmp_path / "run.dump", tmp_path / "XDATCAR", *options)
    assert answer.code == 1
    assert "hold the same frames but are given as" in answer.err
    (tmp_path / "XDATCAR").write_text(xdatcar(known_walk))
    answer = cli("analyze", tmp_path / "run.dump", tmp_path / "XDATCAR", "--temperature", "700", "--time-step-fs", "2")
    assert answer.code == 1
    assert "2 fs lie between them in XDATCAR and 20 fs in run.dump" in answer.err


def test_a_copy_with_fewer_digits_and_every_other_frame(cli, known_walk, tmp_path):
    from support.foreign_walks import extxyz, lammps

    (tmp_path / "run.dump").write_text(lammps(known_walk))
    (tmp_path / "rounded.xyz").write_text(extxyz(known_walk.round(2)))
    (tmp_path / "even.xyz").write_text(extxyz(known_walk[::2]))
    (tmp_path / "odd.xyz").write_text(extxyz(known_walk[1::2]))
    options = ("--temperature", "700", "--frame-interval-fs")
    answer = cli("analyze", tmp_path / "run.dump", tmp_path / "rounded.xyz", *options, "20", "--json")
    document = answer.json()
    assert document["temperatures"][0]["n_replicas"] == 1
    assert any("count once" in note for note in document["notes"])
    answer = cli("analyze", tmp_path / "even.xyz", tmp_path / "odd.xyz", *options, "40")
    assert answer.code == 1
    assert "move together" in answer.err


@pytest.mark.parametrize(("settings", "n_temperatures"), [("", 1), ('<i name="SMASS">-3.0</i>', 2)])
def test_thermostats_that_agree_make_replicas(settings, n_temperatures, cli, known_walk, tmp_path):
    from support.foreign_walks import vasprun
    from support.foreign_walks import walk as known

    (tmp_path / "a.xml").write_text(vasprun(known_walk[:600], settings=settings, kinetic=2.8))
    (tmp_path / "b.xml").write_text(vasprun(known(600, seed=2), settings=settings, kinetic=2.9))
    document = cli("analyze", tmp_path / "a.xml", tmp_path / "b.xml", "--json").json()
    assert len(document["temperatures"]) == n_temperatures
    assert any("thermostats held 700 K" in note for note in document["notes"]) == (n_temperatures == 1)


def test_replicas_and_overlapping_parts(cli, known_walk, tmp_path):
    from support.foreign_walks import lammps
    from support.foreign_walks import walk as known

    (tmp_path / "a.dump").write_text(lammps(known_walk[:600]))
    (tmp_path / "b.dump").write_text(lammps(known(600, seed=2)))
    options = ("--temperature", "700", "--time-step-fs", "2", "--json")
    answer = cli("analyze", tmp_path / "a.dump", tmp_path / "b.dump", *options)
    assert answer.json()["temperatures"][0]["n_replicas"] == 2
    (tmp_path / "b.dump").write_text(lammps(known_walk[300:900]))
    answer = cli("analyze", tmp_path / "a.dump", tmp_path / "b.dump", *options)
    assert answer.code == 1
    assert "300 of the 600 frames" in answer.err
    (tmp_path / "b.dump").write_text(lammps(known_walk[599:1199]))
    answer = cli("analyze", tmp_path / "a.dump", tmp_path / "b.dump", *options)
    assert answer.json()["temperatures"][0]["n_replicas"] == 2


def test_mobile_ions_alone_have_no_charge_diffusivity(cli, known_walk, tmp_path):
    from support.foreign_walks import lammps

    drifting = known_walk[:, :16] + 0.01 * np.arange(len(known_walk))[:, None, None]
    for positions, name in ((known_walk[:, :16], "run.dump"), (drifting, "drifting.dump")):
        (tmp_path / name).write_text(lammps(positions))
    options = ("--temperature", "700", "--time-step-fs", "2", "--json", "--report", tmp_path / "report.html")
    answer = cli("analyze", tmp_path / "run.dump", *options)
    assert answer.code == 0, answer.err
    document = answer.json()
    result = document["temperatures"][0]
    assert result["tracer"]["value_cm2_s"] == pytest.approx(6.25e-6, rel=0.3)
    assert result["charge"]["value_cm2_s"] is None
    assert result["charge"]["upper_bound_95_cm2_s"] is None
    assert "no framework" in result["charge"]["withheld_reason"]
    assert result["collective"]["upper_bound_95_ms_cm"] is None
    assert result["haven_ratio"]["value"] is None
    assert result["msd"]["collective_angstrom2"] is None
    assert any("no framework" in note for note in document["notes"])
    assert "<svg" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_unwrapped_positions_can_be_declared(cli, tmp_path):
    from support.foreign_walks import extxyz
    from support.foreign_walks import walk as known

    (tmp_path / "run.xyz").write_text(extxyz(known(400, step=2.0)))
    options = ("--temperature", "700", "--frame-interval-fs", "10000", "--json")
    answer = cli("analyze", tmp_path / "run.xyz", *options)
    assert "--unwrapped" in answer.err
    answer = cli("analyze", tmp_path / "run.xyz", *options, "--unwrapped")
    assert answer.json()["temperatures"][0]["tracer"]["value_cm2_s"] == pytest.approx(2.0e-5, rel=0.1)


@pytest.mark.parametrize(
    ("kelvin", "words", "absent"),
    [
        ("200,250,280", "no σ(300 K); runs at 300 K or above", "upper bound"),
        ("250,350", "interpolated between 2 temperatures, 250 to 350 K", "extrapolated from"),
        ("200,250", "extrapolated from 2 temperatures, the highest 250 K, over 0.67 of 1000 K/T", "the lowest"),
    ],
)
def test_the_way_to_300_k(cli, kelvin, words, absent, tmp_path):
    from support.foreign_walks import extxyz
    from support.foreign_walks import walk as known

    temperatures = kelvin.split(",")
    # At three temperatures the ions are slower in the heat.
    steps = [0.2, 0.15, 0.1] if len(temperatures) == 3 else [0.15, 0.2]
    for name, step in zip(temperatures, steps, strict=True):
        (tmp_path / f"{name}.xyz").write_text(extxyz(known(500, seed=int(name), step=step)))
    files = [tmp_path / f"{name}.xyz" for name in temperatures]
    answer = cli("analyze", *files, "--temperature", kelvin, "--frame-interval-fs", "500", "--json")
    document = answer.json()
    assert words in document["verdict"]
    assert absent not in document["verdict"]
    assert document["sigma_300k_upper_bound_ms_cm"] is None
