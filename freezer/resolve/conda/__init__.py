"""The conda ecosystem: what an environment asks of channels, and the packages that answer it."""
