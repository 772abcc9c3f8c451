"""The ledger: runs in SQL. Their schema, recording, a filter language, and queries.

It runs nothing, and knows no engine and no lock: a run is a value (`freezer.model.record.run`).
"""
