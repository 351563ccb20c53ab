"""Every command that README and docs show exists, takes the options shown, and works where that is quick to try."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
import typer
from superion.scripts.cli import app, main
from support.markdown_blocks import ROOT, commands, pages

OTHER_PROGRAMS = frozenset(
    {
        "pip",
        "git",
        "source",
        "cd",
        "export",
        "kill",
        "mkdir",
        "touch",
        "chmod",
        "nano",
        "jf",
        "jq",
        "lpad",
        "qlaunch",
        "rlaunch",
        "python",
    }
)
"""Programs that are not ours; what they do is not tested here."""


@dataclass(frozen=True)
class Treatment:
    """How a command is tried: the words that are executed in place of it, or None where parsing must do."""

    pattern: str
    executed: Callable[[list[str], object], list[str] | None]


def _as_it_is(words: list[str], _: object) -> list[str]:
    return words


def _as_a_plan(words: list[str], _: object) -> list[str]:
    """A run takes long: its dry run checks everything and computes nothing."""
    return [*(word for word in words if word != "--dry-run"), "--dry-run"]


def _parsed_only(words: list[str], _: object) -> None:
    """Needs a network, a server, or files that are not here."""
    return


def _with(attribute: str) -> Callable[[list[str], object], list[str]]:
    """The name of a document, run or trajectory is replaced by one that the tried project holds."""

    def replaced(words: list[str], project: object) -> list[str]:
        fixed = getattr(project, attribute)
        position = next((i for i, word in enumerate(words) if i >= 2 and not word.startswith("-")), None)
        return words if position is None else [*words[:position], fixed, *words[position + 1 :]]

    return replaced


def _of_trajectory(words: list[str], project: object) -> list[str]:
    return [*words[:3], project.trajectory_key, *words[4:]]  # type: ignore[attr-defined]


def _of_own_trajectory(words: list[str], project: object) -> list[str]:
    """Files to analyse are replaced by a trajectory of the tried project; the other options stay."""
    options = words[2:]
    while options and not options[0].startswith("-"):
        options.pop(0)
    folder = f".superion/trajectories/{project.trajectory_key}"  # type: ignore[attr-defined]
    return ["superion", "analyze", folder, "--equilibration-ps", "0.2", *(["--json"] if "--json" in options else [])]


def _of_shipped_campaign(words: list[str], _: object) -> list[str]:
    """The reader's campaign file is replaced by the shipped one; nothing is timed."""
    file = str(ROOT / "configs" / "campaigns" / "minimal.yaml")
    options = [word for word in words[4:] if word != "--no-timing"]
    return [*words[:3], file, *(["--no-timing"] if words[2] == "plan" else []), *options]


TREATMENTS = [
    Treatment(r"superion (-h|--help|--version)$", _as_it_is),
    Treatment(r"superion [\w ]+ (-h|--help)$", _as_it_is),
    Treatment(r"superion (doctor|list|flow|potential list)\b", _as_it_is),
    Treatment(r"superion campaign schema\b", _as_it_is),
    Treatment(r"superion campaign (check|plan) ", _of_shipped_campaign),
    # Their life is tried whole in tests/scripts/campaign and tests/workflows/campaign.
    Treatment(r"superion campaign \w+", _parsed_only),
    Treatment(r"superion potential check (chgnet|ase:)", _as_it_is),
    Treatment(r"superion potential check ", _parsed_only),
    # Trained in tests/flows and tests/workflows/campaign; used by name in tests/scripts.
    Treatment(r"superion potential (distil|finetune|validate|show|export) ", _parsed_only),
    Treatment(r"superion run .*--potential argyrodite\b", _parsed_only),
    Treatment(r"superion cluster (list|show)\b", _as_it_is),
    # On a real queue in tests/scripts/cluster and tests/workflows/clusters.
    Treatment(r"superion cluster (init|check)\b", _parsed_only),
    Treatment(r"superion .*mongodb", _parsed_only),
    Treatment(r"superion (query|db)\b", _as_it_is),
    # A model file of the reader's own.
    Treatment(r"superion run .*mace:\S+\.model", _parsed_only),
    Treatment(r"superion run ", _as_a_plan),
    Treatment(r"superion show\b", _with("document")),
    Treatment(r"superion report\b", _with("run")),
    Treatment(r"superion resume\b", _with("run")),
    Treatment(r"superion trajectory export ", _of_trajectory),
    Treatment(r"superion analyze ", _of_own_trajectory),
    Treatment(r"superion --(install|show)-completion", _parsed_only),
]
"""Tried in this order; a command that none of them matches fails the test until it is decided how to try it."""


def _simple_commands(text: str) -> list[list[str]]:
    """Split at `|`, `&&`, `;` and `>`; leave out assignments of the environment."""
    simple = []
    for part in re.split(r"\s*(?:\|\|?|&&|;)\s*", text):
        words = shlex.split(re.sub(r"\s*\d?>\s*\S+|\s+&$", "", part), comments=True)
        while words and re.match(r"^[A-Z_]+=", words[0]):
            words.pop(0)
        if words:
            simple.append(words)
    return simple


SHOWN = [
    pytest.param(words, id=f"{shown.place}: {' '.join(words)}"[:110])
    for page in pages()
    for shown in commands(page)
    for words in _simple_commands(shown.text)
]


@pytest.mark.parametrize("words", SHOWN)
def test_command_exists(words: list[str]) -> None:
    """Names and options are those of the program; nothing is run."""
    program = words[0]
    if program == "superion":
        _parse(words[1:])
    elif program == "make":
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
        assert {word for word in words[1:] if "=" not in word} <= targets
    elif program.startswith("scripts/"):
        assert (ROOT / program).is_file()
    else:
        assert Path(program).name in OTHER_PROGRAMS


def _parse(arguments: list[str]) -> None:
    """Let click parse a command, down to the last subcommand, without calling it."""
    command: click.Command = typer.main.get_command(app)
    name, context = "superion", None
    while True:
        if any(word in ("-h", "--help", "--version") or "completion" in word for word in arguments):
            return
        context = command.make_context(name, list(arguments), parent=context)
        if not isinstance(command, click.Group):
            return
        resolved, command, arguments = command.resolve_command(context, [*context._protected_args, *context.args])
        name = str(resolved)


OURS = sorted(
    {
        (tuple(words), shown.error)
        for page in pages()
        for shown in commands(page)
        for words in _simple_commands(shown.text)
        if words[0] == "superion"
    },
    key=str,
)
"""Each command once, with the error that a page shows as its answer."""


@pytest.mark.parametrize(
    ("words", "error"), OURS, ids=lambda value: " ".join(value)[:110] if isinstance(value, tuple) else ""
)
def test_command_works(
    words: tuple[str, ...],
    error: str | None,
    tried_project: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What is quick is executed for real, in a project that holds a finished run."""
    line = " ".join(words)
    matching = [treatment for treatment in TREATMENTS if re.match(treatment.pattern, line)]
    assert matching, f"decide in TREATMENTS how to try: {line}"
    executed = matching[0].executed(list(words), tried_project)
    if executed is None:
        return
    monkeypatch.chdir(tried_project.folder)  # type: ignore[attr-defined]
    monkeypatch.delenv("SUPERION_STORE", raising=False)
    status = main(executed[1:])
    printed = capsys.readouterr().err
    if error is None:
        assert status == 0, printed
    else:
        assert status != 0
        assert re.search(".*".join(re.escape(part) for part in error.split("…")), printed)


def test_there_are_commands_to_try() -> None:
    assert len(OURS) >= 15
