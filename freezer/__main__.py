"""``python -m freezer`` is ``freeze``, and both begin here: Ctrl-C is quiet while it loads, too."""

from __future__ import annotations

import sys

from freezer.errors import EXIT_INTERRUPTED


def main() -> None:
    """Load the command, run it and end the process."""
    try:
        from freezer.cli.main import main as run
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(EXIT_INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
