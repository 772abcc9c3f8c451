"""The public Python API, re-exported by ``freezer``: the same work as the commands, as values."""
