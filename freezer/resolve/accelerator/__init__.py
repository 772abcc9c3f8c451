"""`accelerator:` in every ecosystem: constraints for the solvers, checks of the result."""
