"""One jobflow Maker per job: thin shells around the ground floor that return a document."""
