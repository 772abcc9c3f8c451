"""Resolution with uv: the run, its output, and its errors."""
