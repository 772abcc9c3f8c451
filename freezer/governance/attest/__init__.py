"""Statements about a lock that somebody signs: provenance, keys, envelopes. Pure."""
