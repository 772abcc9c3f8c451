"""From a lock to an image: fetch, assemble, build, verify, render, bundle, export, prune."""
