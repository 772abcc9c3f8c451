"""Gathers the data of `freeze runs page` from ledger, history and git."""
