"""The past of an environment: its generations, each kept whole and bound to the one before."""
