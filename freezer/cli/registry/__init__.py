"""Commands about a registry: push and pull."""
