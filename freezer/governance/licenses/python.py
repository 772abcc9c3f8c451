"""The license of a Python package, from its core metadata.

``License-Expression`` (metadata 2.4) decides where it is there; else the classifiers, else the
``License`` field, which many projects fill with the whole text.
"""

from __future__ import annotations

from email.parser import BytesParser
from typing import Final

from freezer.governance.licenses.expression import Licenses, declared

_PREFIX: Final = "License :: "
_GENERAL: Final = frozenset({"OSI Approved", "Other/Proprietary License", "Freely Distributable"})


def python_licenses(metadata: bytes) -> Licenses:
    """Return what a ``METADATA`` file declares."""
    headers = BytesParser().parsebytes(metadata, headersonly=True)
    if expression := headers.get("License-Expression"):
        return declared([str(expression)], "METADATA")
    field = str(headers.get("License") or "").strip()
    if field and "\n" not in field:
        found = declared([field], "METADATA")
        if found.expression:
            return found
    names = [
        str(text).rpartition(" :: ")[2]
        for text in headers.get_all("Classifier", [])
        if str(text).startswith(_PREFIX)
    ]
    names = [name for name in names if name not in _GENERAL] or names
    if names:
        return declared(dict.fromkeys(names), "METADATA")
    return declared([field.splitlines()[0]] if field else [], "METADATA")
