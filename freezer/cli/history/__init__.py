"""Commands about the history: log, diff, rollback, bisect."""
