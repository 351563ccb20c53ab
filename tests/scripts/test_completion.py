from __future__ import annotations

import os
import subprocess
import sys

import pytest
from superion.scripts import completion


def test_names_begin_as_typed():
    assert completion.flow_names("cond") == ["conductivity"]
    assert "chgnet" in completion.potential_names()
    assert completion.potential_names("ch") == ["chgnet"]
    assert "quickstart" in completion.preset_names("qu")
    assert "Li6PS5Cl" in completion.structure_names("Li6")
    assert completion.document_types("t") == ["trajectory"]
    assert completion.flow_names("x") == []
    assert completion.ranked_properties("sigma_3") == ["sigma_300k_ms_cm"]
    assert "volume_change_percent" not in completion.ranked_properties()


def test_document_types_are_those_of_the_documents():
    from superion.database import documents

    kinds = {
        getattr(documents, name).model_fields["doc_type"].default for name in documents.__all__ if name.endswith("Doc")
    }
    assert set(completion.document_types()) == kinds


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("superion run cond", "conductivity"),
        ("superion run conductivity Li6PS5Cl --preset qui", "quickstart"),
        ("superion potential check chg", "chgnet"),
        ("superion flow show co", "conductivity"),
        ("superion list --type traj", "trajectory"),
        ("superion campaign rank --by percolation_barrier_3", "percolation_barrier_3d_ev"),
        ("superion ana", "analyze"),
    ],
)
def test_the_shell_gets_completions_without_heavy_imports(typed, expected):
    words = typed.split()
    environment = {
        **os.environ,
        "_SUPERION_COMPLETE": "complete_bash",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(words) - 1),
    }
    script = (
        "import sys\n"
        "from superion.scripts.cli import main\n"
        "code = main([])\n"
        "heavy = {'torch', 'pymongo', 'pymatgen', 'ase', 'jobflow', 'numpy', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(3 if heavy else code)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout.split()
