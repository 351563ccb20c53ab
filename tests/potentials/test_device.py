from __future__ import annotations

import pytest
import torch
from superion.errors import PotentialError
from superion.potentials.device import resolve_device


def test_auto_is_cuda_where_there_is_one():
    assert resolve_device("auto") == ("cuda:0" if torch.cuda.is_available() else "cpu")


def test_cpu_is_cpu():
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("device", ["gpu", "cuda:x", "cpu:0", "auto:1", "cuda:-1", ""])
def test_nonsense_is_refused(device: str):
    with pytest.raises(PotentialError, match="Unknown device"):
        resolve_device(device)


def test_absent_cuda_device_is_refused_not_replaced():
    with pytest.raises(PotentialError, match="was asked for but torch sees"):
        resolve_device("cuda:63")


def test_cuda_is_chosen_when_it_is_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == "cuda:0"
    assert resolve_device("cuda") == "cuda:0"
    assert resolve_device("cuda:1") == "cuda:1"
    with pytest.raises(PotentialError, match="sees 2 CUDA devices"):
        resolve_device("cuda:2")
