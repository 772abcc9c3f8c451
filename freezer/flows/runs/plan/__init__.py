"""Plans of runs: which of what was planned was run, and what came out."""
