"""The stages of a campaign: each turns one ordered structure into properties with errors."""
