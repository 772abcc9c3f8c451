"""Output files compared by content, for formats with a clock, identifier or address.

`freezer.check.artifacts.content.content_digest` returns a second digest besides that of the bytes.
What is left out of each format, and how it was measured: ``docs/reference/artifacts.md``.
"""
