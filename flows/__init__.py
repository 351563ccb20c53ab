"""One material's directed graph of jobs."""
