"""``python -m freezer`` is ``freeze``."""

from freezer.cli.main import main

main()
