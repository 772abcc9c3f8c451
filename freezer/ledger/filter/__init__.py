"""The filter language of runs: ``metrics.accuracy > 0.9 and params.lr < 0.01``."""
