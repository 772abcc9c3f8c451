"""Existing conda locks used as they are: conda-lock.yml, pixi.lock, explicit files."""
