"""The wheel carries every package and preset, and works where torch is not installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NOT_SHIPPED = {"tests", "benchmarks", "docs", "build", "dist", "site"}


def run(command: list[str | Path], **options) -> subprocess.CompletedProcess[str]:
    completed = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)
    assert completed.returncode == 0, f"{command}\n{completed.stdout}\n{completed.stderr}"
    return completed


def source_packages() -> list[Path]:
    """Folders that hold Python modules of the package, relative to the root."""
    folders = [path.parent.relative_to(ROOT) for path in ROOT.rglob("__init__.py")]
    return [
        folder for folder in folders if not any(part.startswith(".") or part in NOT_SHIPPED for part in folder.parts)
    ]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory) -> Path:
    source = tmp_path_factory.mktemp("source") / "superion"
    tracked = run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT).stdout.splitlines()
    for name in tracked:
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    output = tmp_path_factory.mktemp("dist")
    run([sys.executable, "-m", "uv", "build", "--wheel", "--quiet", "--out-dir", output, source])
    (built,) = output.glob("*.whl")
    return built


def test_every_package_is_declared():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    expected = {".".join(["superion", *folder.parts]) for folder in source_packages()}
    assert set(declared) == expected


def test_wheel_carries_every_module_and_preset(wheel):
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder in source_packages():
        for module in (ROOT / folder).glob("*.py"):
            assert f"superion/{(folder / module.name).as_posix()}" in inside
    presets = [path for path in (ROOT / "configs").rglob("*") if path.suffix in {".yaml", ".cif"}]
    assert presets
    for preset in presets:
        assert f"superion/{preset.relative_to(ROOT).as_posix()}" in inside


def test_wheel_leaves_tests_out(wheel):
    assert not [name for name in zipfile.ZipFile(wheel).namelist() if "/tests/" in name or "/benchmarks/" in name]


def test_wheel_works_without_torch(wheel, tmp_path):
    environment = tmp_path / "environment"
    run([sys.executable, "-m", "uv", "venv", "--quiet", "--python", sys.executable, environment])
    python = environment / "bin" / "python"
    run(
        [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", python,
         "--constraint", ROOT / "constraints.txt", wheel]
    )  # fmt: skip
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SUPERION"))}
    without_torch = run([python, "-c", "import importlib.util as u; print(u.find_spec('torch'))"], env=clean)
    assert without_torch.stdout.strip() == "None"
    command = environment / "bin" / "superion"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    assert "conductivity" in run([command, "flow", "list"], env=clean, cwd=elsewhere).stdout
    assert "sigma_300k_ms_cm" in run([command, "campaign", "schema"], env=clean, cwd=elsewhere).stdout
    assert "Usage" in run([command, "--help"], env=clean, cwd=elsewhere).stdout
    plan = run(
        [command, "run", "conductivity", "Li6PS5Cl", "--potential", "ase:ase.calculators.emt.EMT", "--dry-run"],
        env=clean,
        cwd=elsewhere,
    ).stdout
    assert "52" in plan
    assert "EMT" in plan
