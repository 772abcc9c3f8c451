"""The inventory of an image: its numeric libraries, compared with the lock."""
