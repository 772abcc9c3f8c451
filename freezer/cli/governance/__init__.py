"""Commands about governance: sbom."""
