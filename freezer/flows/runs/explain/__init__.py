"""Why runs differ, and where their results part. Pure."""
