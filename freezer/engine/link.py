"""A connection to an engine; converts its failures to Freezer's errors."""

from __future__ import annotations

import errno
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freezer.errors import EngineError, FreezerError, HostError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from typing import Protocol

    from freezer.engine.direct import DirectSocket
    from freezer.engine.interface import EngineInfo
    from freezer.engine.watch import Request

    class Watching(Protocol):
        """Watches requests: `freezer.engine.watch.Watch`, or one that is made later."""

        def over(self) -> AbstractContextManager[Request]:
            """Watch a block of requests."""


NO_SPACE = "no space left on device"


@dataclass(frozen=True)
class Link:
    """A connected engine with its properties."""

    api: Any
    """A ``docker.APIClient``."""
    info: EngineInfo
    watch: Watching | None = field(default=None, compare=False)
    chains: dict[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    """Diff IDs of images looked up before, by the engine's own ID."""
    direct: DirectSocket | None = field(default=None, compare=False)
    """The engine's own socket, for plain questions; None where only the SDK gets through."""

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
        from freezer.engine.watch import SILENCE

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
        except Exception as error:
            found = self._error(what, error)
            if found is None:
                raise
            raise found from error

    def _error(self, what: str, error: Exception) -> FreezerError | None:
        """Return the error for a failure; None for one that is a fault of the program."""
        import docker.errors  # here, as most commands meet no failure

        if isinstance(error, docker.errors.APIError):
            return self.refused(what, error.explanation or str(error))
        if isinstance(error, _broken()):
            return _lost(what, self.info.address, error)
        if isinstance(error, docker.errors.DockerException):
            return self.refused(what, str(error))
        if isinstance(error, OSError):
            return host_error(what, error)
        if isinstance(error, LookupError | TypeError | AttributeError | ValueError):
            return self._strange(what, error)
        return None

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


def _broken() -> tuple[type[Exception], ...]:
    """Return the exceptions of a connection that ends before the response does."""
    import http.client
    import tarfile

    import docker.errors
    import requests
    import urllib3

    return (
        requests.RequestException,
        urllib3.exceptions.HTTPError,
        http.client.HTTPException,
        ConnectionError,
        TimeoutError,
        docker.errors.StreamParseError,
        tarfile.TarError,
    )


def _is_timeout(error: BaseException) -> bool:
    import requests

    return isinstance(error, TimeoutError | requests.Timeout)


def _lost(what: str, address: str, error: BaseException) -> EngineError:
    if any(_is_timeout(cause) for cause in causes(error)):
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
