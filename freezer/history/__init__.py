"""The history of an environment: its generations, each with its lock, linked by digests."""
