"""A workflow as a file, rendered from ``templates/ci``, and what ``freeze ci`` prints of it."""

from __future__ import annotations

import difflib
import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from freezer.flows.ci.workflow import options_line
from freezer.output.pages import page_asset, render_page
from freezer.output.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console

    from freezer.flows.ci.workflow import Workflow

Step = tuple[str, str]
"""A step's name, and its command."""
_PLAIN: Final = re.compile(r"""[A-Za-z][\w ./"'$,=+|&<>()~-]*""")
"""Commands that YAML reads as they are, without quotes."""
_MOST: Final = 40
"""Lines of a difference that are printed."""
_COMPARE: Final = """\
mkdir -p freezer-report
LOCK="lockfiles/$ENVIRONMENT/freeze.lock.yaml"
REPORT="freezer-report/$ENVIRONMENT.1-diff.md"
if [ -z "$BASE_COMMIT" ]; then
  echo "no change request: nothing to compare with"
elif git cat-file -e "$BASE_COMMIT:./$LOCK" 2>/dev/null; then
  git show "$BASE_COMMIT:./$LOCK" > freezer-report/base.lock.yaml
  freeze diff freezer-report/base.lock.yaml "$LOCK" --markdown > "$REPORT"
else
  echo "## $ENVIRONMENT: a new lock" > "$REPORT"
fi
"""
"""What changed since the commit that a change goes into; ``BASE_COMMIT`` is empty without one."""
_CHECK: Final = (
    'freeze check "$ENVIRONMENT" --report "freezer-report/$ENVIRONMENT.2-check.md" '
    '--junit "freezer-report/$ENVIRONMENT.check.xml"'
)
_CHECK_ALL: Final = (
    "mkdir -p freezer-report && "
    'freeze check "$ENVIRONMENT" --all | tee "freezer-report/$ENVIRONMENT.2-past.txt"'
)


def render_workflow(plan: Workflow) -> str:
    """Return the workflow's file; the same project, options and pins give the same bytes."""
    options = plan.options
    install = f"python -m pip install {shlex.join(shlex.split(options.install))}"
    return render_page(
        f"ci/{plan.system}.yml.j2",
        options=options_line(options),
        file=f"{plan.folder}/{plan.file}" if plan.folder else plan.file,
        pin=_pinner(plan),
        lines=_lines,
        install=_scalar(install),
        branch=options.branch,
        schedule=options.schedule,
        environments=list(plan.environments),
        folder=plan.folder,
        prefix=f"{plan.folder}/" if plan.folder else "",
        needs_files=plan.needs_files,
        secret=options.secret,
        compare=_COMPARE.rstrip("\n"),
        before=[("", command) for command in _before(plan, install)],
        verify=_scalars(_verify(plan)),
        past=_scalars(_past(plan)),
        runs=_scalars(_runs(plan)),
        cluster=_cluster(plan),
        scalar=_scalar,
        cancel=_scalar(_cancel(plan)),
        runner=options.runner.split(","),
        nightly=options.nightly,
        own_python=_own_python(install),
    )


def _verify(plan: Workflow) -> list[Step]:
    steps = [
        ("The history was not edited", 'freeze log "$ENVIRONMENT" --verify'),
        ("The lock satisfies the spec", 'freeze lock --check "$ENVIRONMENT"'),
        ("Restore every file of the lock", 'freeze fetch "$ENVIRONMENT"'),
        ("Build, again from nothing, and compare", 'freeze build "$ENVIRONMENT" --verify'),
        ("Check the results", _CHECK),
    ]
    compare = f"freeze ci {plan.system} --check -o {shlex.quote(plan.file)}"
    return [*steps, *_policy(plan), ("Compare this workflow with what Freezer writes", compare)]


def _past(plan: Workflow) -> list[Step]:
    return [
        ("The history was not edited", 'freeze log "$ENVIRONMENT" --verify'),
        ("Check every generation", _CHECK_ALL),
        *_policy(plan),
    ]


def _policy(plan: Workflow) -> list[Step]:
    if not plan.has_policy:
        return []
    command = 'freeze policy check "$ENVIRONMENT" | tee "freezer-report/$ENVIRONMENT.3-policy.txt"'
    return [("Policy", command)]


def _runs(plan: Workflow) -> list[Step]:
    options = plan.options
    if options.runs is None and options.secret is None:
        return []
    taken = []
    if options.runs is not None:
        taken = [("Take over the runs", f"freeze runs import {shlex.quote(options.runs)}")]
    verify = (
        f'mkdir -p freezer-report && freeze runs verify --sample {options.sample} '
        '--seed "$SAMPLE_SEED" | tee freezer-report/runs.txt'
    )  # fmt: skip
    return [*taken, (f"Make {options.sample} runs again", verify)]


