"""Software bills of materials: one neutral model, written as CycloneDX and as SPDX."""
