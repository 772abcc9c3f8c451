"""How locks of Python packages are called. Each kind's reader is imported once one is there."""

from __future__ import annotations

import re
from typing import Final

UV_LOCK: Final = "uv.lock"
PYLOCK: Final = re.compile(r"pylock(\.[^.]+)?\.toml\Z")
"""What PEP 751 has such a file called."""
