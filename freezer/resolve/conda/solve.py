"""Solving a conda environment with rattler: indexes fetched, one question asked, records locked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from freezer.errors import FetchError, ResolveError
from freezer.fetch.redact import redact
from freezer.fetch.repodata import Repodata, fetch_repodata, forget_repodata
from freezer.resolve.conda.answer import packages_of, undated_warning
from freezer.resolve.conda.child import ask
from freezer.resolve.conda.interface import CondaResolution
from freezer.resolve.conda.problem import explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freezer.fetch.config import Config
    from freezer.fetch.store import Store
    from freezer.model.events import Reporter
    from freezer.model.lock import CondaPackage
    from freezer.resolve.conda.interface import CondaAsked, CondaChannel, CondaRequest

_NO_TIME = "has no timestamp"


def solve(
    request: CondaRequest, *, config: Config, store: Store, report: Reporter
) -> CondaResolution:
    """Return the packages that answer a request, by strict channel priority.

    Channels are as `freezer.fetch.channels.read_channels` gives them, configuration included.
    Raises ``ResolveError`` saying why there is no answer, ``FetchError`` when a channel is out of
    reach.
    """
    del config  # the channels carry their addresses already
    indexes = fetch_indexes(request.channels, request.subdir, store=store, report=report)
    with report.task(f"Solving the conda environment for {request.subdir}"):
        answer = _answer(request, indexes, store)
    if "records" not in answer:
        raise explain(answer, request)
    packages = packages_of(answer["records"], request)
    return CondaResolution(packages, tuple(undated_warning(packages)))


def fetch_indexes(
    channels: Sequence[CondaChannel], subdir: str, *, store: Store, report: Reporter
) -> list[Repodata]:
    """Return the indexes of channels, those of higher priority first.

    Raises ``FetchError`` naming the channel that is out of reach or has nothing for the platform.
    """
    wanted = [(channel, part) for channel in channels for part in (subdir, "noarch")]
    title = f"Reading {len(channels)} conda channel{'s' if len(channels) != 1 else ''}"
    with report.task(title, total=len(wanted), unit="indexes") as task:

        def one(item: tuple[CondaChannel, str]) -> Repodata | None:
            channel, part = item
            try:
                return fetch_repodata(channel, part, store=store, report=report)
            except FetchError as error:
                raise _out_of_reach(channel, error) from error
            finally:
                task.advance()

        with ThreadPoolExecutor(max_workers=4) as pool:
            found = list(pool.map(one, wanted))
    for channel in channels:
        if not any(index and index.channel == channel.name for index in found):
            raise _no_channel(channel, subdir)
    return [index for index in found if index is not None]


def _answer(request: CondaRequest, indexes: Sequence[Repodata], store: Store) -> dict[str, Any]:
    """Ask; and where nothing of known age will do, ask again with packages of unknown age."""
    question = _question(request, indexes)
    answer = _asked(question, indexes, store)
    if _NO_TIME in answer.get("unsolved", ""):
        return _asked({**question, "undated": True}, indexes, store)
    return answer


def _asked(question: dict[str, Any], indexes: Sequence[Repodata], store: Store) -> dict[str, Any]:
    answer = ask(question)
    if "unreadable" in answer:
        broken = indexes[answer["unreadable"]]
        forget_repodata(broken, store)
        raise FetchError(
            f"the index of the conda channel {broken.channel} cannot be read",
            found=f"{redact(broken.url)}: {answer['text']}",
            hint="run the command again, which fetches it anew; if it stays so, tell the channel's "
            "owners",
        )
    if "failure" in answer:
        raise ResolveError(
            "the conda solver could not work on this",
            found=redact(answer["failure"]),
            hint="check the match specs in the file; `--verbose` shows them",
        )
    return answer


def _question(request: CondaRequest, indexes: Sequence[Repodata]) -> dict[str, Any]:
    """Return a request as the worker reads it; no address is in it."""
    return {
        "indexes": [
            {"channel": index.channel, "subdir": index.subdir, "path": str(index.path)}
            for index in indexes
        ],
        "specs": [_spec(asked) for asked in request.specs],
        "constraints": list(request.constraints),
        "keep": [_kept(package) for package in request.keep.values()],
        "virtual": [_virtual(*item) for item in sorted(request.virtual_packages.items())],
        "as_of": request.as_of,
        "undated": False,
    }


def _spec(asked: CondaAsked) -> dict[str, str | None]:
    text = asked.text if asked.channel is None else f"{asked.channel}::{asked.text}"
    return {"text": text, "bare": asked.text, "channel": asked.channel}


def _kept(package: CondaPackage) -> dict[str, Any]:
    return package.model_dump(
        mode="json", by_alias=False, exclude={"source", "url", "commit", "subdirectory", "reason"}
    )


def _virtual(name: str, version: str) -> tuple[str, str, str]:
    """Return name, version and build; the CPU family of ``__archspec`` is its build."""
    return (name, "1", version) if name == "__archspec" else (name, version, "0")


def _out_of_reach(channel: CondaChannel, error: FetchError) -> FetchError:
    return FetchError(
        f"the conda channel {channel.name} cannot be read",
        found=error.what if error.found is None else f"{error.what}: {error.found}",
        hint=error.hint
        or f"say where it is: `sources: {{conda: {{{channel.name}: [ADDRESS]}}}}` in the "
        "configuration",
    )


def _no_channel(channel: CondaChannel, subdir: str) -> FetchError:
    return FetchError(
        f"there is no conda channel {channel.name} with packages for {subdir}",
        details=[f"asked: {redact(url)}" for url in channel.urls],
        hint="check its spelling; a channel of your own is configured with "
        f"`sources: {{conda: {{{channel.name}: [ADDRESS]}}}}`",
    )
