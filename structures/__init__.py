"""Pure functions on crystal structures: read, validate, order, repeat, judge."""
