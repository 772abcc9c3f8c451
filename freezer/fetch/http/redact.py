"""Credentials in addresses: what may be displayed, and what may be stored.

An address is ``scheme://userinfo@host/path``. Its userinfo ends at the last ``@`` before the path,
as pip, urllib3 and curl read it, whatever characters it holds. People also write passwords with an
unencoded ``/``, ``?`` or ``#``, after which those tools find no usable host. What is displayed is
therefore cut more generously than what is stored: rather a host too few than a password too many.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://")
_AUTHORITY_END = re.compile(r"[/?#]")
_HOST = re.compile(
    r"(?P<name>\[[0-9a-fA-F:.%]+\]|[\w.~%-]*)(?::(?P<port>\d{1,5}))?"
    r"(?=$|[/?#\s,;)\]}>|\\]|[\"'`]+(?:$|[\s.,;)\]}>])|[<(\[{]|:\s)"
)
_AT = re.compile(r"@(?=[\w.%\[$-])")
_WORD = re.compile(r"[^\s\"'`<>]*")
_LOCAL = re.compile(r"localhost|127\.[\d.]+|\[::1\]|", re.IGNORECASE)
_VCS = re.compile(r"(?:git|hg|svn|bzr)(?:\+[a-z]+)?://", re.IGNORECASE)
_REVISION = re.compile(r"@[^@/:]*(?=$|[#\s\"'`])|(?<=\.git)@[^@:]*$")
_DIGEST = re.compile(r"@sha(?:256|512):")
_VALUE = r"(?:[^&;\s'\"]|['\"](?=[^\s,;:)\]}'\"&]))+"
_TOKEN_PATH = re.compile(r"/t/[^/?#]+")
_GUESSABLE = 4
"""Characters: whatever is shorter would be blanked in places that have nothing to do with it."""
_QUERY = re.compile(
    r"(?P<key>[?&;](?:[\w.-]*(?:token|secret|signature|password|passwd|credential|key|auth|sig)[\w.-]*))"
    rf"={_VALUE}",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"(?P<head>https?://[^\s'\"]*?/t/)[^/\s'\"?#]+")
_HEADER = re.compile(r"(?P<name>authorization:?\s*(?:bearer|basic|token)?\s+)\S+", re.IGNORECASE)


def redact(text: str) -> str:
    """Return a text with the credentials of every URL in it replaced by ``***``: for display."""
    if "://" in text:
        text = _without_userinfo(text, "***@", generous=True)
        text = _TOKEN.sub(r"\g<head>***", text)
    text = _QUERY.sub(r"\g<key>=***", text)
    return _HEADER.sub(r"\g<name>***", text)


def without_credentials(url: str) -> str:
    """Return a URL (or a line with URLs) without users and passwords, fit for a lock."""
    return _without_userinfo(url, "", generous=False)


def hide(text: str, url: str) -> str:
    """Return what a library said about a URL, without that URL's credentials in any spelling."""
    start = _SCHEME.match(url)
    if start is not None and (size := _userinfo(url[start.end() :], start[0], generous=True)):
        userinfo = url[start.end() : start.end() + size - 1]
        head = _AUTHORITY_END.split(userinfo)[0]  # where a library thinks that the host ends
        secrets = (userinfo, userinfo.partition(":")[2], head)
        for secret in (*secrets, *map(unquote, secrets), *map(quote, secrets)):
            text = text.replace(secret, "***") if len(secret) >= _GUESSABLE else text
    for token in _TOKEN_PATH.findall(url):
        text = text.replace(token, "/t/***")
    return redact(text)


def without_token(url: str) -> str:
    """Return a conda channel's URL without the ``/t/TOKEN`` that its servers take."""
    return re.sub(r"(://[^/]+)/t/[^/]+(?=/|$)", r"\1", url)


def _without_userinfo(text: str, instead: str, *, generous: bool) -> str:
    """Replace the userinfo of every URL; a URL ends where the next one or the next line begins."""
    parts, position = [], 0
    while match := _SCHEME.search(text, position):
        rest = text[match.end() :]
        if text[: match.start()].strip():  # in prose; a password alone may even hold a line end
            rest = rest.partition("\n")[0]
        following = _SCHEME.search(rest)
        size = _userinfo(
            rest[: following.start()] if following else rest, match[0], generous=generous
        )
        if following and not size and _HOST.match(rest) is None:
            size = _last_at(rest)  # what looked like the next URL is in a password
        parts += [text[position : match.end()], instead if size else ""]
        position = match.end() + size
    return "".join([*parts, text[position:]])


def _userinfo(rest: str, scheme: str, *, generous: bool) -> int:
    """Return how many characters of what follows ``scheme://`` are userinfo, with its ``@``."""
    path = _AUTHORITY_END.search(rest)
    size = rest.rfind("@", 0, path.start() if path else len(rest)) + 1
    host = _HOST.match(rest, size)
    if host is None or not (host["name"] or scheme == "file://"):
        # Neither a host nor a port: a password with a slash, which no tool takes.
        return _last_at(rest)
    return _ambiguous(rest, scheme, size, host) if generous else size


def _ambiguous(rest: str, scheme: str, size: int, host: re.Match[str]) -> int:
    """Return the size where a path holds an ``@``: a password with a slash may look like a path.

    ``https://user:12/34@host/`` is the address of a host ``user`` to every tool, and yet shows a
    password to every reader.
    """
    if not size and _LOCAL.fullmatch(host["name"]):
        return 0
    rest = _REVISION.sub("", rest) if _VCS.match(scheme) else rest
    rest = rest[: found.start()] if (found := _DIGEST.search(rest)) else rest
    last = _last_at(rest)
    if not (size or host["port"] or "." not in host["name"]):  # an ordinary host
        last = _last_at(_WORD.findall(rest)[0])
        last = last if ":" in rest[host.end() : last] else 0
    return max(size, last)


def _last_at(text: str) -> int:
    """Return where what follows the last ``@`` before a host begins; 0 where there is none."""
    return max((match.end() for match in _AT.finditer(text)), default=0)
