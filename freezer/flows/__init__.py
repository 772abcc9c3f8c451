"""One file a verb: joins the rooms below in order. The Python API, and what a command calls."""
