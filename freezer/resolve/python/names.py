"""Names that are not what their writer thinks: old aliases, and slips of one key.

Misspelt names of well-known packages are how malicious ones are installed, so a name that is one
edit away from a well-known one is worth a word even where the index has it.
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
"""Normalised name to the package that is meant; those of frameworks are in their descriptions
(`freezer.frameworks`)."""


@cache
def aliases() -> Mapping[str, str]:
    """Return normalised names that are old or mistaken, and the package that is meant."""
    return {**_ALIASES, **mistaken_names()}


def name_warnings(
    requirements: Iterable[PipRequirement], index: PythonIndex, as_of: str
) -> list[str]:
    """Return a warning for each requirement whose name is an old alias or looks like a slip.

    A package that has long been there in many versions is what it says it is: names of slips and
    imitations are found and removed before that.
    """
    said = []
    for item in requirements:
        if alias := aliases().get(item.name):
            said.append(f"{item.where}: {item.name} is an old or mistaken name for {alias}")
        elif (near := near_names(item.name)) and not _is_established(item.name, index, as_of):
            said.append(
                f"{item.where}: {item.name} is one letter away from {' and '.join(near)}; is it "
                "the package that you mean?"
            )
    return list(dict.fromkeys(said))


def _is_established(name: str, index: PythonIndex, as_of: str) -> bool:
    """Return whether an index has had a package for two years, in ten versions or more."""
    found = releases(index, name, as_of)
    first = min((item.uploaded for item in found if item.uploaded), default=None)
    years = int(as_of[:4]) - int(first[:4]) if first else 0
    return len(found) >= _ESTABLISHED_VERSIONS and years >= _ESTABLISHED_YEARS


def near_names(name: str) -> tuple[str, ...]:
    """Return the well-known names one edit away from a name that is not well-known itself."""
    if name in well_known() or name in aliases().values() or len(name) < 4:
        return ()
    return tuple(known for known in sorted(well_known()) if _one_edit(name, known))


def _one_edit(one: str, other: str) -> bool:
    """Return whether two names differ by one letter added, left out, replaced, or by two swapped.

    A hyphen more or less counts as well, since it is the commonest slip of all.
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
