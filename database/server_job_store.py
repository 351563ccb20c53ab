"""jobflow's store of jobs on a MongoDB server, which keeps a job's whole result while the server is away."""

from __future__ import annotations

import copy
from typing import Any

from jobflow import JobStore

from .mongo_server import GridFileStore, MongoServerStore
from .write_through import write_through


class ServerJobStore(JobStore):
    """A JobStore whose documents and bulk data go to the disk together when the server does not answer.

    A document that waits without the bulk data it refers to would be worth nothing. Bulk data is written first, so
    that no document in the store refers to any that is not there.
    """

    def update(self, docs: Any, key: Any = None, save: Any = None) -> None:
        """Replace documents of jobs, or insert, with their bulk data; waits for a server that is away.

        Parameters
        ----------
        docs : dict or list of dict
            Documents.
        key : str or list of str, optional
            Fields by which documents are the same; uuid and index if None.
        save : bool or dict, optional
            What goes into additional stores; see jobflow.

        Raises
        ------
        StoreError
            If the server stays away.
        """
        stores = {"": self.docs_store, **self.additional_stores}
        if not all(isinstance(store, MongoServerStore | GridFileStore) for store in stores.values()):
            super().update(docs, key=key, save=save)
            return
        recorders = {name: _Recorder() for name in stores}
        sorter = copy.copy(self)
        sorter.docs_store = recorders[""]
        sorter.additional_stores = {name: recorder for name, recorder in recorders.items() if name}
        # What goes where is jobflow's to say.
        JobStore.update(sorter, docs, key=key, save=save)
        write_through(
            [
                stores[name].pending(documents, fields)
                for name, recorder in sorted(recorders.items(), reverse=True)
                for documents, fields in recorder.writes
            ]
        )


class _Recorder:
    """Stands in for a store, and notes what would be written."""

    def __init__(self) -> None:
        self.writes: list[tuple[list[dict[str, Any]], Any]] = []

    def update(self, docs: Any, key: Any = None) -> None:
        """Note a write."""
        self.writes.append((docs, key))
