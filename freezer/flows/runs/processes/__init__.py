"""Runs in processes of their own: several at once, and detached ones."""
