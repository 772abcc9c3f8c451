"""What `freeze run` adds to the same `docker run`."""
