"""Indexes of conda channels, and queries on them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from freezer.errors import FetchError, ResolveError
from freezer.fetch.conda.repodata import Repodata, fetch_repodata, forget_repodata
from freezer.fetch.http.redact import redact
from freezer.resolve.conda.solver.process import run_worker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freezer.fetch.conda.channels import CondaChannel
    from freezer.fetch.store.store import Store
    from freezer.model.events import Reporter


def fetch_indexes(
    channels: Sequence[CondaChannel], subdir: str, *, store: Store, report: Reporter
) -> list[Repodata]:
    """Fetch the indexes of channels; those of higher priority come first.

    Raises ``FetchError`` with the channel that cannot be reached or has nothing for the platform.
    """
    pairs = [(channel, part) for channel in channels for part in (subdir, "noarch")]
    title = f"Reading {len(channels)} conda channel{'s' if len(channels) != 1 else ''}"
    with report.task(title, total=len(pairs), unit="indexes") as task:

        def one(item: tuple[CondaChannel, str]) -> Repodata | None:
            channel, part = item
            try:
                return fetch_repodata(channel, part, store=store, report=report)
            except FetchError as error:
                raise _out_of_reach(channel, error) from error
            finally:
                task.advance()

        with ThreadPoolExecutor(max_workers=4) as pool:
            found = list(pool.map(one, pairs))
    for channel in channels:
        if not any(index and index.channel == channel.name for index in found):
            raise _no_channel(channel, subdir)
    return [index for index in found if index is not None]


def ask_indexes(
    question: Mapping[str, Any], indexes: Sequence[Repodata], store: Store
) -> dict[str, Any]:
    """Run a query on indexes in the worker; it sees no address.

    Raises ``FetchError`` for an index that cannot be parsed, ``ResolveError`` when it fails.
    """
    files = [
        {"channel": index.channel, "subdir": index.subdir, "path": str(index.path)}
        for index in indexes
    ]
    answer = run_worker({**question, "indexes": files})
    if "unreadable" in answer:
        broken = indexes[answer["unreadable"]]
        forget_repodata(broken, store)
        raise FetchError(
            f"the index of the conda channel {broken.channel} cannot be read",
            found=f"{redact(broken.url)}: {answer['text']}",
            hint="repeat the command, which fetches it again; if it persists, report it to the "
            "channel's owners",
        )
    if "failure" in answer:
        raise ResolveError(
            "the conda solver rejected the request",
            found=redact(answer["failure"]),
            hint="look for a malformed match spec or declared virtual package",
        )
    return answer


def _out_of_reach(channel: CondaChannel, error: FetchError) -> FetchError:
    return FetchError(
        f"the conda channel {channel.name} cannot be read",
        found=error.what if error.found is None else f"{error.what}: {error.found}",
        hint=error.hint
        or f"configure its address: `sources: {{conda: {{{channel.name}: [ADDRESS]}}}}` in the "
        "configuration",
    )


def _no_channel(channel: CondaChannel, subdir: str) -> FetchError:
    return FetchError(
        f"there is no conda channel {channel.name} with packages for {subdir}",
        details=[f"tried: {redact(url)}" for url in channel.urls],
        hint="check its spelling; a channel of your own is configured with "
        f"`sources: {{conda: {{{channel.name}: [ADDRESS]}}}}`",
    )
