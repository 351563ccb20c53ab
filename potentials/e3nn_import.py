"""Make e3nn 0.4 importable on torch 2.6 and later."""

from __future__ import annotations


def allow_e3nn_constants() -> None:
    """Let torch's weights-only loading read the constants that e3nn loads when it is imported.

    e3nn 0.4 pickles a `slice` among its constants, which torch refuses since 2.6. Naming that one harmless class
    mends it; mace instead switches weights-only loading off for the whole process.
    """
    import torch

    torch.serialization.add_safe_globals([slice])
