"""Resolution with pip-tools, and its errors."""
