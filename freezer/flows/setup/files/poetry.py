"""Converts Poetry's and Pipenv's requirements to the standard form (PEP 508)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

if TYPE_CHECKING:
    from collections.abc import Mapping

_RELEASE = re.compile(r"(?P<sign>\^|~)\s*(?P<release>\d+(\.\d+)*)(?P<rest>.*)\Z")
_BARE = re.compile(r"\d[\w.+!*-]*\Z")


def specifier(text: str) -> str | None:
    """Return a version constraint as PEP 440 has it; None where that cannot say it.

    ``^1.2`` is ``>=1.2,<2``, ``~1.2`` is ``>=1.2,<1.3``, ``1.2`` is ``==1.2``, ``*`` is anything.
    """
    if "|" in text:
        return None
    parts = [part for part in re.split(r"\s*,\s*|\s+(?=[<>=!~^])", text.strip()) if part]
    found = [_one(part) for part in parts]
    if None in found:
        return None
    joined = ",".join(part for part in found if part)
    try:
        SpecifierSet(joined)
    except InvalidSpecifier:
        return None
    return joined


def _one(part: str) -> str | None:
    if part == "*":
        return ""
    if match := _RELEASE.match(part):
        if match["sign"] == "~" and match["release"] and part.startswith("~="):
            return part
        numbers = [int(number) for number in match["release"].split(".")]
        return f">={match['release']}{match['rest']},<{_above(match['sign'], numbers)}"
    if _BARE.match(part):
        return f"=={part}"
    return re.sub(r"^=(?=[^=])", "==", part)


def _above(sign: str, numbers: list[int]) -> str:
    if sign == "~":
        place = min(1, len(numbers) - 1)
    else:
        place = next((n for n, number in enumerate(numbers) if number), len(numbers) - 1)
    upper = [*numbers[:place], numbers[place] + 1]
    return ".".join(map(str, upper))


def requirements(table: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the requirements of a table of names, and the names that cannot be written as such.

    Optional ones belong to extras, and are left out.
    """
    found, left = list[str](), list[str]()
    for name, entry in table.items():
        if name.lower() == "python" or (isinstance(entry, dict) and entry.get("optional")):
            continue
        text = _requirement(name, entry)
        (found if text else left).append(text or name)
    return found, left


def _requirement(name: str, entry: Any) -> str | None:
    options = entry if isinstance(entry, dict) else {"version": entry}
    if set(options) - {"version", "extras", "markers", "python", "optional", "allow-prereleases"}:
        return None  # from git, a path, a URL, an index of its own
    version = specifier(str(options.get("version", "*")))
    python = specifier(str(options.get("python", "*")))
    if version is None or python is None:
        return None
    markers = [f"({options['markers']})"] if options.get("markers") else []
    for part in filter(None, python.split(",")):
        sign, value = re.match(r"([<>=!~]+)(.*)", part).groups()  # type: ignore[union-attr]
        markers.append(f'python_full_version {sign} "{value}"')
    extras = options.get("extras") or []
    within = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
    text = f"{name}{within}{version}" + (f" ; {' and '.join(markers)}" if markers else "")
    try:
        return str(Requirement(text))
    except InvalidRequirement:
        return None
