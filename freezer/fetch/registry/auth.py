"""Authenticates to registries: anonymously, by password, or by token.

Credentials are those of ``docker login``, including helpers. Protocol:
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
    """An ``Authorization`` header; an empty one also disables ``~/.netrc``."""

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
    """Return the authorization for a registry's ``WWW-Authenticate`` challenge on ``url``.

    ``scopes`` are requested for a token; without any, the scope in the challenge. Raises
    ``FetchError`` when there are no credentials, or when they are rejected.
    """
    scheme, _, rest = challenge.partition(" ")
    credentials = _credentials(reference)
    parameters = {name: quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
    if scheme.lower() == "bearer":
        named = parameters.get("scope") or f"repository:{reference.repository}:pull"
        response = _request_token(reference, parameters, list(scopes) or [named], credentials, url)
        if response.status_code in _REFUSED and len(scopes) > 1:
            # Some token servers reject the request if a single scope is not granted.
            response.close()
            response = _request_token(reference, parameters, list(scopes[:1]), credentials, url)
        with response:
            if response.status_code in _REFUSED:
                raise refusal(reference, writes=writes)
            return Authorization(
                f"Bearer {_read_token(reference, parameters.get('realm', ''), response)}"
            )
    if scheme.lower() == "basic" and _user(credentials):
        return _basic(credentials)
    raise refusal(reference, writes=writes)


def refusal(reference: Reference, *, writes: bool = False) -> FetchError:
    """Return the error for a registry that denies access."""
    missing = "no right to push there" if writes else "no right to read it"
    login = f"{_LOGIN}, with an account that may {'push there' if writes else 'read the image'}"
    return FetchError(
        f"the registry refuses access to {reference.repository}",
        found=f"no such image at {reference.registry}, or {missing}",
        hint=f"check the name; then {login}",
    )


def _request_token(
    reference: Reference,
    challenge: Mapping[str, str],
    scopes: list[str],
    credentials: Mapping[str, str],
    url: str,
) -> requests.Response:
    realm = challenge.get("realm", "")
    if split_url(realm).scheme not in {"https", split_url(url).scheme}:
        raise FetchError(
            f"the registry {reference.registry} names an unsafe token server",
            found=redact(realm) or "no address",
            expected="an https address",
            hint="do not log in to that registry before you know why",
        )
    return _ask(realm, challenge.get("service", ""), scopes, credentials)


def _ask(
    realm: str, service: str, scopes: list[str], credentials: Mapping[str, str]
) -> requests.Response:
    if identity := credentials.get("identitytoken"):
        form = {
            "service": service,
            "scope": " ".join(scopes),
            "grant_type": "refresh_token",
            "refresh_token": identity,
            "client_id": "freezer",
        }
        return send("POST", realm, data=form, auth=Authorization())
    shown = _basic(credentials) if _user(credentials) else Authorization()
    values = urlencode([("service", service), *(("scope", scope) for scope in scopes)])
    return send("GET", f"{realm}{'&' if split_url(realm).query else '?'}{values}", auth=shown)


def _read_token(reference: Reference, realm: str, response: requests.Response) -> str:
    if not 200 <= response.status_code < 300:
        raise _no_token(reference, realm, status_of(response))
    try:
        document = parse_json(body_of(realm, response, _LONGEST_TOKEN))
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


def _user(credentials: Mapping[str, str]) -> bool:
    return bool(credentials.get("username")) and "password" in credentials


def _basic(credentials: Mapping[str, str]) -> Authorization:
    pair = f"{credentials['username']}:{credentials['password']}".encode()
    return Authorization(f"Basic {base64.b64encode(pair).decode()}")


def _credentials(reference: Reference) -> dict[str, str]:
    """Return the credentials of ``docker login``, keys in lower case; empty if none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the SDK warns of a missing helper and then raises
            found: Any = docker_auth.load_config().resolve_authconfig(reference.registry) or {}
        return {key.lower(): value for key, value in found.items() if isinstance(value, str)}
    except Exception as error:  # the SDK does not validate what it reads
        raise FetchError(
            f"the credentials for {reference.registry} cannot be read",
            found=redact(str(error)) or type(error).__name__,
            hint="check Docker's config.json and the credential helper in it; "
            f"{_LOGIN} writes them again",
        ) from error
