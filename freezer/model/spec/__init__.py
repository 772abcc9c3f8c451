"""The spec (`freeze.yaml`): its types, its JSON schema, and its validation."""
