"""Profiles: strict, found by name, and never with a secret in them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from superion.errors import SettingsError
from superion.runtime.resource_kind import resource_kinds
from superion.workflows.clusters.find import list_clusters, load_cluster
from superion.workflows.clusters.profile import ClusterProfile, JobResources
from superion.workflows.clusters.time_limit import parse_time_limit, write_time_limit

SHIPPED = ("local", "pbs", "slurm_cpu", "slurm_gpu")


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    folder = tmp_path / "clusters"
    folder.mkdir()
    monkeypatch.setenv("SUPERION_CLUSTERS", str(folder))
    return folder


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_profiles_say_everything(name, own_folder):
    profile = load_cluster(name)
    assert profile.description
    assert {info.name: info.origin for info in list_clusters()}[name] == "shipped"
    for kind in resource_kinds():
        assert profile.resources_of(kind).time_limit_s > profile.stop_margin_s
        assert profile.packing_of(kind).allocations >= 1


def test_ones_own_profile_wins_over_the_shipped_one(own_folder):
    (own_folder / "local.yaml").write_text("scheduler: slurm\nwork_folder: /scratch\ndescription: ours\n")
    (own_folder / "broken.yaml").write_text("scheduler: slrum\nwork_folder: /scratch\n")
    assert load_cluster("local").description == "ours"
    by_name = {info.name: info for info in list_clusters()}
    assert by_name["local"].origin == "yours"
    assert "line 1" in by_name["broken"].problem
    assert by_name["pbs"].problem is None


def test_a_name_that_is_not_there_is_met_with_the_nearest(own_folder):
    with pytest.raises(SettingsError, match="did you mean 'slurm_gpu'"):
        load_cluster("slurm-gpu")
    with pytest.raises(SettingsError, match=r"no cluster profile .*nowhere\.yaml"):
        load_cluster(own_folder / "nowhere.yaml")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("scheduler: slrum", "line 1.*'slurm', 'pbs' or 'shell'"),
        ("schedular: slurm", "did you mean 'scheduler'"),
        ("resources: {md: {core: 4}}", "did you mean 'cores'"),
        ("resources: {dm: {cores: 4}}", "did you mean 'md'"),
        ("resources: {md: {time_limit: 24h}}", "hours:minutes:seconds"),
        ("resources: {md: {time_limit: '00:00:00'}}", "time limit of zero"),
        ("resources: {md: {cores: 0}}", "greater than or equal to 1"),
        ("resources: {md: {partition: 'a b'}}", "partition"),
        ("resources: {md: {options: {--constraint: a100}}}", "without dashes"),
        ("resources: {md: {options: {constraint: $(rm -r x)}}}", "no command"),
        ("resources: {md: {options: {l filesystems: home}}}", "blank"),
        ("packing: {md: {alocations: 5}}", "did you mean 'allocations'"),
        ("packing: {md: {shared: false, jobs_at_a_time: 2}}", "shared: false leaves one job to an allocation"),
        ("work_folder: scratch", "from the root"),
        ("work_folder: /a b", "without blanks"),
        ("work_folder: /a`b`", "no command"),
        ("environment: {SUPERION_STORE: x}", "SUPERION_STORE_FILE"),
        ("environment: {ADDRESS: 'mongodb://ann:secret@host/db'}", "SUPERION_STORE_FILE"),
        ("environment: {A-B: x}", "no name of a variable"),
        ("setup: ['echo $$']", r"'\$\$'"),
        ("host: {address: login.example}", "give python"),
        ("stop_margin_s: -1", "greater than or equal to 0"),
        ("[]", "no list of settings"),
        ("", "no list of settings"),
        ("a: [", "not YAML"),
    ],
)
def test_mistakes_are_told_with_their_line(own_folder, line, words):
    lines = ["scheduler: slurm", "work_folder: /scratch/superion"]
    key = line.partition(":")[0]
    kept = [one for one in lines if not one.startswith(f"{key}:")]
    text = line if line in ("", "[]", "a: [") else "\n".join([line, *kept])
    (own_folder / "mine.yaml").write_text(text)
    with pytest.raises(SettingsError, match=words) as caught:
        load_cluster("mine")
    assert "mine.yaml" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_schedulers_refuse_what_they_cannot_give():
    for scheduler, settings, word in (("pbs", {"qos": "normal"}, "qos"), ("shell", {"partition": "cpu"}, "partition")):
        with pytest.raises(ValueError, match=word):
            ClusterProfile(scheduler=scheduler, work_folder="/scratch", resources={"md": settings})


def test_numbers_in_the_environment_are_text():
    profile = ClusterProfile(scheduler="slurm", work_folder="/s", environment={"OMP_NUM_THREADS": 4, "QUIET": True})
    assert profile.environment == {"OMP_NUM_THREADS": "4", "QUIET": "true"}
    assert ClusterProfile(scheduler="slurm", work_folder="/s").environment == {"OMP_NUM_THREADS": "1"}


def test_a_campaign_changes_what_it_names_and_no_more():
    profile = load_cluster("slurm_gpu")
    changed = profile.with_resources({"md": {"gpus": 2}, "analysis": JobResources(cores=2)})
    assert changed.resources_of("md") == profile.resources_of("md").model_copy(update={"gpus": 2})
    assert changed.resources_of("analysis").cores == 2
    assert changed.resources_of("analysis").time_limit == profile.resources_of("analysis").time_limit
    assert changed.resources_of("relax") == profile.resources_of("relax")
    assert changed.packing == profile.packing


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ({"md": {"gpu": 1}}, "did you mean 'gpus'"),
        ({"mdd": {"gpus": 1}}, "did you mean 'md'"),
        ({"md": 3}, "md cannot be 3"),
        ({"md": {"time_limit": 60}}, "time_limit"),
    ],
)
def test_mistakes_of_a_campaign_are_told(overrides, words):
    with pytest.raises(SettingsError, match=words):
        load_cluster("slurm_cpu").with_resources(overrides)


def test_paths_are_expanded_on_the_worker_and_here(monkeypatch):
    monkeypatch.setenv("SCRATCH", "/fast")
    profile = ClusterProfile(scheduler="slurm", work_folder="$SCRATCH/superion/")
    assert profile.folder("progress") == "$SCRATCH/superion/progress"
    assert str(profile.work_folder_here()) == "/fast/superion"


@given(st.integers(min_value=1, max_value=10**7))
def test_time_limits_come_back(seconds):
    assert parse_time_limit(write_time_limit(seconds)) == seconds
