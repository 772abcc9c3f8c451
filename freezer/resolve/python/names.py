"""Package names that may be mistakes: old aliases, and misspellings.

Malicious packages are installed through misspelt names of well-known packages, so a name that is
one edit away from a well-known one is a warning even if the index has it.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from freezer.frameworks import mistaken_names
from freezer.resolve.python.index.releases import releases
from freezer.resolve.python.well_known import well_known

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.fetch.python.index import PythonIndex
    from freezer.resolve.python.interface import PipRequirement

_ESTABLISHED_VERSIONS = 10
_ESTABLISHED_YEARS = 2
_ALIASES = {
    "attr": "attrs",
    "beautifulsoup": "beautifulsoup4",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "dotenv": "python-dotenv",
    "fitz": "pymupdf",
    "gym": "gymnasium",
    "imblearn": "imbalanced-learn",
    "jwt": "pyjwt",
    "nvidia-ml-py3": "nvidia-ml-py",
    "opencv": "opencv-python-headless",
    "pil": "pillow",
    "pycrypto": "pycryptodome",
    "pytorch-transformers": "transformers",
    "skimage": "scikit-image",
    "tensorboard-pytorch": "tensorboardx",
    "tf-nightly-gpu": "tf-nightly",
    "yaml": "pyyaml",
    "zmq": "pyzmq",
}
"""Normalised name to the intended package; those of frameworks are in their descriptions
(`freezer.frameworks`)."""


@cache
def aliases() -> Mapping[str, str]:
    """Map old or mistaken names, normalised, to the intended packages."""
    return {**_ALIASES, **mistaken_names()}


def name_warnings(
    requirements: Iterable[PipRequirement], index: PythonIndex, as_of: str
) -> list[str]:
    """Return a warning for each requirement whose name is an old alias or may be misspelt.

    A package that has existed for long, in many versions, is not suspicious: imitations are found
    and removed sooner.
    """
    warnings = []
    for item in requirements:
        if alias := aliases().get(item.name):
            warnings.append(f"{item.where}: {item.name} is an old or mistaken name for {alias}")
        elif (near := near_names(item.name)) and not _is_established(item.name, index, as_of):
            warnings.append(
                f"{item.where}: {item.name} is one letter away from {' and '.join(near)}; is it "
                "the intended package?"
            )
    return list(dict.fromkeys(warnings))


def _is_established(name: str, index: PythonIndex, as_of: str) -> bool:
    """Return whether an index has had a package for two years, in ten versions or more."""
    found = releases(index, name, as_of)
    first = min((item.uploaded for item in found if item.uploaded), default=None)
    years = int(as_of[:4]) - int(first[:4]) if first else 0
    return len(found) >= _ESTABLISHED_VERSIONS and years >= _ESTABLISHED_YEARS


def near_names(name: str) -> tuple[str, ...]:
    """Return well-known names one edit away from a name that is not well-known itself."""
    if name in well_known() or name in aliases().values() or len(name) < 4:
        return ()
    return tuple(known for known in sorted(well_known()) if _one_edit(name, known))


def _one_edit(one: str, other: str) -> bool:
    """Return whether names differ by one letter added, removed, replaced, or swapped.

    A missing or extra hyphen counts as well, being the most frequent mistake.
    """
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    if len(one) == len(other):
        return one[1:] == other[1:] or (one[:2] == other[1::-1] and one[2:] == other[2:])
    return one[1:] == other if len(one) > len(other) else one == other[1:]