def _cluster(plan: Workflow) -> list[Step]:
    """Return the steps on a login node. They name the fleet: the latest may be an older one."""
    if plan.options.cluster is None:
        return []
    names = shlex.join(plan.environments)
    built = f'for ENVIRONMENT in {names}; do freeze build "$ENVIRONMENT" || exit; done'
    submit = f"freeze check {names} --on {shlex.quote(plan.options.cluster)} --no-wait"
    fleet = '"$(cat freezer-report/cluster.id)"'
    files = "--junit freezer-report/cluster.xml --prometheus freezer-report/cluster.prom"
    report = f"freeze fleet report {fleet} --html freezer-report/cluster.html {files}"
    return [
        ("Build what is checked", built),
        (
            "Submit a job for each node",
            f"mkdir -p freezer-report && {submit} > freezer-report/cluster.id",
        ),
        ("Wait for the verdicts", f"freeze fleet status {fleet} --wait"),
        ("Fail unless every node is good", f"{report} | tee freezer-report/cluster.txt"),
    ]


def _cancel(plan: Workflow) -> str:
    """Return what GitLab runs after a job, in another shell: it ends jobs of a cancelled one."""
    folder = f"cd {shlex.quote(plan.folder)} && " if plan.folder else ""
    cancel = '.freezer/python/bin/freeze fleet cancel "$(cat freezer-report/cluster.id)"'
    return f'[ "$CI_JOB_STATUS" != canceled ] || ( {folder}{cancel} )'


def _own_python(install: str) -> list[str]:
    """Return commands that install into an environment of the job: a login node is shared."""
    return [
        'mkdir -p .freezer && echo "*" > .freezer/.gitignore',
        "python3 -m venv --clear .freezer/python",
        install.replace("python", ".freezer/python/bin/python", 1),
    ]


def _before(plan: Workflow, install: str) -> list[str]:
    """Return what GitLab's jobs begin with; GitHub has actions for it."""
    apt = "apt-get -qq update && apt-get -qq install -y --no-install-recommends git"
    return [
        f"command -v git >/dev/null || ( {apt} )",
        'git config --global --add safe.directory "$CI_PROJECT_DIR"',
        'mkdir -p "$CI_PROJECT_DIR/.freezer"',
        "echo '*' > \"$CI_PROJECT_DIR/.freezer/.gitignore\"",
        *([f"cd {shlex.quote(plan.folder)}"] if plan.folder else []),
        install,
    ]


def _pinner(plan: Workflow) -> Any:
    own = json.loads(page_asset("ci/pins.json"))

    def pin(name: str) -> str:
        digest, version = plan.pins.get(name, own[name])
        return f"{name}@{digest}" + (f" # {version}" if version else "")

    return pin


def _scalars(steps: Iterable[Step]) -> list[Step]:
    return [(name, _scalar(command)) for name, command in steps]


def _scalar(text: str) -> str:
    """Return a command as a YAML scalar of one line."""
    plain = _PLAIN.fullmatch(text) and " #" not in text and not text.endswith(" ")
    return text if plain else json.dumps(text, ensure_ascii=False)


def _lines(steps: Iterable[Step]) -> str:
    """Return commands as the items of a script."""
    return "\n".join(f"    - {_scalar(command)}" for _, command in steps)


def differences(plan: Workflow, text: str) -> list[str]:
    """Return how the file that is there differs from what Freezer writes; empty when it does not.

    A file that pins an action by a tag differs as well: the written one has a commit.
    """
    if plan.before is None:
        return [f"there is no {plan.file}"]
    if plan.before == text:
        return []
    lines = difflib.unified_diff(
        plan.before.splitlines(), text.splitlines(), "committed", "written anew", lineterm="", n=1
    )
    return [f"{name} is not pinned by a full commit or digest" for name in plan.unpinned] + list(
        lines
    )


def show_checked(plan: Workflow, found: list[str], console: Console) -> None:
    """Print whether the committed workflow is what Freezer writes."""
    for one in found[:_MOST]:
        console.print(f"  {printable(one)}", markup=False, highlight=False, soft_wrap=True)
    if len(found) > _MOST:
        console.print(f"  and {len(found) - _MOST} more lines", highlight=False)
    word = f"out of date; run `freeze ci {plan.system} -o {plan.file}`" if found else "up to date"
    console.print(f"{plan.file}: {word}", markup=False, highlight=False, soft_wrap=True)


def show_written(plan: Workflow, path: Path, console: Console) -> None:
    """Print where the workflow is, and what has to be known of it."""
    named = ", ".join(plan.environments)
    console.print(f"{path}: workflow for {named}", markup=False, highlight=False, soft_wrap=True)
    if not _runs(plan):
        console.print(
            "  makes no runs again: name them by --runs FILE or --ledger-secret NAME",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    if plan.options.cluster is not None:
        console.print(
            f"  checks {plan.options.cluster} each night on a runner of yours with the label "
            f"{plan.options.runner}, on a login node",
            markup=False, highlight=False, soft_wrap=True,
        )  # fmt: skip
    if not plan.has_policy:
        console.print("  checks no policy: there is no policy.yaml", highlight=False)


def document(plan: Workflow, path: Path | None, found: list[str] | None) -> dict[str, Any]:
    """Return the facts for ``--json``; ``found`` are the differences where that was asked."""
    return {
        "system": plan.system,
        "file": str(path) if path is not None else plan.file,
        "environments": list(plan.environments),
        "current": None if found is None else not found,
        "differences": found or [],
    }
