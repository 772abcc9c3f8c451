"""``freeze fleet``: checks of whole clusters."""
