"""The program that hosts run, as one file: a zip archive that Python starts."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Final

from freezer.inside import freezer_host

_MAIN: Final = "import sys\nfrom freezer_host.__main__ import main\nsys.exit(main(sys.argv[1:]))\n"
_WHEN: Final = (1980, 1, 1, 0, 0, 0)


def host_program() -> bytes:
    """Return the program; equal bytes for equal sources."""
    folder = Path(freezer_host.__file__).parent
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", _MAIN.encode())
        for path in sorted(folder.glob("*.py")):
            _add(archive, f"{folder.name}/{path.name}", path.read_bytes())
    return made.getvalue()


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _WHEN), data, zipfile.ZIP_DEFLATED)
