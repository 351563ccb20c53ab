from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import superion
from superion.scripts import cli as cli_module
from superion.scripts.cli import main

COMMANDS = [
    (),
    ("run",),
    ("resume",),
    ("analyze",),
    ("report",),
    ("show",),
    ("list",),
    ("query",),
    ("db",),
    *(("db", name) for name in ("init", "index", "check", "migrate")),
    ("doctor",),
    ("campaign",),
    ("cluster",),
    *(("cluster", name) for name in ("list", "show", "init", "check")),
    ("flow",),
    ("flow", "list"),
    ("flow", "show"),
    ("potential",),
    ("potential", "list"),
    ("potential", "check"),
    ("trajectory",),
    ("trajectory", "export"),
]

HEAVY = (
    "torch",
    "pymongo",
    "pymatgen",
    "ase",
    "jobflow",
    "maggma",
    "matplotlib",
    "numpy",
    "scipy",
    "h5py",
    "atomate2",
    "fireworks",
    "mace",
    "chgnet",
    "e3nn",
    "torch_sim",
    "pandas",
)

PROBE = """
import sys
from superion.scripts.cli import main
code = main({arguments!r})
loaded = sorted(set(name.partition(".")[0] for name in sys.modules) & set({heavy!r}))
sys.stderr.write("HEAVY " + " ".join(loaded) + "\\n")
sys.exit(code)
"""


@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: " ".join(words) or "superion")
def test_help_of_every_command(cli, command):
    answer = cli(*command, "--help")
    assert answer.code == 0
    assert "Usage: superion" in answer.out
    assert answer.err == ""
    assert re.search(r"--help", answer.out)


def test_help_of_everything_loads_nothing_heavy():
    calls = "; ".join(f"main({[*command, '--help']!r})" for command in COMMANDS)
    script = PROBE.format(arguments=["--version"], heavy=HEAVY).replace("code = main", f"{calls}\ncode = main")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "Usage: superion trajectory export" in done.stdout
    assert done.stderr.splitlines()[-1].strip() == "HEAVY"


@pytest.mark.parametrize("arguments", [["nonsense"], ["run"], ["list", "--nonsense"], ["list", "--limit", "-3"]])
def test_wrong_usage_ends_with_two_and_loads_nothing_heavy(arguments):
    script = PROBE.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].strip() == "HEAVY"
    assert "Traceback" not in done.stderr


def test_version(cli):
    answer = cli("--version")
    assert (answer.code, answer.out) == (0, f"superion {superion.__version__}\n")


def test_the_entry_point_is_installed():
    from importlib.metadata import entry_points

    (script,) = entry_points(group="console_scripts", name="superion")
    assert script.load() is main


def test_debug_may_stand_anywhere_and_shows_the_traceback(cli, folder):
    plain = cli("show", "nothing")
    plain.assert_sentence("There is no superion project")
    for arguments in (("--debug", "show", "nothing"), ("show", "nothing", "--debug")):
        answer = cli(*arguments)
        assert answer.code == 1
        assert "Traceback (most recent call last)" in answer.err
        assert answer.err.splitlines()[-1] == plain.err.splitlines()[-1]
    # After a bare -- it is an argument like any other.
    cli("show", "--", "--debug").assert_sentence("There is no superion project")


def test_a_defect_is_one_sentence_with_a_log(cli, folder, monkeypatch):
    (folder / ".superion").mkdir()

    def broken(**_):
        raise RuntimeError("the [bold]impossible[/] happened\nin two lines")

    monkeypatch.setattr("superion.scripts.doctor_checks.run_checks", broken)
    answer = cli("doctor")
    assert answer.code == 1
    (line,) = answer.err.splitlines()
    assert line.startswith("error: unexpected RuntimeError: the [bold]impossible[/] happened in two lines (")
    log = re.search(r"the traceback is in (\S+)\)", line)
    assert log is not None
    path = Path(log.group(1))
    assert "Traceback" in path.read_text(encoding="utf-8")
    assert path.parent == folder / ".superion" / "logs"


def test_a_reader_that_leaves_early_is_no_error():
    script = f"{sys.executable} -m superion.scripts.cli run --help | head -c 20; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    assert "Traceback" not in done.stderr
    assert "error" not in done.stderr


def test_commands_are_documented_one_by_one():
    names = {command.name for command in cli_module.app.registered_commands}
    groups = {group.name for group in cli_module.app.registered_groups}
    assert names | groups == {command[0] for command in COMMANDS if command}
