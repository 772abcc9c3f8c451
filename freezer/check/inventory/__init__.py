"""The inventory of an image: which numeric libraries are in it, compared with the lock."""
