"""What a new installation needs before anybody can log in: an administrator, API access, a token for its agents."""
