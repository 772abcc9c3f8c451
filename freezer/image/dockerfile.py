"""The Dockerfile of an image, rendered from ``templates/``; it contains every build step."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from freezer.image.clock import EARLIEST
from freezer.image.layout import COMMAND, HOME, STEPS_FOLDER, UID, USER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import jinja2

    from freezer.model.lock import Lock, Steps

_PACKAGE = Path(__file__).parent.parent


@dataclass(frozen=True)
class AddedLayer:
    """A layer tar of the context: its path there, and a short title."""

    file: str
    title: str


def render_dockerfile(
    lock: Lock,
    lock_id: str,
    *,
    base_reference: str | None,
    base_layer: str | None = None,
    layers: Sequence[AddedLayer] = (),
    above: Sequence[AddedLayer] = (),
    labels: Mapping[str, str],
) -> str:
    """Return the Dockerfile of a lock.

    ``base_reference`` follows ``FROM``; when it is None the root is ``base_layer``, a tar in the
    context. ``above`` are the layers above the lock's own steps, if any.
    """
    return render(
        "Dockerfile.j2",
        name=lock.name,
        lock_id=lock_id,
        base_reference=base_reference,
        base_layer=base_layer,
        base_comment=_base_comment(lock),
        debian_count=len(lock.debian),
        layers=layers,
        above=above,
        below="environment",
        **_steps(lock),
        environment=sorted(lock.environment.items()),
        labels=sorted(labels.items()),
        user=f"{UID}:{UID}",
        working_dir=HOME,
        command=json.dumps(list(COMMAND)),
    )


def render_install_script(lock: Lock, moment: int) -> str:
    """Return the script that the system step runs inside the base.

    ``moment`` is the time that programs in it use as the current one (seconds since 1970).
    """
    return render(
        "system/install.sh.j2",
        epoch=moment,
        debian=sorted(deb_name(package.file) for package in lock.debian),
        user=USER,
        uid=UID,
        home=HOME,
    )


def render_steps_dockerfile(lock: Lock, below: str) -> str:
    """Return the Dockerfile of a lock's own steps alone, on an image of that name."""
    environment = sorted(lock.environment.items())
    return render("dockerfile/steps.j2", below=below, environment=environment, **_steps(lock))


def render_steps_script(steps: Steps) -> str:
    """Return the script that runs the user's own steps inside the finished environment."""
    return render("system/steps.sh.j2", folder=STEPS_FOLDER, epoch=EARLIEST, steps=steps.run)


def _steps(lock: Lock) -> dict[str, object]:
    commands = lock.steps.run if lock.steps else ()
    told = [line for command in commands for line in command.splitlines()]
    return {"told": told, "steps_folder": STEPS_FOLDER}


def deb_name(file: str) -> str:
    """Return the file name of a package's path in its archive."""
    return file.rsplit("/", 1)[-1]


def _base_comment(lock: Lock) -> str:
    if lock.base.kind == "registry":
        return f"{lock.base.reference}, config {lock.base.config}"
    return f"Debian {lock.base.suite}, made from {len(lock.base.packages)} packages"


def _quoted(value: str) -> str:
    """Quote for ENV and LABEL: no variable is expanded, no line is continued."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    if "\n" in escaped or "\r" in escaped:
        msg = "a value with a line break cannot stand in a Dockerfile"
        raise ValueError(msg)
    return f'"{escaped}"'


@cache
def _environment() -> jinja2.Environment:
    import jinja2  # late: most builds render nothing

    installed, checkout = _PACKAGE / "_templates", _PACKAGE.parent / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(installed if installed.is_dir() else checkout),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - Dockerfiles, not HTML; values pass through `quoted`
        trim_blocks=False,
        keep_trailing_newline=True,
    )
    environment.filters["quoted"] = _quoted
    environment.filters["shell"] = shlex.quote
    environment.filters["text"] = lambda value: json.dumps(value, ensure_ascii=False)
    return environment


def render(template: str, **values: object) -> str:
    """Render a template of ``templates/``; a missing value is an error."""
    return _environment().get_template(template).render(**values)
