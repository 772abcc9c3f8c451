"""Python packages of an existing lock, taken over as they are: nothing is resolved or added."""
