"""What a run continues from, by one line."""

import os
from typing import Optional


def resume_path(name: str = "") -> Optional[str]:
    """Return the path of what ``freeze run --resume`` continues from; None for a run from anew.

    That is the checkpoint that was named, or the folder with all outputs of the earlier run; with
    ``name`` a file in it. It is read-only: write new checkpoints to ``$FREEZER_OUTPUT``. Raises
    ``FileNotFoundError`` where the earlier run left no file of that name.
    """
    place = os.environ.get("FREEZER_RESUME", "")
    if not place:
        return None
    path = os.path.join(place, name) if name else place
    if not os.path.exists(path):
        raise FileNotFoundError(f"the run that this one continues left no {name!r}")
    return path
