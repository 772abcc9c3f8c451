"""Output of fleets: text, JSON, a page, JUnit XML, Prometheus text."""
