"""Why runs differ, and where their results diverge. Pure."""
