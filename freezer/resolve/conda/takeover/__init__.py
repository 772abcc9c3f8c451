"""Existing conda locks taken over as they are: conda-lock.yml, pixi.lock, explicit files."""
