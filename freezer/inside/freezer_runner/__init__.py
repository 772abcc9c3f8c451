"""What `freeze run` mounts into a container; images do not hold it. Python 3.8 and later."""
