"""Draw the samples from which corrections are learned, and write them to a file.

Run from `benchmarks/`, with six passes of 20 trajectories for each mechanism and length (15 minutes on one idle core):

    OMP_NUM_THREADS=1 python -m mechanisms.samples 6 SAMPLES.npz
"""

from __future__ import annotations

import sys
from dataclasses import asdict

import numpy as np
from numpy.typing import NDArray
from superion.errors import AnalysisError
from superion.transport import estimate
from superion.transport.calibration import analyze_walk
from superion.transport.learned_correction import NO_CORRECTION, LearnedCorrection
from superion.transport.motion_features import MotionFeatures
from superion.transport.results import DiffusivityEstimate, SamplingLaw

from .training import FAMILIES, LENGTHS

_SEED = 31
_PER_PASS, _BATCH = 20, 10


class Recorder:
    """Stands in for the correction: corrects nothing and keeps the features."""

    def __init__(self) -> None:
        self.features: dict[str, MotionFeatures] = {}

    def __call__(self, kind: str, features: MotionFeatures, relative_error: float) -> LearnedCorrection:
        """Keep the features of one fit."""
        self.features[kind] = features
        return NO_CORRECTION


def draw_samples(n_passes: int, seed: int = _SEED) -> dict[str, NDArray]:
    """Draw passes over all mechanisms and lengths; returns the arrays of the file."""
    recorder = Recorder()
    estimate.learned_correction = recorder
    rows: dict[str, list[tuple]] = {"tracer": [], "charge": []}
    for number in range(n_passes):
        for n_frames in LENGTHS:
            mechanisms = [(family, name, draw) for family, part in FAMILIES.items() for name, draw in part.items()]
            for index, (family, name, draw) in enumerate(mechanisms):
                rng = np.random.default_rng([seed, number, n_frames, index])
                for walk in [walk for _ in range(_PER_PASS // _BATCH) for walk in draw(rng, _BATCH, n_frames)]:
                    recorder.features.clear()
                    try:
                        result = analyze_walk(walk)
                    except AnalysisError:
                        # Not one of the ions moved in the shortest lag.
                        continue
                    for claim, truth in ((result.tracer, walk.tracer_cm2_s), (result.charge, walk.charge_cm2_s)):
                        if claim.kind in recorder.features and claim.value_cm2_s is not None:
                            features = tuple(asdict(recorder.features[claim.kind]).values())
                            rows[claim.kind].append((f"{name}, {n_frames}", family, features, *_laws(claim, truth)))
    found: dict[str, NDArray] = {"feature_names": np.array(list(MotionFeatures.__dataclass_fields__))}
    for kind, part in rows.items():
        for name, column in zip(
            ("group", "family", "features", "law", "axis_law"), zip(*part, strict=True), strict=True
        ):
            found[f"{kind}_{name}"] = np.array(column)
    return found


def _laws(claim: DiffusivityEstimate, truth: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    axes = [
        np.full(3, np.nan) if law.background_error_cm2_s > 0 else _scaled(law, truth)
        for law in claim.per_axis_law or ()
    ]
    return _scaled(claim.law, truth), np.array(axes)


def _scaled(law: SamplingLaw | None, truth: float) -> NDArray[np.float64]:
    if law is None:
        return np.full(3, np.nan)
    return np.array([law.estimate_cm2_s / truth, law.gaussian_relative_variance, law.counting_quantum_cm2_s / truth])


def main() -> None:
    """Draw as many passes as the command line says."""
    np.savez(sys.argv[2], **draw_samples(int(sys.argv[1])))


if __name__ == "__main__":
    main()
