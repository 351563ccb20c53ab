"""What a worker looks like from inside; copied to the cluster and run there by the worker's own interpreter.

Nothing of superion is imported before it is known whether it is there, and any Python 3 can run this file.
"""

import argparse
import json
import os
import platform
import sys
import time
import traceback

PACKAGES = ("superion", "jobflow", "pymatgen", "ase", "numpy", "torch", "fireworks", "jobflow-remote")
"""Packages whose versions are compared with those of the host that submits."""


def main() -> int:
    """Look around and write what was found.

    Returns
    -------
    int
        0 if it could be written.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", required=True, help="file for what was found")
    parser.add_argument("--work-folder", required=True, help="folder that must be writable")
    parser.add_argument(
        "--potential", action="append", default=[], help="potential that must work: its specification as JSON"
    )
    arguments = parser.parse_args()
    found = {
        "python": platform.python_version(),
        "executable": sys.executable,
        "host": platform.node(),
        "versions": versions(),
        "superion": problem_of(import_superion),
        "work_folder": problem_of(lambda: write_into(arguments.work_folder)),
    }
    if found["superion"] is None:
        found["allocation_ends"] = allocation_end()
        found["store"] = problem_of(reach_store) if os.environ.get("SUPERION_STORE_FILE") else "not asked"
        found["gpus"] = count_gpus()
        found["potentials"] = [try_potential(specification) for specification in arguments.potential]
    with open(arguments.output + ".part", "w") as file:
        json.dump(found, file)
    os.rename(arguments.output + ".part", arguments.output)
    return 0


def versions() -> dict:
    """Give the versions of packages that are here.

    Returns
    -------
    dict
        By name.
    """
    try:
        from importlib import metadata
    except ImportError:
        return {}
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def problem_of(action):  # type: ignore[no-untyped-def]
    """Try something and give its error in one line, or None.

    Parameters
    ----------
    action : callable
        What to try.

    Returns
    -------
    str or None
        The error.
    """
    try:
        action()
    except Exception as error:
        words = " ".join(str(error).split())[:500]
        return type(error).__name__ + (": " + words if words else "")
    return None


def import_superion() -> None:
    """Import superion."""
    import superion  # noqa: F401


def write_into(folder: str) -> None:
    """Write a file into a folder and remove it.

    Parameters
    ----------
    folder : str
        The folder.
    """
    path = os.path.join(folder, ".superion-check-" + platform.node() + "-" + str(os.getpid()))
    with open(path, "w") as file:
        file.write("x")
    os.remove(path)


def reach_store() -> None:
    """Reach the database of the result store."""
    from superion.database.job_store import open_job_store

    open_job_store().close()


def allocation_end():  # type: ignore[no-untyped-def]
    """Give the end of the allocation as jobs will know it.

    Returns
    -------
    float or None
        Time that is left, in s.
    """
    try:
        from superion.runtime.walltime import current_allocation

        allocation = current_allocation()
    except Exception:
        return None
    return None if allocation is None else allocation.end_s - time.time()


def count_gpus():  # type: ignore[no-untyped-def]
    """Count the GPUs that torch sees.

    Returns
    -------
    int or None
        None without torch.
    """
    try:
        import torch
    except Exception:
        return None
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def try_potential(specification: str):  # type: ignore[no-untyped-def]
    """Load a potential and compute with it.

    Parameters
    ----------
    specification : str
        What it is, as JSON.

    Returns
    -------
    tuple
        Its problem or None, and its device or None.
    """
    try:
        from superion.potentials.check import check_potential
        from superion.potentials.specification import PotentialSpecification

        return None, check_potential(PotentialSpecification.model_validate_json(specification)).provenance.device
    except Exception as error:
        traceback.print_exc()
        return " ".join(str(error).split())[:500] or type(error).__name__, None


if __name__ == "__main__":
    sys.exit(main())
