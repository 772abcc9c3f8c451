"""Resolution of a spec to a lock: one package for each ecosystem."""
