"""Container registries and proxies for tests."""
