"""Authenticate to registries: with nothing, a password, or a token from the token server.

Credentials are those of ``docker login``, helpers included. Protocol:
https://distribution.github.io/distribution/spec/auth/token/
"""

from __future__ import annotations

import base64
import re
import warnings
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from docker import auth as docker_auth
from requests.auth import AuthBase

from freezer.errors import FetchError
from freezer.fetch.http.redact import redact
from freezer.fetch.http.transport import send, status_of
from freezer.fetch.http.url import split_url
from freezer.fetch.registry.body import body_of
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests

    from freezer.fetch.registry.reference import Reference

_PARAMETER = re.compile(r'(?<![a-zA-Z_])([a-zA-Z_]+)=(?:"([^"]*)"|([^\s",]+))')
_REFUSED = (400, 401, 403, 404)
_LONGEST_TOKEN = 1 << 20
_LOGIN = "`docker login` to the registry"


class Authorization(AuthBase):
    """An ``Authorization`` header; an empty one also keeps ``~/.netrc`` out of the request."""

    def __init__(self, header: str = "") -> None:
        self._header = header

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the header on a request."""
        if self._header:
            request.headers["Authorization"] = self._header
        return request


def authorize(
    reference: Reference,
    challenge: str,
    url: str,
    *,
    scopes: Sequence[str] = (),
    writes: bool = False,
) -> Authorization:
    """Return the authorization for a registry's ``WWW-Authenticate``; ``url`` is what it refused.

    ``scopes`` are requested for a token; without any, the scope that the registry names. Raises
    ``FetchError`` when there are no credentials, or when they are refused.
    """
    scheme, _, rest = challenge.partition(" ")
    known = _credentials(reference)
    asked = {name: quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
    if scheme.lower() == "bearer":
        named = asked.get("scope") or f"repository:{reference.repository}:pull"
        answer = _answer(reference, asked, list(scopes) or [named], known, url)
        if answer.status_code in _REFUSED and len(scopes) > 1:
            # Some token servers refuse all because of one that they do not grant.
            answer.close()
            answer = _answer(reference, asked, list(scopes[:1]), known, url)
        with answer:
            if answer.status_code in _REFUSED:
                raise refusal(reference, writes=writes)
            return Authorization(f"Bearer {_read_token(reference, asked.get('realm', ''), answer)}")
    if scheme.lower() == "basic" and _user(known):
        return _basic(known)
    raise refusal(reference, writes=writes)


def refusal(reference: Reference, *, writes: bool = False) -> FetchError:
    """Return the error for a registry that does not let one in."""
    missing = "no right to push there" if writes else "no right to read it"
    login = f"{_LOGIN}, with an account that may {'push there' if writes else 'read the image'}"
    return FetchError(
        f"the registry refuses access to {reference.repository}",
        found=f"no such image at {reference.registry}, or {missing}",
        hint=f"check the name; then {login}",
    )


def _answer(
    reference: Reference,
    asked: Mapping[str, str],
    scopes: list[str],
    known: Mapping[str, str],
    url: str,
) -> requests.Response:
    realm = asked.get("realm", "")
    if split_url(realm).scheme not in {"https", split_url(url).scheme}:
        raise FetchError(
            f"the registry {reference.registry} sends to an unsafe place for its token",
            found=redact(realm) or "no address",
            expected="an https address",
            hint="do not log in to that registry before you know why",
        )
    return _ask(realm, asked.get("service", ""), scopes, known)


def _ask(
    realm: str, service: str, scopes: list[str], known: Mapping[str, str]
) -> requests.Response:
    if identity := known.get("identitytoken"):
        form = {
            "service": service,
            "scope": " ".join(scopes),
            "grant_type": "refresh_token",
            "refresh_token": identity,
            "client_id": "freezer",
        }
        return send("POST", realm, data=form, auth=Authorization())
    shown = _basic(known) if _user(known) else Authorization()
    values = urlencode([("service", service), *(("scope", scope) for scope in scopes)])
    return send("GET", f"{realm}{'&' if split_url(realm).query else '?'}{values}", auth=shown)


def _read_token(reference: Reference, realm: str, answer: requests.Response) -> str:
    if not 200 <= answer.status_code < 300:
        raise _no_token(reference, realm, status_of(answer))
    try:
        document = parse_json(body_of(realm, answer, _LONGEST_TOKEN))
    except FetchError as error:
        raise _no_token(reference, realm, error.what) from error
    except ValueError:
        document = None
    if isinstance(document, dict):
        token = document.get("token") or document.get("access_token")
        if isinstance(token, str) and token.isascii() and token.isprintable():
            return token
    raise _no_token(reference, realm, "an answer without a token")


def _no_token(reference: Reference, realm: str, found: str) -> FetchError:
    return FetchError(
        f"the registry {reference.registry} gives no token",
        found=f"{found} from {redact(realm)}",
        hint="try again later",
    )


def _user(known: Mapping[str, str]) -> bool:
    return bool(known.get("username")) and "password" in known


def _basic(known: Mapping[str, str]) -> Authorization:
    pair = f"{known['username']}:{known['password']}".encode()
    return Authorization(f"Basic {base64.b64encode(pair).decode()}")


def _credentials(reference: Reference) -> dict[str, str]:
    """Return what ``docker login`` left for a registry, keys in lower case; empty if nothing."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK warns of a missing helper, then raises
            found: Any = docker_auth.load_config().resolve_authconfig(reference.registry) or {}
        return {key.lower(): value for key, value in found.items() if isinstance(value, str)}
    except Exception as error:  # the SDK checks the shape of nothing that it reads
        raise FetchError(
            f"the credentials for {reference.registry} cannot be read",
            found=redact(str(error)) or type(error).__name__,
            hint="check Docker's config.json and the credential helper that it names; "
            f"{_LOGIN} writes them anew",
        ) from error
