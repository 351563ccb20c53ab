"""The trainer: stopped, killed, continued, trained further; its checkpoints and its refusals."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from superion.errors import TrainingError
from superion.potentials.model_file import read_model_header
from superion.potentials.registry import load_potential
from superion.potentials.specification import PotentialSpecification
from superion.potentials.training.checkpoints import best_epoch, checkpoint_paths, prune, read_epochs, remove_torn
from superion.potentials.training.frame_errors import frame_errors
from superion.potentials.training.labelled_frames import write_labelled_frames
from superion.potentials.training.settings import TrainingSettings
from superion.potentials.training.split import split_frames
from superion.potentials.training.train import STUDENT, TrainingStopped, train_potential
from support.labelled_alloy import labelled_alloy, write_architecture


@pytest.fixture(scope="module")
def split(tmp_path_factory):
    return split_frames(labelled_alloy(40, tmp_path_factory.mktemp("labels")))


def quick(folder: Path, **changes) -> TrainingSettings:
    fields = {"architecture": write_architecture(folder), "max_epochs": 8, "learning_rate": 0.02, "batch_size": 2}
    return TrainingSettings(**fields | changes)


def student_errors(path: Path, frames):
    return frame_errors(frames, load_potential(PotentialSpecification(name="mace", model=str(path))).calculator())


def test_a_stopped_training_goes_on_where_it_was_and_learns(split, tmp_path):
    folder = tmp_path / "training"
    told = []

    def stop_after_two():
        return len(told) >= 2 and told[-1].n_epochs >= 2

    with pytest.raises(TrainingStopped):
        train_potential(split, folder, quick(tmp_path), seed=3, on_progress=told.append, should_stop=stop_after_two)
    (metrics,) = (folder / "results").iterdir()
    before = metrics.read_text()
    path = train_potential(
        split, folder, quick(tmp_path), seed=3, header={"name": "alloy", "training_set_sha256": "abc"}
    )
    assert metrics.read_text().startswith(before)
    epochs = [entry.epoch for entry in read_epochs(metrics)]
    assert epochs == list(range(8))
    trained = [json.loads(line)["epoch"] for line in metrics.read_text().splitlines() if '"eval"' in line]
    assert trained.count(0) == 1  # not from the beginning
    header = read_model_header(path)
    assert (header.name, header.elements, header.training_set_sha256) == ("alloy", ("Cu", "Au"), "abc")
    assert header.metrics["training"]["n_epochs"] == 8
    assert header.verdict == "unvalidated"
    errors = student_errors(path, split.held_out)
    assert errors.force_rmse_ev_per_angstrom < 0.6 * errors.force_spread_ev_per_angstrom
    assert not (folder / "checkpoints").exists()
    stamp = path.stat().st_mtime_ns
    assert train_potential(split, folder, quick(tmp_path), seed=3).stat().st_mtime_ns == stamp


def test_two_processes_never_train_in_one_folder(split, tmp_path):
    folder = tmp_path / "training"
    folder.mkdir()
    with (folder / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(TrainingError, match="Another process trains in"):
            train_potential(split, folder, quick(tmp_path), seed=1)


def test_what_cannot_be_trained_is_one_sentence(split, tmp_path, tiny_mace_path):
    with pytest.raises(TrainingError, match=r"no model file 'missing\.model' to train further"):
        train_potential(split, tmp_path / "a", quick(tmp_path), seed=1, initial_model="missing.model")
    with pytest.raises(TrainingError, match="model to train further does not know Au, Cu"):
        train_potential(split, tmp_path / "b", quick(tmp_path), seed=1, initial_model=tiny_mace_path)
    with pytest.raises(TrainingError, match="needs at least 100: label more frames"):
        train_potential(split, tmp_path / "c", quick(tmp_path, fewest_frames=100), seed=1)


def fake_checkpoint(folder: Path, epoch: int) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / f"student_run-1_epoch-{epoch}.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("data.pkl", b"0" * 1000)
    return path


def test_checkpoints_are_checked_chosen_and_pruned(tmp_path):
    folder = tmp_path / "checkpoints"
    assert checkpoint_paths(folder) == {}
    assert read_epochs(tmp_path / "none.txt") == []
    paths = [fake_checkpoint(folder, epoch) for epoch in range(6)]
    paths[5].write_bytes(paths[5].read_bytes()[:200])
    losses = [5.0, 2.0, 3.0, float("nan"), 2.5, 1.0]
    lines = [json.dumps({"mode": "eval", "epoch": None, "loss": 9.0})]
    lines += [
        json.dumps({"mode": "eval", "epoch": e, "loss": loss, "head": "Default"}) for e, loss in enumerate(losses)
    ]
    lines += [json.dumps({"mode": "eval", "epoch": 0, "loss": 0.1, "head": "pt_head"}), '{"mode": "ev']
    metrics = tmp_path / "metrics.txt"
    metrics.write_text("\n".join(lines))
    epochs = read_epochs(metrics)
    assert [one.epoch for one in epochs] == list(range(6))
    remove_torn(folder)
    assert list(checkpoint_paths(folder)) == [0, 1, 2, 3, 4]
    assert best_epoch(epochs, folder).epoch == 1
    prune(epochs, folder)
    assert list(checkpoint_paths(folder)) == [1, 3, 4]


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_student_is_trained_further_and_remembers_what_is_replayed(split, tmp_path):
    first = train_potential(split, tmp_path / "first", quick(tmp_path, max_epochs=12), seed=1)
    more = split_frames(labelled_alloy(40, tmp_path / "labels", seed=5))
    further = train_potential(
        more, tmp_path / "further", quick(tmp_path, max_epochs=6, learning_rate=0.005), seed=1, initial_model=first
    )
    before, after = (student_errors(path, more.held_out).force_rmse_ev_per_angstrom for path in (first, further))
    assert after < 1.05 * before
    metrics = next((tmp_path / "further" / "results").iterdir())
    start = read_epochs(metrics)[0]
    assert start.force_rmse_ev_per_angstrom < 2.0 * before  # it did not begin anew
    replay = write_labelled_frames(tmp_path / "replay.extxyz", split.training)
    kept = train_potential(
        more,
        tmp_path / "replayed",
        quick(tmp_path, max_epochs=4, learning_rate=0.005),
        seed=1,
        initial_model=first,
        replay_file=replay,
    )
    assert read_model_header(kept).architecture["heads"] == ["Default"]
    assert student_errors(kept, split.held_out).force_rmse_ev_per_angstrom < 1.5 * before


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_a_training_stops_when_it_no_longer_improves(split, tmp_path):
    settings = quick(tmp_path, max_epochs=60, learning_rate=1e-9, patience_epochs=2)
    path = train_potential(split, tmp_path / "patient", settings, seed=1)
    assert read_model_header(path).metrics["training"]["n_epochs"] < 60


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from support.labelled_alloy import labelled_alloy
from superion.potentials.training.settings import TrainingSettings
from superion.potentials.training.split import split_frames
from superion.potentials.training.train import train_potential
folder = Path({folder!r})
split = split_frames(labelled_alloy(40, folder / "labels"))
settings = TrainingSettings(architecture={architecture!r}, max_epochs=30, learning_rate=0.01, batch_size=2)
train_potential(split, folder / "training", settings, seed=1)
"""


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_kill_at_ten_instants_loses_an_epoch_at_most(tmp_path):
    tests = str(Path(__file__).parents[2])
    script = KILLED.format(tests=tests, folder=str(tmp_path), architecture=write_architecture(tmp_path))
    student = tmp_path / "training" / STUDENT
    chance = random.Random("ten instants")
    labels = tmp_path / "labels"
    stamps: dict[str, int] = {}
    last_epochs = 0
    for number in range(10):
        process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", script], stderr=subprocess.DEVNULL)
        metrics = tmp_path / "training" / "results" / "student_run-1_train.txt"
        wanted = last_epochs + number % 3
        deadline = time.monotonic() + 600
        while process.poll() is None and len(read_epochs(metrics)) < wanted and time.monotonic() < deadline:
            time.sleep(0.02)
        time.sleep(chance.uniform(0.0, 1.0))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        for path in labels.rglob("*.json"):
            assert stamps.setdefault(path.name, path.stat().st_mtime_ns) == path.stat().st_mtime_ns
        epochs = [one.epoch for one in read_epochs(metrics)]
        assert epochs == list(range(len(epochs)))
        assert len(epochs) >= last_epochs - 1
        last_epochs = len(epochs)
        if student.exists():
            break
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, stderr=subprocess.DEVNULL)
    assert read_model_header(student).metrics["training"]["n_epochs"] == 30
    repeated = [json.loads(line) for line in metrics.read_text().splitlines() if '"eval"' in line]
    assert sum(1 for record in repeated if record["epoch"] == 0) <= 2
