"""Removes credentials from addresses, for display and for storage.

An address is ``scheme://userinfo@host/path``. Its userinfo ends at the last ``@`` before the path,
as pip, urllib3 and curl parse it, whatever characters it contains. Users also write passwords with
an unencoded ``/``, ``?`` or ``#``, for which those tools find no usable host. So display removes
more than storage: better hide a host than show a password.
"""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

_START = re.compile(r"(?<=[a-zA-Z0-9+.-])://")
_AUTHORITY_END = re.compile(r"[/?#]")
_HOST = re.compile(
    r"(?P<name>\[[0-9a-fA-F:.%]+\]|[\w.~%-]*)(?::(?P<port>\d{1,5}))?"
    r"(?=$|[/?#\s,;)\]}>|\\]|[\"'`]+(?:$|[\s.,;)\]}>])|[<(\[{]|:\s)"
)
_AT = re.compile(r"@(?=[\w.%\[$-])")
_WORD_END = re.compile(r"[\s\"'`<>]")
_LOCAL = re.compile(r"localhost|127\.[\d.]+|\[::1\]|", re.IGNORECASE)
_VCS = re.compile(r"(?:git|hg|svn|bzr)(?:\+[a-z]+)?$", re.IGNORECASE)
_REVISION = re.compile(r"@[^@/:]*(?=$|[#\s\"'`])|(?<=\.git)@[^@:]*$")
_DIGEST = re.compile(r"@sha(?:256|512):")
_VALUE = r"(?:[^&;\s'\"]|['\"](?=[^\s,;:)\]}'\"&]))+"
_TOKEN_PATH = re.compile(r"/t/[^/?#]+")
_GUESSABLE = 4
"""Minimum characters; shorter secrets would be replaced in unrelated places."""
_QUERY = re.compile(
    r"(?P<key>[?&;][\w.-]{0,64}?(?:token|secret|signature|passw(?:or)?d|credential|key|auth|sig)[\w.-]{0,64})"
    rf"={_VALUE}",
    re.IGNORECASE,
)
_NAME_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRETS = frozenset(
    ["apikey", "auth", "credential", "credentials", "key", "passwd", "password", "secret", "sig",
     "signature", "token"]
)  # fmt: skip
"""Words in the names of query parameters that open what they belong to."""
_TOKEN = re.compile(r"(?P<head>https?://[^\s'\"]{0,1000}?/t/)[^/\s'\"?#]+")
_HEADER = re.compile(
    r"(?P<name>authorization:?\s{0,9}(?:bearer|basic|token)?\s{1,9})\S+", re.IGNORECASE
)


def redact(text: str) -> str:
    """Return a text with the credentials of every URL in it replaced by ``***``: for display."""
    if "://" in text:
        text = _without_userinfo(text, "***@", generous=True)
        text = _TOKEN.sub(r"\g<head>***", text) if "/t/" in text else text
    text = _QUERY.sub(r"\g<key>=***", text)
    return _HEADER.sub(r"\g<name>***", text)


def without_credentials(url: str) -> str:
    """Return a URL (or a line with URLs) without users and passwords, fit for a lock."""
    return _without_userinfo(url, "", generous=True)


def is_ambiguous(url: str) -> bool:
    """Return whether an ``@`` in the path of an address may be the end of a password."""
    return without_credentials(url) != _without_userinfo(url, "", generous=False)


def without_secrets(url: str) -> str:
    """Return a URL without userinfo and without secret query parameters, such as signatures."""
    bare, mark, fragment = without_credentials(url).partition("#")
    address, question, query = bare.partition("?")
    kept = [item for item in query.split("&") if not _is_secret(item.partition("=")[0])]
    return address + (question + "&".join(kept) if kept else "") + mark + fragment


def _is_secret(parameter: str) -> bool:
    return any(part.lower() in _SECRETS for part in _NAME_PARTS.findall(unquote(parameter)))


def hide(text: str, url: str) -> str:
    """Return a library's message about a URL without that URL's credentials in any spelling."""
    scheme, _, rest = url.partition("://")
    if size := _userinfo(rest, scheme, generous=True):
        userinfo = rest[: size - 1]
        head = _AUTHORITY_END.split(userinfo)[0]  # the end of the host by a library's parser
        secrets = (userinfo, userinfo.partition(":")[2], head)
        for secret in (*secrets, *map(unquote, secrets), *map(quote, secrets)):
            text = text.replace(secret, "***") if len(secret) >= _GUESSABLE else text
    for token in _TOKEN_PATH.findall(url):
        text = text.replace(token, "/t/***")
    return redact(text)


def without_token(url: str) -> str:
    """Return a conda channel's URL without ``/t/TOKEN``."""
    return re.sub(r"(://[^/]+)/t/[^/]+(?=/|$)", r"\1", url)


def _without_userinfo(text: str, instead: str, *, generous: bool) -> str:
    """Replace the userinfo of every URL; a URL ends at the next one or at the line end.

    Takes linear time for any text.
    """
    if "@" not in text:
        return text
    starts = [match.end() for match in _START.finditer(text)]
    lone = bool(starts) and len(text[: starts[0]].split()) == 1
    parts, position, line_end, last = [], 0, -1, 0
    for number, start in enumerate(starts):
        if start < position:
            continue  # part of the preceding password
        if start > line_end:
            # A password may contain a line end, but not in prose.
            found = -1 if lone and number == 0 else text.find("\n", start)
            line_end = len(text) if found < 0 else found
            last = start + _last_at(text[start:line_end])
        end = min(starts[number + 1] if number + 1 < len(starts) else line_end, line_end)
        segment = text[start:end]
        size = _userinfo(segment, text[max(0, start - 32) : start - 3], generous=generous)
        if not size and end < line_end and _HOST.match(segment) is None:
            size = max(0, last - start)  # what looks like the next URL is part of the password
        parts += [text[position:start], instead if size else ""]
        position = start + size
    return "".join([*parts, text[position:]])


def _userinfo(rest: str, scheme: str, *, generous: bool) -> int:
    """Return the length of the userinfo after ``scheme://``, including its ``@``."""
    path = _AUTHORITY_END.search(rest)
    size = rest.rfind("@", 0, path.start() if path else len(rest)) + 1
    host = _HOST.match(rest, size)
    if host is None or not (host["name"] or scheme.endswith("file")):
        # Neither a host nor a port: a password with a slash, which no tool accepts.
        return _last_at(rest)
    return _ambiguous(rest, scheme, size, host) if generous else size


def _ambiguous(rest: str, scheme: str, size: int, host: re.Match[str]) -> int:
    """Return the size when a path contains an ``@``: a password with a slash may look like a path.

    For every tool ``https://user:12/34@host/`` has the host ``user``, but a reader sees a password.
    """
    if not size and _LOCAL.fullmatch(host["name"]):
        return 0
    rest = _REVISION.sub("", rest) if _VCS.search(scheme) else rest
    rest = rest[: found.start()] if (found := _DIGEST.search(rest)) else rest
    last = _last_at(rest)
    if not (size or host["port"] or "." not in host["name"]):  # an ordinary host
        last = _last_at(_WORD_END.split(rest, maxsplit=1)[0])
        last = last if ":" in rest[host.end() : last] else 0
    return max(size, last)


def _last_at(text: str) -> int:
    """Return the offset after the last ``@`` before a host; 0 when there is none."""
    return max((match.end() for match in _AT.finditer(text)), default=0)
