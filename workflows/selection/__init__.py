"""Selection rules: which candidates go on after a stage of a campaign."""
