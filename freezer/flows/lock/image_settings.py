"""Parts of a lock that need no index: image settings and the smoke plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freezer.errors import SpecError
from freezer.flows.project.environment import place
from freezer.flows.project.user_files import user_files
from freezer.frameworks import framework, frameworks
from freezer.image.layout import BASE_PATH, ENVIRONMENT, HOME, USER
from freezer.inside.freezer_inside.determinism import settings
from freezer.model.canonical import digest
from freezer.model.lock import SmokeFile, SmokePlan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freezer.flows.project.environment import Environment
    from freezer.model.events import Reporter
    from freezer.model.spec.spec import Spec

_RESERVED = frozenset({"HOME", "USER", "LOGNAME", "PATH", "VIRTUAL_ENV", "CONDA_PREFIX"})


def image_environment(spec: Spec, base: Mapping[str, str]) -> dict[str, str]:
    """Return the image's environment variables.

    Later ones win: the base's own, Freezer's, the spec's. ``PATH`` has the environment's programs
    before the base's; ``PATH`` of a spec is ignored, because scripts find their Python by it.
    """
    threads = spec.determinism.threads or spec.smoke.cpus
    kind = {"CONDA_PREFIX": ENVIRONMENT} if spec.conda else {"VIRTUAL_ENV": ENVIRONMENT}
    return {
        **base,
        "LANG": "C.UTF-8",
        **settings(spec.determinism.seed, threads, spec.determinism.numerics),
        **spec.env,
        "HOME": HOME,
        "USER": USER,
        "LOGNAME": USER,
        **kind,
        "PATH": f"{ENVIRONMENT}/bin:{base.get('PATH', BASE_PATH)}",
    }


def require_free_names(environment: Environment) -> None:
    """Raise ``SpecError`` for variables that Freezer sets."""
    for name in sorted(_RESERVED.intersection(environment.spec.env)):
        raise SpecError(
            f"the variable {name} is set by Freezer, because the image depends on it",
            where=place(environment, "env", name),
            hint=f"remove {name} from 'env'",
        )


def smoke_plan(
    environment: Environment, locked: Iterable[str], report: Reporter
) -> tuple[SmokePlan, dict[str, bytes]]:
    """Return the trainings of ``freeze check``, and the files of the user's training by path.

    ``locked`` are the names of the locked Python packages. Raises ``SpecError`` for a training
    whose package is not among them.
    """
    smoke, determinism = environment.spec.smoke, environment.spec.determinism
    files = user_files(environment, smoke.files, "smoke.files")
    plan = SmokePlan(
        trainings=_trainings(environment, frozenset(locked)),
        command=smoke.command,
        files=tuple(_smoke_file(path, data) for path, data in sorted(files.items())),
        seed=determinism.seed,
        cpus=smoke.cpus,
        memory=smoke.memory,
        timeout=smoke.timeout,
    )
    if not plan.trainings and not plan.command:
        report.warn(
            "nothing in this environment has a built-in training, so `freeze check` will have "
            "nothing to compare; name your own under 'smoke: {command: [...]}'"
        )
    return plan, files


def _trainings(environment: Environment, locked: frozenset[str]) -> tuple[str, ...]:
    """Return the trainings that the spec names, or those whose package is locked.

    The user's own training runs alone unless built-in ones are named as well.
    """
    smoke = environment.spec.smoke
    if smoke.training is None:
        offered = (name for name, item in frameworks().items() if locked & {*item.packages})
        return () if smoke.command else tuple(sorted(offered))
    for name in smoke.training:
        packages = framework(name).packages
        if not locked & {*packages}:
            raise SpecError(
                f"the training {name!r} needs {packages[0]}, which is not locked",
                where=place(environment, "smoke", "training"),
                hint=f"add {packages[0]} to 'pip', or name another training",
            )
    return tuple(sorted(set(smoke.training)))


def _smoke_file(path: str, data: bytes) -> SmokeFile:
    return SmokeFile(path=path, size=len(data), sha256=digest(data))
