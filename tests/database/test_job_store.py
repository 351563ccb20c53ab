"""jobflow on the stores that superion opens: flows, bulk data, documents, messages."""

from __future__ import annotations

from jobflow import Flow, job, run_locally
from superion.database.documents import RelaxDoc
from superion.database.job_store import open_job_store
from superion.database.provenance import collect_provenance
from superion.database.queries import get_document, list_documents


@job(data="frames", output_schema=None)
def make_frames(n: int) -> dict:
    return {"n": n, "frames": [[float(i), 0.5] for i in range(n)]}


@job
def sum_frames(frames: list) -> float:
    return sum(x for x, _ in frames)


@job(output_schema=RelaxDoc)
def relax(energy_ev: float) -> RelaxDoc:
    from pymatgen.core import Lattice, Structure

    structure = Structure(Lattice.cubic(4.0), ["Li", "F"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return RelaxDoc(
        formula="LiF",
        label="rock salt",
        provenance=collect_provenance(),
        structure=structure.as_dict(),
        energy_ev=energy_ev,
        energy_ev_per_atom=energy_ev / 2,
        max_force_ev_per_angstrom=0.01,
        converged=True,
        n_steps=3,
        volume_change_percent=0.5,
    )


@job
def read_energy(document: RelaxDoc) -> float:
    assert isinstance(document, RelaxDoc)
    return document.energy_ev


def test_flow_with_bulk_data_and_documents(tmp_path):
    store = open_job_store(tmp_path / "results.db")
    frames = make_frames(4)
    total = sum_frames(frames.output["frames"])
    relaxed = relax(-9.5)
    energy = read_energy(relaxed.output)
    responses = run_locally(Flow([frames, total, relaxed, energy]), store=store, ensure_success=True)
    assert responses[total.uuid][1].output == 6.0
    assert responses[energy.uuid][1].output == -9.5

    # Bulk data is a reference in the documents and a file beside them, read back on demand.
    slim = store.query_one({"uuid": frames.uuid})
    assert slim["output"]["frames"]["store"] == "data"
    assert store.get_output(frames.uuid, load=True)["frames"][3] == [3.0, 0.5]
    assert store.additional_stores["data"].count() == 1
    assert len(list((tmp_path / "results_blobs").rglob("*.zlib"))) == 1

    (head,) = list_documents(store)
    assert (head.doc_type, head.formula, head.uuid) == ("relax", "LiF", relaxed.uuid)
    document = get_document(store, relaxed.uuid[:8]).document
    assert isinstance(document, RelaxDoc)
    assert document.provenance.job_uuid == relaxed.uuid
    assert document.model_dump_json() == responses[relaxed.uuid][1].output.model_dump_json()
    store.close()
