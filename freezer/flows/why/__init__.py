"""`freeze why`: what needs a locked package, what constrains it, and since when."""
