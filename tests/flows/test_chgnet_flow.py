"""The quickstart's flow with the real CHGNet on the real crystal, far shorter."""

from __future__ import annotations

import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from superion.flows.presets import load_preset


@pytest.mark.timeout(1800)
def test_quickstart_shortened(tmp_path):
    maker = load_preset("quickstart").maker(
        {
            "temperatures_k": [1000, 1400],
            "relax.maximum_steps": 3,
            "md.duration_ps": 0.16,
            "md.segment_ps": 0.08,
            "md.frame_interval_fs": 4,
            "diffusion.settings.equilibration_ps": 0.04,
            "checkpoint_root": str(tmp_path / "trajectories"),
        }
    )
    flow = maker.make("Li6PS5Cl")
    store = JobStore(MemoryStore(), additional_stores={"data": MemoryStore()})
    run_locally(flow, store=store, create_folders=True, root_dir=tmp_path / "jobs", log=False)
    document = flow.output.resolve(store)
    assert document.formula == "Li6PS5Cl"
    assert (document.n_atoms, document.mobile_ion, document.ion_charge) == (52, "Li", 1.0)
    assert document.provenance.potential.name == "chgnet"
    assert document.provenance.potential.dtype == "float32"
    assert document.state == "completed"
    assert document.temperature_failures == {}
    assert [result.temperature_k for result in document.temperatures] == [1000.0, 1400.0]
    for result in document.temperatures:
        assert result.n_ions == 24
        assert result.nernst_einstein.upper_bound_95_ms_cm > 0
    assert {"potential", "cell_size", "ordering", "run_length", "method"} == {
        error.source for error in document.systematic_errors
    }
    assert any("soften" in error.statement for error in document.systematic_errors)
    assert "demonstration" in document.verdict
    relax = store.query_one({"output.doc_type": "relax"})["output"]
    assert relax["energy_ev_per_atom"] < -3.0
