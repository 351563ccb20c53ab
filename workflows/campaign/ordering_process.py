"""The side of the one who wants crystals ordered: one process that orders them."""

from __future__ import annotations

import contextlib
import pickle
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from ...errors import SettingsError

if TYPE_CHECKING:
    from .order_in_parallel import Ordered, PlainCrystal


class OrderingProcess:
    """A process of its own, which runs nothing of the user's script, as those of the `multiprocessing` module would."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "superion.workflows.campaign.ordering_worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._is_ready = False

    def order(self, crystals: list[PlainCrystal], settings: dict[str, Any]) -> list[Ordered] | None:
        """Order some crystals.

        Parameters
        ----------
        crystals : list of tuple
            Structures as plain data, each with the formula of what it is known to hold, or None.
        settings : dict
            Further arguments of `order_candidates`.

        Returns
        -------
        list of Ordered or None
            One for each; None where they brought the process down.

        Raises
        ------
        SettingsError
            If the process does not even start, which is no fault of the crystals.
        """
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            if not self._is_ready:
                self._is_ready = pickle.load(stdout) == "ready"
            pickle.dump((crystals, settings), stdin)
            stdin.flush()
            answer: list[Ordered] = pickle.load(stdout)
        except (OSError, EOFError, pickle.UnpicklingError):
            if not self._is_ready:
                raise SettingsError(
                    f"A process that orders structures does not start: see why with `{sys.executable} -P -m "
                    "superion.workflows.campaign.ordering_worker`."
                ) from None
            return None
        return answer

    def kill(self) -> None:
        """End the process at once; whoever waits for its answer gets None."""
        self._process.kill()

    def close(self) -> None:
        """End the process and free its pipes."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
