"""Finds secrets on a command line, and redacts them for records. Pure.

A word is a secret by its name (``--token=X``, ``--password X``, ``API_KEY=X``), by its form (tokens
of well-known services), or as part of a URL or header.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

REDACTED: Final = "***"
_ALWAYS: Final = frozenset(
    [
        "password",
        "passwd",
        "passwort",
        "passphrase",
        "pwd",
        "secret",
        "secrets",
        "apikey",
        "credential",
        "credentials",
    ]
)
_KEYS: Final = frozenset(
    ["api", "access", "secret", "private", "auth", "account", "storage", "encryption"]
)
_NO_SECRET: Final = frozenset(
    [
        "pad",
        "eos",
        "bos",
        "unk",
        "mask",
        "sep",
        "cls",
        "stop",
        "start",
        "end",
        "special",
        "image",
        "next",
        "first",
        "last",
        "per",
        "prompt",
        "max",
        "min",
        "num",
        "new",
    ]
)
"""Words before ``token`` that make it a term of language models."""
_PARTS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_NAMED: Final = re.compile(r"(?P<name>-{0,2}[A-Za-z_][\w.-]{0,99})=(?P<value>.+)", re.DOTALL)
_PAIRS: Final = re.compile(
    r"""(?<![\w.-])(?P<name>-{0,2}[A-Za-z_][\w.-]{0,99}+)="""
    r"""(?P<value>"[^"\n]*"|'[^'\n]*'|[^\s"'&;,]+)"""
)
_OPTION: Final = re.compile(r"--?[A-Za-z][\w.-]{0,99}")
_PLACEHOLDER: Final = re.compile(r"\{[A-Za-z_][A-Za-z0-9_.-]*\}")
_TOKENS: Final = re.compile(
    r"\b(?:hf_[A-Za-z0-9]{20,}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{20,}"
    r"|sk-[\w-]{20,}|(?:AKIA|ASIA)[0-9A-Z]{16}|xox[abprs]-[\w-]{10,}|pypi-[\w-]{50,}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"
)
SHORTEST: Final = 4
"""Minimum characters; shorter secrets would be replaced in unrelated places."""


def is_secret_name(name: str) -> bool:
    """Return whether a name is a secret's: ``--hf-token`` is, ``--pad-token`` is not."""
    parts = [part.lower() for part in _PARTS.findall(name)]
    if not parts:
        return False
    before = parts[-2] if len(parts) > 1 else ""
    if parts[-1] == "key":
        return before in _KEYS
    if parts[-1] == "token":
        return before not in _NO_SECRET
    return parts[-1] in _ALWAYS or parts[-1].endswith(("password", "passwd"))


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without given secrets, and without those that can be recognised.

    Those are credentials in URLs, tokens of well-known services, and ``NAME=VALUE`` with the name
    of a secret.
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= SHORTEST:
            text = text.replace(secret, REDACTED)
    return _PAIRS.sub(_redacted_pair, _TOKENS.sub(REDACTED, redact(text)))


def redact_value(name: str, text: str) -> str:
    """Return a text that was given under a name: redacted whole where it is a secret's."""
    return REDACTED if text and is_secret_name(name) else redact_text(text)


def _redacted_pair(match: re.Match[str]) -> str:
    hidden = is_secret_name(match["name"]) and not _PLACEHOLDER.fullmatch(match["value"])
    return f"{match['name']}={REDACTED}" if hidden else match[0]


def redact_words(words: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return a command line's words for the record, and the secrets in them.

    A placeholder such as ``{token}`` is kept: its value is not part of the command line.
    """
    redacted: list[str] = []
    secrets: list[str] = []
    for number, word in enumerate(words):
        before = words[number - 1] if number else ""
        match = _NAMED.fullmatch(word)
        if _PLACEHOLDER.fullmatch(word):
            redacted.append(word)
        elif _OPTION.fullmatch(before) and is_secret_name(before) and not _OPTION.fullmatch(word):
            secrets.append(word)
            redacted.append(REDACTED)
        elif match and is_secret_name(match["name"]) and not _PLACEHOLDER.fullmatch(match["value"]):
            secrets.append(match["value"])
            redacted.append(f"{match['name']}={REDACTED}")
        else:
            secrets += _TOKENS.findall(word)
            redacted.append(redact_text(word))
    return tuple(redacted), tuple(secrets)
