"""``freeze data record``."""

from __future__ import annotations

from freezer.cli.data.options import EnvOption, Names
from freezer.cli.options import Json
from freezer.cli.session import current


def record(names: Names = None, env: EnvOption = None, json: Json = False) -> None:
    """Record the state of data sets, so that `freeze data diff` can list what changes later."""
    from freezer.flows.data.status import record as write
    from freezer.output.data.status import recorded_document, show_recorded

    made = write(current.project(), env, tuple(names or ()))
    if json:
        current.emit(recorded_document(made))
    else:
        show_recorded(made, current.stdout)
