"""The conda ecosystem: the requirements of an environment, and their resolution."""
