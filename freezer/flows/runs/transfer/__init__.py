"""Runs on their way into and out of a ledger: tables, exports, imports."""
