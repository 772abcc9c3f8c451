"""Projects, locks, records and histories made for tests."""
