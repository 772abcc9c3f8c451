"""The files by which projects declare their environment, one module for each family of tools."""
