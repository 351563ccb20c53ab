"""A small expression language for questions about candidates: parsed by hand, nothing is evaluated."""
