"""Docker contexts: named engine addresses of the docker command.

Read here because the SDK looks for them in the current folder when the user has no ``config.json``.
Layout: ``contexts/meta/<sha256 of the name>/meta.json`` and ``contexts/tls/<the
same>/docker/{ca,cert,key}.pem`` below ``$DOCKER_CONFIG`` or ``~/.docker``.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freezer.errors import EngineError, Where
from freezer.model.parsing import parse_json

if TYPE_CHECKING:
    from collections.abc import Mapping


def current(environ: Mapping[str, str], home: Path) -> str | None:
    """Return the name of the current context; None for the default one."""
    config = _read(_folder(environ, home) / "config.json")
    name = environ.get("DOCKER_CONTEXT") or config.get("currentContext")
    return None if not name or name == "default" else str(name)


def names(environ: Mapping[str, str], home: Path) -> list[str]:
    """Return the names of all contexts, sorted."""
    files = (_folder(environ, home) / "contexts" / "meta").glob("*/meta.json")
    found = (_read(file).get("Name") for file in files)
    return sorted(name for name in found if isinstance(name, str) and name)


def require_usable_config(environ: Mapping[str, str], home: Path) -> None:
    """Refuse a ``config.json`` that the SDK cannot take; what is no JSON counts as none to it.

    It reads the file whenever it connects, and its errors name neither the file nor the cause.
    Raises ``EngineError``.
    """
    path = _folder(environ, home) / "config.json"
    try:
        document = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return
    if wrong := _unusable(document):
        raise EngineError(
            "Docker's configuration is not as the docker command writes it",
            where=Where(str(path)),
            found=wrong,
            hint="correct the file, or move it away; `docker login` writes logins anew",
        )


def _unusable(document: Any) -> str | None:
    if not isinstance(document, dict):
        return "no JSON object"
    headers = document.get("HttpHeaders") or {}
    if not isinstance(headers, dict) or not all(isinstance(one, str) for one in headers.values()):
        return "HttpHeaders that are no texts by name"
    import docker.auth  # late: most hosts have no such file

    try:
        docker.auth.load_config(config_dict=document)
    except Exception:  # noqa: BLE001 - its parser has many, and some repeat the login
        return "logins (`auths`) that cannot be read"
    return None


def sends_headers(environ: Mapping[str, str], home: Path) -> bool:
    """Return whether the user's configuration adds headers to each request."""
    return bool(_read(_folder(environ, home) / "config.json").get("HttpHeaders"))


def endpoint(name: str, environ: Mapping[str, str], home: Path) -> tuple[str, Any]:
    """Return a context's address, and its ``TLSConfig`` or None. Raises ``EngineError``."""
    folder, digest = _folder(environ, home) / "contexts", _digest(name)
    document = _read(folder / "meta" / digest / "meta.json")
    endpoints = document.get("Endpoints")
    found = endpoints.get("docker") if isinstance(endpoints, dict) else None
    if not isinstance(found, dict) or not found.get("Host"):
        raise EngineError(
            f"there is no docker context {name!r}",
            hint="`docker context ls` lists them, `docker context use default` goes back",
        )
    return str(found["Host"]), _tls(folder / "tls" / digest / "docker", found)


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()


def _tls(folder: Path, found: Mapping[str, Any]) -> Any:
    if not folder.is_dir():
        return None
    files = {name: str(folder / f"{name}.pem") for name in ("ca", "cert", "key")}
    present = {name: path for name, path in files.items() if Path(path).is_file()}
    pair = (present["cert"], present["key"]) if {"cert", "key"} <= present.keys() else None
    verify = not found.get("SkipTLSVerify", False)
    import docker.tls  # late: few engines need it

    return docker.tls.TLSConfig(client_cert=pair, ca_cert=present.get("ca"), verify=verify)


def _folder(environ: Mapping[str, str], home: Path) -> Path:
    return Path(environ.get("DOCKER_CONFIG") or home / ".docker")


def _read(path: Path) -> dict[str, Any]:
    """Return a JSON object; empty when there is none, as the docker command does."""
    try:
        document = parse_json(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
