"""Arguments that several commands about archives take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from freezer.cli.governance.options import KEYS_HELP

Archive = Annotated[
    str,
    typer.Argument(metavar="ARCHIVE", help="A folder, s3://BUCKET/PREFIX, or REGISTRY/REPOSITORY."),
]
PublicKeys = Annotated[
    list[Path] | None,
    typer.Option(
        "--key",
        metavar="FILE",
        help=f"Demand a signature. {KEYS_HELP}",
        show_default=False,
    ),
]
