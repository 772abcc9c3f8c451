"""The results of a run: output files, records of other tools, expectations."""
