"""`freeze data`: the state of an environment's data sets, and what changed in them."""
