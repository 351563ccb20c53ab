"""Documents about a single temperature in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .presenter import Presenter


class OneTemperaturePresenter(Presenter):
    """Trajectories and diffusion, of which a list names the temperature."""

    def result(self, values: Mapping[str, Any]) -> str:
        """Write the temperature.

        Parameters
        ----------
        values : mapping of str to object
            Listed columns.

        Returns
        -------
        str
            Temperature with its unit; empty where it is not known.

        Examples
        --------
        >>> OneTemperaturePresenter().result({"temperature_k": 700.0})
        '700 K'
        """
        return f"{values['temperature_k']:g} K" if "temperature_k" in values else ""
