"""Which MACE models symmetrix can evaluate, read off the model before any conversion."""

from __future__ import annotations

from typing import Any

LARGEST_NUMBER_OF_LAYERS = 2
ANGULAR_ORDER = 3
CORRELATION_ORDER = 3


def why_not_convertible(model: Any) -> str | None:
    """Say what keeps a MACE model from being converted, as far as its architecture tells.

    Parameters
    ----------
    model : torch.nn.Module
        A MACE model of mace-torch.

    Returns
    -------
    str or None
        A clause; None where nothing is known against it.
    """
    n_layers = len(model.interactions)
    if n_layers > LARGEST_NUMBER_OF_LAYERS:
        return f"it has {n_layers} message-passing layers, and symmetrix evaluates one or two"
    max_ell = int(model.spherical_harmonics.irreps_out.lmax)
    if max_ell != ANGULAR_ORDER:
        return f"its max_ell is {max_ell}, and symmetrix evaluates max_ell {ANGULAR_ORDER} only"
    orders = {
        int(contraction.correlation)
        for product in model.products
        for contraction in getattr(product.symmetric_contractions, "contractions", ())
    }
    wrong = sorted(orders - {CORRELATION_ORDER})
    if wrong:
        return f"its correlation order is {wrong[0]}, and symmetrix evaluates correlation {CORRELATION_ORDER} only"
    return None
