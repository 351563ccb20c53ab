"""Lagged sums are the naive ones, whichever part of them is summed directly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from superion.transport import correlation
from superion.transport.correlation import LaggedProducts


@settings(max_examples=60, deadline=None)
@given(
    n_frames=st.integers(2, 120),
    seed=st.integers(0, 2**31),
    n_lags=st.integers(1, 20),
    point_cost=st.sampled_from([0, 1, 1000, 10**9]),
)
def test_sums_are_the_naive_ones(n_frames: int, seed: int, n_lags: int, point_cost: int) -> None:
    rng = np.random.default_rng(seed)
    lags = rng.integers(0, n_frames, n_lags)
    tracks = rng.standard_normal((3, 3, n_frames))
    with pytest.MonkeyPatch.context() as patch:
        # From free transforms, padded in full, to dear ones, not padded at all.
        patch.setattr(correlation, "_POINT_COST", point_cost)
        products = LaggedProducts(n_frames, lags, 2)
    padded = np.pad(tracks, ((0, 0), (0, 0), (0, products.size - n_frames)))
    products.add(padded[:2])
    products.add(padded[2:])
    expected = [np.einsum("axt,axt->x", tracks[..., : n_frames - lag], tracks[..., lag:]) for lag in lags]
    np.testing.assert_allclose(products.sums(), expected, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(products.squares, np.einsum("axt,axt->xt", tracks, tracks), rtol=1e-12)
