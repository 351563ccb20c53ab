"""A campaign in a store, made of constructed documents: every state, bounds, failures, measured values, bad names."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from pymatgen.core import Lattice, Structure
from superion.constants import BOLTZMANN_EV_PER_K
from superion.database.campaigns import CampaignCollections
from superion.database.documents import (
    CampaignRecord,
    CandidateOrigin,
    CandidateSummary,
    OrderingSummary,
    Provenance,
    StageDoc,
    StageSummary,
)
from superion.database.properties import PropertyEstimate
from superion.potentials.specification import PotentialProvenance

from .campaign_text import GOOD
from .conductivity_documents import make_diffusion_documents, make_document

EARLY = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script>$\\frac{1}{0$ & \"q\" ]]>"
STAGES = ("validate", "relax", "probe", "conductivity")
TEMPERATURES = (600.0, 700.0, 850.0, 1000.0)


def value(number: float, spread: float = 1.5) -> PropertyEstimate:
    """A value on a logarithmic scale with its intervals."""
    return PropertyEstimate(
        value=number,
        interval_68=(number / spread, number * spread),
        interval_95=(number / spread**2, number * spread**2),
    )


def energy(number: float, error: float = 0.02) -> PropertyEstimate:
    return PropertyEstimate(
        value=number,
        interval_68=(number - error, number + error),
        interval_95=(number - 2 * error, number + 2 * error),
    )


def below(limit: float) -> PropertyEstimate:
    return PropertyEstimate(bound="upper", limit=limit, note="too few hops for a value")


def rock_salt(edge: float = 5.13) -> Structure:
    lithium = [[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]
    chlorine = [[0.5 - a, 0.5 - b, 0.5 - c] for a, b, c in lithium]
    return Structure(Lattice.cubic(edge), ["Li"] * 4 + ["Cl"] * 4, lithium + chlorine)


def provenance(uuid: str) -> Provenance:
    return Provenance(
        superion_version="0.1.0",
        packages={"ase": "3.26.0"},
        potential=PotentialProvenance(
            name="chgnet",
            model="0.3.0",
            weights_sha256="9f" * 32,
            package="chgnet",
            package_version="0.4.2",
            dtype="float32",
            device="cpu",
        ),
        seeds=[7],
        job_uuid=uuid,
        host="node1",
        created_at=EARLY,
    )


def conductivity_details(sigma: float | None, barrier: float) -> dict:
    """What the conductivity stage tells of its temperatures; bounds where there is no σ(300 K)."""
    entries = []
    for number, temperature in enumerate(TEMPERATURES):
        at = (sigma or 1e-4) * 300.0 / temperature
        at *= math.exp(-barrier / BOLTZMANN_EV_PER_K * (1.0 / temperature - 1.0 / 300.0))
        is_bound = sigma is None or (number == 0 and sigma < 0.01)
        entries.append(
            {
                "temperature_k": temperature,
                "sigma_ms_cm": None if is_bound else at,
                "sigma_interval_68_ms_cm": None if is_bound else [0.8 * at, 1.25 * at],
                "sigma_upper_bound_95_ms_cm": 2.0 * at,
                "usable": not is_bound,
            }
        )
    return {"n_atoms": 52, "state": "completed", "temperatures": entries}


def make_row(number: int, campaign_id: str = "demo", **changes) -> CandidateSummary:
    fields = {
        "key": f"{campaign_id}/{number:08x}",
        "campaign_id": campaign_id,
        "candidate_id": f"{number:08x}",
        "label": f"material {number}",
        "formula": "LiCl",
        "elements": ["Cl", "Li"],
        "n_elements": 2,
        "mobile_ion": "Li",
        "origins": [CandidateOrigin(source="files", identifier=f"{number}.cif")],
        "status": "waiting",
        "stage": "relax",
        "orderings": [
            OrderingSummary(fingerprint=f"{number:064x}", structure=rock_salt(5.0 + 0.01 * (number % 50)).as_dict())
        ],
        "updated_at": EARLY,
    }
    return CandidateSummary(**{**fields, **changes})


def stages_to(last: str, state: str, number: int, reason: str | None = None) -> dict[str, StageSummary]:
    """The way of a candidate: passed everything before the last stage."""
    names = STAGES[: STAGES.index(last) + 1]
    return {
        name: StageSummary(
            state=state if name == last else "passed",
            reason=reason if name == last else None,
            stage_keys=[f"{name}-{number}"],
            notes=["kept though it may not meet 0.01 mS/cm"] if name == "probe" and name != last else [],
        )
        for name in names
    }


def demo_rows() -> list[CandidateSummary]:
    """Sixteen candidates in every state."""
    numbers = [
        ("Li6PS5Cl", 3.1, 0.27, 5.0),
        ("Li10GeP2S12", 9.4, 0.21, 12.0),
        ("Li7La3Zr2O12", 0.4, 0.34, 0.31),
        ("Li3YCl6", 0.9, 0.30, 0.5),
        ("LiAlTi(PO4)3", 0.25, 0.31, None),
        ("Li3PS4", 0.04, 0.41, 0.16),
        (HOSTILE, 0.002, 0.52, None),
    ]
    rows = []
    for number, (label, sigma, barrier, measured) in enumerate(numbers):
        properties = {
            "sigma_300k_ms_cm": value(sigma),
            "activation_energy_ev": energy(barrier),
            "greatest_sigma_300k_ms_cm": below(30.0 * sigma),
            "energy_above_hull_ev_per_atom": energy(0.005 + 0.013 * ((3 * number) % 7), 0.003),
            "electrochemical_window_v": PropertyEstimate(bound="upper", limit=0.4 + 0.35 * number),
            "mean_atomic_mass_amu": PropertyEstimate(value=18.0 + 2.0 * number),
            "volume_change_percent": PropertyEstimate(value=1.3),
        }
        rows.append(
            make_row(
                number,
                label=label,
                formula="LiCl" if label == HOSTILE else label,
                status="done",
                stage="conductivity",
                properties=properties,
                measured={"sigma_300k_ms_cm": PropertyEstimate(value=measured)} if measured else {},
                stages=stages_to("conductivity", "passed", number),
                was_disordered=number == 0,
                notes=[HOSTILE] if label == HOSTILE else [],
            )
        )
    rows.append(
        make_row(
            7,
            label="Li3PO4",
            status="done",
            stage="conductivity",
            properties={"sigma_300k_ms_cm": below(2e-5), "greatest_sigma_300k_ms_cm": below(0.05)},
            measured={"sigma_300k_ms_cm": PropertyEstimate(bound="upper", limit=1e-7)},
            stages=stages_to("conductivity", "passed", 7),
        )
    )
    for number in (8, 9, 10):
        reason = f"greatest σ(300 K) is at most {number * 1e-4:.3g} mS/cm, less than the 0.01 mS/cm asked for"
        rows.append(
            make_row(
                number,
                status="rejected",
                stage="probe",
                reason=reason,
                properties={"greatest_sigma_300k_ms_cm": below(number * 1e-4)},
                stages=stages_to("probe", "rejected", number, reason),
            )
        )
    rows.append(
        make_row(11, status="rejected", stage=None, reason="It holds no Li, which is to move.", orderings=[], stages={})
    )
    rows.append(
        make_row(
            12,
            status="failed",
            stage="relax",
            reason="The job was killed three times: out of memory.",
            stages=stages_to("relax", "failed", 12, "The job was killed three times: out of memory."),
        )
    )
    rows.append(make_row(13, status="running", stage="relax", stages=stages_to("relax", "running", 13)))
    rows.append(make_row(14, status="waiting", stage="relax", stages=stages_to("relax", "waiting", 14)))
    rows.append(
        make_row(
            15,
            status="held",
            stage="probe",
            reason="waits until all candidates are through probe: only the best of them go on",
            properties={"greatest_sigma_300k_ms_cm": below(4.0)},
            stages=stages_to("probe", "held", 15),
        )
    )
    return rows


def stage_documents(rows: list[CandidateSummary]) -> list[StageDoc]:
    """A document for every stage that a candidate has been through."""
    documents = []
    for row in rows:
        for name, stage in row.stages.items():
            if stage.state in ("waiting", "running"):
                continue
            own = {"relax": ("volume_change_percent",), "probe": ("greatest_sigma_300k_ms_cm",)}
            own["conductivity"] = ("sigma_300k_ms_cm", "activation_energy_ev")
            found = {n: row.properties[n] for n in own.get(name, ()) if n in row.properties}
            details: dict = {"n_steps": 120, "converged": True, "remark": HOSTILE if row.label == HOSTILE else "none"}
            sources: list[str] = []
            if name == "conductivity":
                sigma = row.properties["sigma_300k_ms_cm"].value
                barrier = row.properties.get("activation_energy_ev")
                details = conductivity_details(sigma, barrier.value if barrier else 0.6)
                if row.label == "Li10GeP2S12":
                    sources = ["job-conductivity"]
            if name == "probe" and row.label == "Li10GeP2S12":
                sources = ["job-diffusion", "job-that-is-nowhere"]
            documents.append(
                StageDoc(
                    label=row.label,
                    formula=row.formula,
                    stage=name,
                    stage_key=stage.stage_keys[0],
                    state="failed" if stage.state == "failed" else "completed",
                    reason=stage.reason if stage.state == "failed" else None,
                    properties=found,
                    details=details,
                    source_uuids=sources,
                    provenance=provenance(f"stage-{stage.stage_keys[0]}"),
                )
            )
    return documents


def fill_store(
    collections: CampaignCollections,
    rows: list[CandidateSummary],
    *,
    campaign_id: str = "demo",
    file_text: str = GOOD,
    base_folder: str | None = ".",
    with_documents: bool = True,
) -> None:
    """Put a campaign where a driver puts it."""
    collections.save_campaign(
        CampaignRecord(campaign_id=campaign_id, file_text=file_text, base_folder=base_folder, created_at=EARLY)
    )
    collections.update_rows(rows)
    if not with_documents:
        return
    conductivity = make_document(label="Li10GeP2S12")
    outputs = {document.provenance.job_uuid: document for document in stage_documents(rows)}
    outputs["job-conductivity"] = conductivity
    outputs["job-diffusion"] = make_diffusion_documents(conductivity)[-1]
    collections.jobs.docs_store.update(
        [
            {"uuid": uuid, "index": 1, "name": "made up", "output": document.model_dump()}
            for uuid, document in outputs.items()
        ],
        key=["uuid", "index"],
    )
