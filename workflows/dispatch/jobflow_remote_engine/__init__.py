"""The engine that dispatches jobs through jobflow-remote: a runner submits to the queue, MongoDB holds the states."""
