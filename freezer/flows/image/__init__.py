"""Lock to image: fetch, assemble, build, verify, render, bundle, export, prune."""
