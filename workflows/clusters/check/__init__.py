"""Whether a cluster is ready for campaigns: every part is tried, and what fails comes with how to mend it."""
