"""What a campaign would do and cost, found out before anything of it runs."""
