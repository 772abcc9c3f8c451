"""Commands about a lock: lock, update, why."""
