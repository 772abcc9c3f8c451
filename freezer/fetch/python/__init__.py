"""Python package indexes: pip's configuration, the simple API, file names, and downloads."""
