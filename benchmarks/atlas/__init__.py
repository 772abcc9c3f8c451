"""The determinism atlas: trials of libraries, and the runner that measures and records them."""
