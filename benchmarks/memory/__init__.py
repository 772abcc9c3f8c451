"""The peak memory of commands on environments of different sizes."""
