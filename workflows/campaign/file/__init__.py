"""The campaign file: its sections, its reader, and the JSON Schema by which editors complete it."""
