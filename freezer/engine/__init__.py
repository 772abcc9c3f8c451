"""The only room that talks to a container engine. Knows names, digests and bytes, no locks."""
