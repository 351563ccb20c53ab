"""The power spectrum is that of a plain transform, however it is split."""

from __future__ import annotations

import numpy as np
import pytest
from superion.transport import power_spectrum
from superion.transport.power_spectrum import PowerSpectrum


@pytest.mark.parametrize("longest", [4, 1000], ids=["split", "whole"])
@pytest.mark.parametrize("size", [12, 45, 64, 250])
def test_ring_correlation_is_the_naive_sum(size: int, longest: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(power_spectrum, "_LONGEST_AT_ONCE", longest)
    tracks = np.random.default_rng(1).standard_normal((5, 3, size))
    spectrum = PowerSpectrum(size, 3)
    spectrum.add(tracks[:3])
    spectrum.add(tracks[3:])
    expected = [np.einsum("axt,axt->x", tracks, np.roll(tracks, -lag, axis=2)) for lag in range(size)]
    np.testing.assert_allclose(spectrum.ring_correlation().T, expected, rtol=1e-12, atol=1e-11)
