from __future__ import annotations

import sys

import pytest
from superion.potentials.symmetrix import backends
from superion.scripts import doctor_checks, doctor_runtimes


def test_a_sound_installation(cli, folder):
    answer = cli("doctor", "--quick", "--json")
    assert answer.code == 0
    findings = answer.json()["findings"]
    assert answer.json()["can_run"] is True
    subjects = {finding["subject"] for finding in findings}
    assert subjects == {"Python", "Packages", "Potentials", "Devices", "Project", "Store", "Disk"}
    assert not any(finding["status"] == "broken" for finding in findings)
    # What is missing comes with the command that gets it.
    assert all(finding["remedy"] for finding in findings if finding["status"] == "missing")
    text = cli("doctor", "--quick").out
    assert "superion can run here." in text
    assert not list(folder.iterdir())


def test_inside_a_project(cli, finished, monkeypatch):
    monkeypatch.chdir(finished.root)
    findings = {finding["subject"]: finding for finding in cli("doctor", "--quick", "--json").json()["findings"]}
    assert str(finished.root) in findings["Project"]["text"]
    assert "documents" in findings["Store"]["text"]


def test_a_broken_store_is_found(cli, folder):
    (folder / "broken.db").write_bytes(b"no database at all" * 100)
    answer = cli("doctor", "--quick", "--store", "broken.db", "--json")
    assert answer.code == 1
    assert answer.json()["can_run"] is False
    (store,) = [finding for finding in answer.json()["findings"] if finding["subject"] == "Store"]
    assert store["status"] == "broken"
    assert "superion cannot run here" in cli("doctor", "--quick", "--store", "broken.db").out


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(doctor_checks, "_REQUIRED", ("numpy", "no-such-package-of-that-name"))
    findings = list(doctor_checks.check_packages())
    broken = [finding for finding in findings if finding.status == "broken"]
    assert [finding.remedy for finding in broken] == ["pip install no-such-package-of-that-name"]


def test_without_torch(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    findings = list(doctor_checks.check_devices(with_torch=True))
    assert any(finding.status == "missing" and finding.remedy for finding in findings)


def test_what_evaluates_mace_models(monkeypatch):
    pytest.importorskip("mace")
    monkeypatch.setattr(backends, "symmetrix_version", lambda: None)
    monkeypatch.setattr(doctor_runtimes.sys, "platform", "linux")
    monkeypatch.setattr(doctor_runtimes.platform, "machine", lambda: "x86_64")
    (finding,) = doctor_runtimes.check_mace_runtimes(with_torch=False)
    assert (finding.status, finding.remedy) == ("missing", "pip install 'superion[symmetrix]'")
    monkeypatch.setattr(doctor_runtimes.platform, "machine", lambda: "arm64")
    (finding,) = doctor_runtimes.check_mace_runtimes(with_torch=False)
    assert (finding.status, finding.remedy) == ("note", "")
    monkeypatch.setattr(backends, "symmetrix_version", lambda: "0.1.1")
    monkeypatch.setattr(backends, "cuda_backends", lambda: ("cuda12-sm90",))
    (finding,) = doctor_runtimes.check_mace_runtimes(with_torch=False)
    assert finding.text == "mace by symmetrix (symmetrix-xl 0.1.1: CPU, cuda12-sm90)"


def test_a_gpu_without_its_package_is_named(monkeypatch):
    torch = pytest.importorskip("torch")
    pytest.importorskip("mace")
    monkeypatch.setattr(backends, "symmetrix_version", lambda: "0.1.1")
    monkeypatch.setattr(backends, "cuda_backends", lambda: ("cuda12-sm90",))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda number: (9, 0) if number else (8, 0))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"GPU {number}")
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    _, missing = doctor_runtimes.check_mace_runtimes(with_torch=True)
    assert missing.remedy == "pip install symmetrix-xl-cuda12-sm80"


def test_little_room(monkeypatch):
    monkeypatch.setattr(doctor_checks, "LOW_DISK_GB", 1e9)
    (finding,) = doctor_checks.check_disk()
    assert finding.status == "note"


@pytest.mark.slow
def test_the_devices_of_torch(cli, folder):
    findings = cli("doctor", "--json").json()["findings"]
    assert any("cuda" in finding["text"].lower() for finding in findings if finding["subject"] == "Devices")
