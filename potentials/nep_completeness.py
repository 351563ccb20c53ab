"""Whether a NEP file holds all the numbers that its header announces."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

_HEADER_WORDS = ("zbl", "cutoff", "n_max", "basis_size", "l_max", "ANN")


def missing_numbers(path: Path, version: int, n_elements: int) -> int:
    """Count the numbers that a NEP file lacks, since a file that is cut off is read without complaint.

    Parameters
    ----------
    path : Path
        The file.
    version : int
        Generation of the model, 3 to 5.
    n_elements : int
        Elements of the model.

    Returns
    -------
    int
        How many lines are missing at the end; 0 where the header is of a layout that is not known here.
    """
    with path.open(encoding="utf-8") as stream:
        next(stream)
        header: dict[str, list[str]] = {}
        for line in islice(stream, len(_HEADER_WORDS)):
            word, *values = line.split() or [""]
            header[word] = values
            if word == "ANN":
                break
        n_numbers = sum(1 for line in stream if line.strip())
    try:
        expected = _expected_numbers(header, version, n_elements)
    except (LookupError, ValueError):
        # a header that is cut off has no network in it; any other is left to the reader
        return 0 if "ANN" in header else 1
    return max(0, expected - n_numbers)


def _expected_numbers(header: dict[str, list[str]], version: int, n_elements: int) -> int:
    """Count weights and scales of the descriptor, by the layout that GPUMD documents."""
    radial, angular = (int(value) for value in header["n_max"][:2])
    radial_basis, angular_basis = (int(value) for value in header["basis_size"][:2])
    three_body, four_body, five_body = (int(value) for value in [*header["l_max"], "0", "0"][:3])
    neurons = int(header["ANN"][0])
    n_invariants = three_body + (four_body > 0) + (five_body > 0)
    dimension = (radial + 1) + (angular + 1) * n_invariants
    per_network = (dimension + 2) * neurons
    network = {3: per_network + 1, 4: per_network * n_elements + 1, 5: (per_network + 1) * n_elements + 1}[version]
    descriptor = n_elements**2 * ((radial + 1) * (radial_basis + 1) + (angular + 1) * (angular_basis + 1))
    return network + descriptor + dimension
