"""The pip half of a lock as ``pylock.toml`` (PEP 751), which pip and uv install from.

A lock names no hosts and a ``pylock.toml`` must, so the caller supplies the addresses. For
that reason it is written on request only, and never stored next to the lock.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from freezer.model.lock import Lock, PipPackage


def pylock_text(lock: Lock, addresses: Mapping[str, str]) -> str:
    """Return the file's text. ``addresses`` are those of the packages' files by SHA-256."""
    target = lock.target
    marker = (
        f"sys_platform == 'linux' and platform_machine == '{target.architecture}' and "
        f"python_version == '{target.python.minor}' and implementation_name == 'cpython'"
    )
    head = [
        "# Written by `freeze export` from freeze.lock.yaml, which is the authority.",
        'lock-version = "1.0"',
        f"environments = [{_text(marker)}]",
        f"requires-python = {_text(f'=={target.python.minor}.*')}",
        'created-by = "freezer"',
    ]
    entries = (line for package in lock.pip for line in _package(package, lock, addresses))
    return "\n".join([*head, *entries, ""])


def _package(package: PipPackage, lock: Lock, addresses: Mapping[str, str]) -> Iterator[str]:
    yield from ("", "[[packages]]", f"name = {_text(package.name)}")
    yield f"version = {_text(package.version)}"
    known = {item.name for item in lock.pip}
    needs = (f"{{ name = {_text(name)} }}" for name in package.requires if name in known)
    if listed := ", ".join(needs):
        yield f"dependencies = [{listed}]"
    if package.source == "git" and package.url and package.commit:
        below = f", subdirectory = {_text(package.subdirectory)}" if package.subdirectory else ""
        yield (
            f'vcs = {{ type = "git", url = {_text(package.url)}, '
            f"commit-id = {_text(package.commit)}{below} }}"
        )
        return
    file = (
        f"url = {_text(addresses[package.sha256])}, size = {package.size}, "
        f"hashes = {{ sha256 = {_text(package.sha256)} }}"
    )
    if package.source == "url":
        yield f"archive = {{ {file} }}"
    elif package.file.endswith(".whl"):
        yield f"wheels = [{{ name = {_text(package.file)}, {file} }}]"
    else:
        yield f"sdist = {{ name = {_text(package.file)}, {file} }}"


def _text(text: str) -> str:
    """Return a TOML string; JSON's escapes are among TOML's."""
    return json.dumps(text, ensure_ascii=False)
