"""A status as people see it."""

from __future__ import annotations

from rich.console import Console
from superion.scripts.campaign.status_view import status_table
from superion.workflows.campaign.engine_status import EngineStatus, RunningJobStatus
from superion.workflows.campaign.status import CampaignStatus


def printed(status: CampaignStatus) -> str:
    """The text of a wide terminal."""
    console = Console(width=200, force_terminal=False, color_system=None)
    with console.capture() as capture:
        console.print(status_table(status))
    return capture.get()


def on_a_cluster(**job) -> CampaignStatus:
    """A campaign with one running job."""
    running = RunningJobStatus(stage="probe", label="Li3PS4", job="probe 1000 K", engine_id="7", **job)
    engine = EngineStatus(engine="fireworks", units={"running": 1}, running=[running], coordinator="alive")
    return CampaignStatus(
        campaign_id="screening",
        state="running",
        n_candidates=1,
        counts={"running": 1},
        rejected_before=0,
        stages=[],
        engine=engine,
    )


def test_a_job_tells_where_it_is_and_how_fast():
    text = printed(
        on_a_cluster(
            host="n7",
            queue_id="1234",
            completed_ps=5.0,
            requested_ps=50.0,
            ps_per_hour=120.0,
            elapsed_s=600,
            silent_s=3,
        )
    )
    assert "n7 (1234)" in text
    assert "5.0 of at most 50 ps, 120 ps per hour" in text
    assert "no word" not in text


def test_a_job_that_is_silent_is_marked():
    text = printed(on_a_cluster(completed_ps=5.0, requested_ps=50.0, silent_s=400.0))
    assert "5.0 of at most 50 ps, no word for 6 min 40 s" in text
    assert "no word for 6 min 40 s" in printed(on_a_cluster(silent_s=400.0))


def test_who_lost_the_coordinator_is_told_how_to_go_on():
    status = on_a_cluster()
    engine = status.engine.model_copy(update={"coordinator": "absent", "n_not_taken_in": 2})
    text = printed(status.model_copy(update={"engine": engine}))
    assert "2 units that are over wait for it: `superion campaign resume screening` goes on" in text
