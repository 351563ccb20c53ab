"""Convert one MACE model: the program that runs in a process of its own, because it may take for ever.

    python -m superion.potentials.symmetrix.export MODEL OUTPUT [HEAD]

Exit status 3 says that the model cannot be converted; the reason is the last line on standard error.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ..mace_model import load_mace_model
from ..quiet import quietly
from .architecture import why_not_convertible

NOT_CONVERTIBLE = 3
"""Exit status for a model that symmetrix does not evaluate."""


def export(model_path: Path, output: Path, head: str | None) -> str | None:
    """Write what symmetrix reads of a MACE model.

    Parameters
    ----------
    model_path : Path
        File of the model.
    output : Path
        JSON file to write.
    head : str or None
        Head of a model that has several.

    Returns
    -------
    str or None
        Why the model cannot be converted; None where it was.
    """
    with quietly():
        model = load_mace_model(model_path, "cpu")
        reason = why_not_convertible(model)
        if reason is not None:
            return reason
        import torch
        from symmetrix.extract_mace_data import extract_mace_data

        # the converter reads files of mace only
        pickled = output.with_suffix(".model")
        torch.save(model, pickled)
        try:
            data = extract_mace_data(str(pickled), head=head)
        except Exception as error:
            # whatever the converter stumbles over is its reason
            return f"symmetrix cannot convert it ({type(error).__name__}: {' '.join(str(error).split())})"
        finally:
            pickled.unlink()
    output.write_text(json.dumps(data), encoding="utf-8")
    return None


def main(arguments: list[str]) -> int:
    """Run as a program.

    Parameters
    ----------
    arguments : list of str
        Model file, output file and, for a model of several, the head.

    Returns
    -------
    int
        Exit status.
    """
    model, output, *head = arguments
    reason = export(Path(model), Path(output), head[0] if head else None)
    if reason is None:
        return 0
    sys.stderr.write(f"{reason}\n")
    return NOT_CONVERTIBLE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
