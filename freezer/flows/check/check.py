"""``freeze check``: say whether the environment still trains to the same numbers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from freezer.errors import BusyError, CheckError, HistoryError, HostError
from freezer.flows.check.run_training import require_host, train
from freezer.flows.image.build import verified_image
from freezer.flows.project.environment import load_locked
from freezer.flows.support.preload import meanwhile

if TYPE_CHECKING:
    from collections.abc import Callable

    from freezer.engine.interface import ImageInfo
    from freezer.flows.check.verdict import CheckResult
    from freezer.flows.project.environment import Locked
    from freezer.flows.project.project import Project

_LATER: Final = ("freezer.flows.check.verdict", "freezer.flows.check.record", "filelock")
"""What is needed once the training is over, and takes time to load; it is loaded meanwhile."""


def check(
    project: Project,
    name: str | None,
    *,
    record: bool = False,
    ahead: Callable[[], object] = lambda: None,
) -> CheckResult:
    """Check an environment's current lock, as `check_locked` does, and record it in the history.

    A history that cannot be written, or was edited, or forks, is warned of: the verdict stands
    without it. ``ahead`` is called while the training runs: it may load what the answer needs.
    Raises as `check_locked` does, and ``LockError`` where there is no lock.
    """
    locked = load_locked(project.root, name)
    result = check_locked(project, locked, record=record, ahead=lambda: _load(ahead))
    from freezer.flows.check.record import record_check

    try:
        record_check(project, result.locked, result.record, result.verdict.word)
    except (HistoryError, HostError, BusyError) as error:
        project.report.warn(f"the check is not in the history: {error}")
    return result


def _load(further: Callable[[], object]) -> None:
    for name in _LATER:
        import_module(name)
    further()


def check_locked(
    project: Project,
    locked: Locked,
    *,
    record: bool = False,
    keep: bool = True,
    image: ImageInfo | None = None,
    ahead: Callable[[], object] = lambda: None,
) -> CheckResult:
    """Run a lock's smoke trainings in its image and compare them with its reference.

    The image is the verified one that the engine holds, unless one is given.

    Without a reference for this host's numerics class they are run twice, and recorded only if
    both runs are identical to the bit; ``record`` does so even where there is a reference, and
    without ``keep`` nothing is recorded. After a drift they are run again, to tell chance from
    change. What fails is not run again. Raises ``HostError`` where the driver is too old for the
    lock's CUDA, ``CheckError`` when the image is not built or the trainings cannot be run.
    """
    require_host(project, locked.lock)
    image = image or verified_image(project, locked)
    if image is None:
        raise CheckError(
            f"the engine holds no verified image of lock {locked.id[:12]}",
            hint=f"run `freeze build {locked.lock.name}`",
        )
    with meanwhile(ahead):
        first = train(project, locked.lock, locked.id, image.id, "Training")
    from freezer.flows.check.verdict import judge

    return judge(project, locked, image.id, first, record=record, keep=keep)
