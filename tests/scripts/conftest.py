"""The command line as users meet it: in a fresh folder, with a real calculation small enough for a test."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pytest
from ase.io import write
from filelock import FileLock
from superion.scripts.cli import main

COSINE = "ase:superion.potentials.cosine_lattice.CosineLatticeCalculator"


@dataclass(frozen=True)
class Answer:
    """What a command gave back."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as strict JSON: nothing else may be on it."""
        return json.loads(self.out, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))

    def assert_sentence(self, *words: str, code: int = 1) -> None:
        """One clear sentence on standard error, a non-zero exit code, and no traceback anywhere."""
        assert self.code == code, f"exit code {self.code}\n{self.out}\n{self.err}"
        assert "Traceback" not in self.out + self.err
        # The plan and the progress may stand before it.
        sentences = [line for line in self.err.splitlines() if line.startswith(("error: ", "failed: "))]
        assert sentences, self.err
        text = "\n".join(sentences)
        assert "unexpected" not in text, text
        for word in words:
            assert word in text, f"{word!r} is not in: {text}"


Cli = Callable[..., Answer]


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    """Run a command in this process."""

    def call(*arguments: str | Path) -> Answer:
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capfd.readouterr()
        return Answer(code, out, err)

    return call


def run_process(*arguments: str | Path, cwd: Path, timeout: float = 500.0, **options: Any) -> Answer:
    """Run a command in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **options.pop("env", {})}
    environment.pop("SUPERION_STORE", None)
    done = subprocess.run(
        [sys.executable, "-m", "superion.scripts.cli", *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=timeout,
        env=environment,
        check=False,
        **options,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def cli_process() -> Callable[..., Answer]:
    """Run a command in a process of its own."""
    return run_process


@pytest.fixture(autouse=True)
def _nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUPERION_STORE", raising=False)
    # Libraries loaded by other tests of the same process may have set the width of a terminal.
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass(frozen=True)
class Cosine:
    """The analytic crystal as a file, and the options that select its potential."""

    file: Path
    options: tuple[str, ...]


def cosine_command(path: Path, system: Any) -> Cosine:
    """Write the analytic crystal and put its options together."""
    write(path, system.atoms)
    options = json.dumps(system.specification.options)
    return Cosine(
        path,
        (
            "--potential",
            COSINE,
            "--set",
            f"potential.options={options}",
            "--set",
            "relax=false",
            "--set",
            "supercell.minimum_edge_angstrom=0",
            "--set",
            "md.time_step_fs=4",
            "--set",
            "md.segment_ps=1",
            "--set",
            "md.stop.target_relative_error=0.0001",
        ),
    )


@pytest.fixture
def cosine(tmp_path: Path, cosine_system: Any) -> Cosine:
    """18 Li hopping over 0.15 eV among 27 S."""
    return cosine_command(tmp_path / "cosine.cif", cosine_system)


@dataclass(frozen=True)
class FinishedRun:
    """A project with one finished run in it; nobody may change it."""

    root: Path
    name: str
    cosine: Cosine
    answer: Answer

    @property
    def document(self) -> dict[str, Any]:
        """The conductivity that it gave."""
        return self.answer.json()["documents"][0]


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> FinishedRun:
    """A real run from the command line: two temperatures, 12 ps each; one for all processes of pytest-xdist."""
    shared = tmp_path_factory.getbasetemp()
    if worker_id != "master":
        shared = shared.parent
    with FileLock(shared / "finished-run.lock"):
        kept = shared / "finished-run.json"
        if not kept.exists():
            kept.write_text(json.dumps(asdict(_finish_run(shared / "finished-run")), default=str))
        run = json.loads(kept.read_text())
    cosine = Cosine(Path(run["cosine"]["file"]), tuple(run["cosine"]["options"]))
    return FinishedRun(Path(run["root"]), run["name"], cosine, Answer(**run["answer"]))


def _finish_run(root: Path) -> FinishedRun:
    from conftest import make_cosine_system  # the one of the folder above

    root.mkdir()
    cosine = cosine_command(root / "cosine.cif", make_cosine_system())
    answer = run_process(
        "run",
        "conductivity",
        cosine.file.name,
        *cosine.options,
        "--temperatures",
        "700,1000",
        "--duration-ps",
        "12",
        "--name",
        "first",
        "--label",
        "[bold]cosine & co",
        "--json",
        cwd=root,
    )
    assert answer.code == 0, answer.err
    return FinishedRun(root, "first", cosine, answer)
