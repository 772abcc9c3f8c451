"""The pip half of a lock as a requirements file with hashes.

Readable by pip, pip-tools, uv and Dependabot. An export: Freezer itself reads only the lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.model.lock import Lock, PipPackage

REQUIREMENTS_FILE = "requirements.txt"


def requirements_text(lock: Lock) -> str:
    """Return the file's text: one pinned and hashed requirement for each package, by name."""
    python = lock.target.python.version
    head = [
        "# Written by `freeze lock` from freeze.lock.yaml, which is the authority. Do not edit.",
        f"# For Python {python} on {lock.platform}, glibc {lock.target.glibc}. To install it:",
        "#     pip install --require-hashes --no-deps -r requirements.txt",
        "",
    ]
    entries = (line for package in lock.pip for line in _entry(package))
    return "\n".join([*head, *entries, ""])


def _entry(package: PipPackage) -> Iterator[str]:
    yield f"{_pin(package)} \\"
    yield f"    --hash=sha256:{package.sha256}"
    yield f"    # {' '.join(package.reason.split())}"


def _pin(package: PipPackage) -> str:
    if package.source == "url" and package.url is not None:
        return f"{package.name} @ {package.url}"
    return f"{package.name}=={package.version}"
