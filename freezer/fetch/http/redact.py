"""What may be shown of an address: never its credentials."""

from __future__ import annotations

import re

_USERINFO = re.compile(r"(?P<scheme>[a-zA-Z][a-zA-Z0-9+.-]*://)[^/\s@'\"]+@")
_QUERY = re.compile(
    r"(?P<key>[?&;](?:[\w.-]*(?:token|secret|signature|password|passwd|credential|key|auth|sig)[\w.-]*))"
    r"=[^&;\s'\"]+",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?P<head>https?://[^\s'\"]*?/t/)[^/\s'\"?#]+")
_HEADER = re.compile(r"(?P<name>authorization:?\s*(?:bearer|basic|token)?\s+)\S+", re.IGNORECASE)


def redact(text: str) -> str:
    """Return a text with the credentials of every URL in it replaced by ``***``."""
    text = _USERINFO.sub(r"\g<scheme>***@", text)
    text = _TOKEN.sub(r"\g<head>***", text)
    text = _QUERY.sub(r"\g<key>=***", text)
    return _HEADER.sub(r"\g<name>***", text)


def without_credentials(url: str) -> str:
    """Return a URL without user and password, fit for a lock."""
    return _USERINFO.sub(r"\g<scheme>", url)


def without_token(url: str) -> str:
    """Return a conda channel's URL without the ``/t/TOKEN`` that its servers take."""
    return re.sub(r"(://[^/]+)/t/[^/]+(?=/|$)", r"\1", url)
