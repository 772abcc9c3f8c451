"""Images in an engine: identity, lookup, load, save, tag, remove, pull."""
