"""Independent random streams, and their state as text."""

from __future__ import annotations

import json
from typing import Literal

import numpy as np

_STREAMS = {"velocities": 0, "thermostat": 1}


def random_stream(seed: int, replica: int, purpose: Literal["velocities", "thermostat"]) -> np.random.Generator:
    """Open the random stream of one replica and one purpose.

    Streams of different seeds, replicas or purposes are statistically independent (spawned seed
    sequences of a PCG-64 generator).

    Parameters
    ----------
    seed : int
        Seed of the protocol.
    replica : int
        Index of the independent run.
    purpose : {"velocities", "thermostat"}
        What the numbers are for.

    Returns
    -------
    numpy.random.Generator
        The stream, at its beginning.

    Examples
    --------
    >>> a, b = (random_stream(42, replica, "velocities").random() for replica in (0, 1))
    >>> a != b
    True
    """
    sequence = np.random.SeedSequence(seed, spawn_key=(replica, _STREAMS[purpose]))
    return np.random.Generator(np.random.PCG64(sequence))


def export_stream(stream: np.random.Generator) -> str:
    """Write the exact state of a stream as JSON text.

    Parameters
    ----------
    stream : numpy.random.Generator
        A stream made by `random_stream`.

    Returns
    -------
    str
        JSON text; `restore_stream` reads it.
    """
    return json.dumps(stream.bit_generator.state, sort_keys=True)


def restore_stream(text: str) -> np.random.Generator:
    """Open a stream at the exact state that `export_stream` wrote.

    Parameters
    ----------
    text : str
        JSON text of the state.

    Returns
    -------
    numpy.random.Generator
        The stream, which goes on with the same numbers.
    """
    generator = np.random.PCG64()
    generator.state = json.loads(text)
    return np.random.Generator(generator)
