"""Moves runs into and out of a ledger: tables, exports, imports."""
