"""Flows over SBOM, provenance and policy."""
