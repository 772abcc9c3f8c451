"""The user's and the system's ``uv.toml``: where uv takes packages from on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freezer.errors import ConfigError, HostError, Where
from freezer.model.parsing import TomlError, parse_toml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})


@dataclass(frozen=True)
class UvConfiguration:
    """The part of uv's configuration files that says where packages come from."""

    index_url: str | None = None
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    strategy: str | None = None


def uv_configuration(environment: Mapping[str, str]) -> UvConfiguration:
    """Return what uv would read: the user's file goes before the system's.

    Raises ``ConfigError`` for a file that is not TOML, ``HostError`` for one that cannot be read.
    """
    if environment.get("UV_NO_CONFIG", "").lower() in _TRUE:
        return UvConfiguration()
    merged = UvConfiguration()
    for path in _files(environment):
        merged = _under(merged, _read(path))
    return merged


def _files(env: Mapping[str, str]) -> Iterator[Path]:
    if named := env.get("UV_CONFIG_FILE"):
        yield Path(named)
        return
    home = env.get("XDG_CONFIG_HOME") or (f"{env['HOME']}/.config" if env.get("HOME") else None)
    system = (env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    found = [Path(folder) / "uv" / "uv.toml" for folder in system if folder]
    if home is not None and (user := Path(home) / "uv" / "uv.toml").is_file():
        yield user
    yield from [path for path in (*found, Path("/etc/uv/uv.toml")) if path.is_file()][:1]


def _read(path: Path) -> UvConfiguration:
    try:
        table = parse_toml(path.read_bytes().decode("utf-8-sig"))
    except OSError as error:
        raise HostError(
            f"uv's configuration {path} cannot be read",
            found=error.strerror,
            hint="correct UV_CONFIG_FILE or the file's permissions",
        ) from error
    except (TomlError, UnicodeError) as error:
        raise ConfigError(
            "uv's configuration is not valid TOML",
            where=Where(str(path)),
            found=str(error),
            hint="correct the file, or set UV_NO_CONFIG=1 to do without it",
        ) from error
    entries: Any = table.get("index")
    usable = [
        item
        for item in (entries if isinstance(entries, list) else [])
        if isinstance(item, dict) and isinstance(item.get("url"), str)
    ]
    default = [item["url"] for item in usable if item.get("default") is True]
    further = [
        item["url"]
        for item in usable
        if item.get("default") is not True and item.get("explicit") is not True
    ]
    return UvConfiguration(
        index_url=next(iter((*default, *_texts(table.get("index-url")))), None),
        extra_index_urls=(*further, *_texts(table.get("extra-index-url"))),
        find_links=tuple(_anchored(item, path) for item in _texts(table.get("find-links"))),
        no_index=table.get("no-index") is True,
        strategy=next(iter(_texts(table.get("index-strategy"))), None),
    )


def _under(high: UvConfiguration, low: UvConfiguration) -> UvConfiguration:
    return UvConfiguration(
        index_url=high.index_url or low.index_url,
        extra_index_urls=tuple(dict.fromkeys((*high.extra_index_urls, *low.extra_index_urls))),
        find_links=tuple(dict.fromkeys((*high.find_links, *low.find_links))),
        no_index=high.no_index or low.no_index,
        strategy=high.strategy or low.strategy,
    )


def _anchored(address: str, file: Path) -> str:
    return address if "://" in address else str(file.parent / Path(address).expanduser())


def _texts(value: Any) -> tuple[str, ...]:
    items = value if isinstance(value, list) else [value]
    return tuple(item for item in items if isinstance(item, str) and item)
