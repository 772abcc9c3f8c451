"""Plans of runs: what was planned, what was run, and the result."""
