"""Container engines; the only package that talks to one. Independent of locks."""
