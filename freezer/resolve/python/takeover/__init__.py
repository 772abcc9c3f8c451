"""Python packages of an existing lock, used as they are: nothing is resolved or added."""
