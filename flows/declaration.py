"""What a flow says of itself to the command line: its inputs, its options, the document it ends with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FlowInput:
    """One input of a flow: a positional argument of its `make`, and a word of `superion run FLOW INPUT…`.

    Parameters
    ----------
    name : str
        What it is, in one word for messages: `crystal`, `electrode`, `host`.
    description : str
        One sentence.
    doc_type : str or None
        Kind of the stored document that is wanted; None takes a crystal: a structure file, a shipped example, or the id
        of a document that holds one. `superion.flows.structure_input.read_input` reads what `make` is given.
    is_list : bool
        Whether `make` takes a list of one or more of them; only the last input of a flow may be one.

    Examples
    --------
    >>> FlowInput("dopants", "crystals to take dopants from", is_list=True).shown
    'DOPANTS…'
    """

    name: str
    description: str
    doc_type: str | None = None
    is_list: bool = False

    @property
    def shown(self) -> str:
        """How a usage line writes it."""
        return f"{self.name.upper()}{'…' if self.is_list else ''}"


@dataclass(frozen=True)
class FlowOption:
    """A short form of one setting of a flow on the command line.

    Parameters
    ----------
    name : str
        Name of the option without its dashes.
    setting : str
        Dotted name of the setting, as `--set` takes it.
    description : str
        A few words.
    """

    name: str
    setting: str
    description: str


CRYSTAL = FlowInput("structure", "structure file (CIF, POSCAR, extxyz, …), shipped example, or document with a crystal")
"""The one input of most flows."""


@dataclass(frozen=True)
class FlowDescription:
    """What is known of a flow before it is built.

    Parameters
    ----------
    name : str
        Registered name.
    maker : type
        Its Maker class.
    inputs : tuple of FlowInput
        What `make` takes before its `label`, in this order.
    options : tuple of FlowOption
        Short forms of settings; every setting can be given by `--set`, too.
    document : str or None
        Kind of the document that it ends with; None where it does not say.
    """

    name: str
    maker: type
    inputs: tuple[FlowInput, ...] = (CRYSTAL,)
    options: tuple[FlowOption, ...] = ()
    document: str | None = None

    @property
    def usage(self) -> str:
        """The command that runs it."""
        return " ".join(["superion run", self.name, *(one.shown for one in self.inputs)])
