"""What a run left: its output files, records of other tools, and whether it is as expected."""
