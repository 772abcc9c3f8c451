"""`freeze update`: move what is named, only what that forces, and say what keeps the rest."""
