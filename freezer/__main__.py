"""``python -m freezer`` is ``freeze``, and both begin here: Ctrl-C is quiet while it loads, too."""

from __future__ import annotations

import gc
import os
import sys

_INTERRUPTED = 130
"""As in `freezer.errors`, which Ctrl-C may keep from loading."""
_ALLOCATIONS = 100_000
"""Containers made before the garbage collector looks for cycles; Python's default is 700 or 2000.

Nearly all of what a command makes while it loads stays, and each look finds nothing.
"""


def main() -> None:
    """Load the command, run it and end the process."""
    gc.set_threshold(_ALLOCATIONS)
    # Freezer's models need no plug-in of pydantic, and to look for one reads every distribution.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        from freezer.cli.lazy_modules import load_late

        load_late()
        from freezer.cli.main import main as run
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        sys.exit(_INTERRUPTED)
    run()


if __name__ == "__main__":
    main()
