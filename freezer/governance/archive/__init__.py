"""Archives: OCFL storage roots, which archives know; write-once, every byte by digest. Pure."""
