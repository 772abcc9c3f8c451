"""``freeze archive list``."""

from __future__ import annotations

from freezer.cli.archive.options import Archive
from freezer.cli.options import Json
from freezer.cli.session import current


def list(archive: Archive, json: Json = False) -> None:  # noqa: A001 - the command's name
    """List the environments of an archive and their versions."""
    from freezer.fetch.archive_storage.location import open_storage
    from freezer.flows.governance.archive.versions import list_archive
    from freezer.output.governance.archive import listed_document, show_listed

    found = list_archive(open_storage(archive, current.project().config))
    if json:
        current.emit(listed_document(found))
    else:
        show_listed(found, current.stdout)
