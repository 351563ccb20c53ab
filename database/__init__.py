"""Documents, stores and queries: the only ground-floor folder that opens connections."""
