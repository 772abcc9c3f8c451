"""Output files compared by content: formats that hold a clock, a random identifier or an address.

`freezer.check.artifacts.content.content_digest` gives a second digest beside that of the bytes.
What each format hides, and how that was measured: ``docs/reference/artifacts.md``.
"""
