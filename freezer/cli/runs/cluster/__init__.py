"""Commands on runs of a cluster."""
