"""Finding an engine: addresses, Docker contexts, and what the engine says of itself."""
