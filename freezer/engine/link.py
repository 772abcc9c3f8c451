"""A connection to an engine; converts its failures to Freezer's errors."""

from __future__ import annotations

import errno
import http.client
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import docker.errors
import requests
import urllib3

from freezer.engine.watch import SILENCE
from freezer.errors import EngineError, FreezerError, HostError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freezer.engine.interface import EngineInfo
    from freezer.engine.watch import Watch

NO_SPACE = "no space left on device"

_BROKEN = (
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    ConnectionError,
    TimeoutError,
    docker.errors.StreamParseError,
    tarfile.TarError,
)
"""Exceptions of a connection that ends before the response does."""


@dataclass(frozen=True)
class Link:
    """A connected engine with its properties."""

    api: Any
    """A ``docker.APIClient``."""
    info: EngineInfo
    watch: Watch | None = field(default=None, compare=False)
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    """Diff IDs of images looked up before, by the engine's own ID."""

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Convert every failure of the block to an error that names the operation ``what``.

        Raises ``HostError`` when a disk is full, ``EngineError`` for everything else, also when the
        engine stops responding.
        """
        if self.watch is None:
            with self._translated(what):
                yield
            return
        with self.watch.over() as request:
            try:
                with self._translated(what):
                    yield
            except FreezerError as error:
                if request.silent:
                    raise self._silent(what) from error
                raise
            if request.silent:  # a truncated response can look like a complete one
                raise self._silent(what)

    def _silent(self, what: str) -> EngineError:
        return EngineError(
            f"the engine at {self.info.address} stopped responding while {what}",
            found=f"no response for {SILENCE:.0f} seconds",
            hint="check whether it is stopped or overloaded (`freeze doctor`), restart it, then "
            "repeat the command: finished work is kept",
        )

    @contextmanager
    def _translated(self, what: str) -> Iterator[None]:
        try:
            yield
        except FreezerError:
            raise
        except docker.errors.APIError as error:
            raise self.refused(what, error.explanation or str(error)) from error
        except _BROKEN as error:
            raise _lost(what, self.info.address, error) from error
        except docker.errors.DockerException as error:
            raise self.refused(what, str(error)) from error
        except OSError as error:
            raise host_error(what, error) from error
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise self._strange(what, error) from error

    def _strange(self, what: str, error: Exception) -> EngineError:
        """Return the error for a response of an unknown form."""
        return EngineError(
            f"the engine at {self.info.address} answered in an unknown form while {what}",
            found=f"{type(error).__name__}: {error}",
            hint="check that the address is an engine's and not a proxy's (`freeze doctor`); if it "
            "is, report this with the engine's version",
        )

    def refused(self, what: str, reason: object) -> FreezerError:
        """Return the error for a request that the engine rejected."""
        text = str(reason).strip()
        if NO_SPACE in text.lower():
            return full_disk(what, self.info.root or "the engine's data root", found=text)
        return EngineError(
            f"the engine refused while {what}",
            found=text,
            hint="`freeze doctor` displays the engine's state",
        )


def full_disk(what: str, place: str, *, found: str | None = None) -> HostError:
    """Return the error for a disk that filled up during the operation ``what``."""
    return HostError(
        f"no space left on the disk while {what}",
        found=found,
        hint=f"free space below {place} (`docker system df` lists what the engine keeps, "
        "`docker image prune` removes images without a tag), then repeat the command",
    )


def host_error(what: str, error: OSError) -> HostError:
    """Return the error for a file of this host that could not be read or written."""
    place = str(error.filename) if error.filename else "the temporary folder"
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return full_disk(what, place)
    return HostError(
        f"a file could not be read or written while {what}",
        found=f"{place}: {error.strerror or error}",
        hint="check that the file exists and that you may use it, then repeat the command",
    )


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and, depth first, those wrapped by cause, context or argument."""
    pending, seen = [error], set[int]()
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        inner = [current.__cause__, current.__context__, *current.args]
        pending.extend(item for item in inner if isinstance(item, BaseException))


def _lost(what: str, address: str, error: BaseException) -> EngineError:
    if any(isinstance(cause, TimeoutError | requests.Timeout) for cause in causes(error)):
        return EngineError(
            f"the engine at {address} did not answer in time while {what}",
            hint="see whether it is overloaded (`freeze doctor`), then repeat the command",
        )
    return EngineError(
        f"the engine at {address} went away while {what}",
        found=str(error) or type(error).__name__,
        hint="start it again (`freeze doctor` shows its state), then repeat the command: what was "
        "finished is kept",
    )
