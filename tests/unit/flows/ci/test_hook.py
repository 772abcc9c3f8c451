"""`freeze hook`: real commits, in real repositories, by git itself and by pre-commit."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[4]
BIN = Path(sys.executable).parent
pytestmark = pytest.mark.process


@dataclass
class Repository:
    """A repository with two environments, and a home that no other configuration reaches."""

    folder: Path
    home: Path

    def call(self, *command: str, cwd: Path | None = None) -> tuple[int, str]:
        kept = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ}
        variables = {
            **kept, "HOME": str(self.home), "PATH": f"{BIN}:{os.environ['PATH']}",
            "FREEZER_STORE": str(self.home / "store"), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
            "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org",
            "PRE_COMMIT_HOME": str(self.home / "pre-commit"), "PIP_NO_INDEX": "1",
        }  # fmt: skip
        done = subprocess.run(
            command, check=False, cwd=cwd or self.folder, env=variables, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
        )  # fmt: skip
        assert "Traceback" not in done.stdout
        return done.returncode, done.stdout

    def good(self, *command: str, cwd: Path | None = None) -> str:
        code, out = self.call(*command, cwd=cwd)
        assert code == 0, out
        return out

    def spec(self, name: str, **changes: object) -> None:
        path = self.folder / "images" / name / "freeze.yaml"
        path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changes}))

    def commit(self, *paths: str) -> tuple[int, str]:
        self.good("git", "add", *(paths or ["-A"]))
        return self.call("git", "commit", "-qm", "change")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    folder, home = tmp_path / "project", tmp_path / "home"
    home.mkdir()
    for part in ("images", "lockfiles"):
        for name in ("boosting", "jax-cpu"):
            shutil.copytree(ROOT / part / name, folder / part / name)
    made = Repository(folder, home)
    made.good("git", "init", "-q", "-b", "main")
    return made


def test_the_first_commit_and_later_ones(repository: Repository) -> None:
    assert "written" in repository.good("freeze", "hook", "install")
    assert "already" in repository.good("freeze", "hook", "install")
    assert repository.commit()[0] == 0
    repository.spec("boosting", pip=["numpy>=1,<2"])
    code, out = repository.commit()
    assert code == 1
    assert "boosting: lockfiles/boosting/freeze.lock.yaml: the lock no longer satisfies" in out
    assert "jax-cpu" not in out
    assert repository.good("git", "log", "--oneline").count("\n") == 1
    repository.good("git", "commit", "-qnm", "without the hook")
    # The stale environment holds up no commit that is not about it.
    (repository.folder / "README.md").write_text("words\n")
    assert repository.commit() == (0, "")


def test_the_policy_is_compared_where_there_is_one(repository: Repository) -> None:
    repository.good("freeze", "hook", "install")
    assert repository.commit()[0] == 0
    policy = repository.folder / "policy.yaml"
    policy.write_text("rules: {banned: ['pip:numpy']}\n")
    code, out = repository.commit()
    assert code == 1
    assert "boosting: policy: banned: pip:numpy" in out
    assert "jax-cpu: policy: banned: pip:numpy" in out
    policy.write_text("rules: {banned: ['pip:pickle5']}\n")
    assert repository.commit()[0] == 0
    policy.write_text("rules: {baned: []}\n")
    code, out = repository.commit()
    assert code == 1
    assert "policy.yaml:1" in out


def test_what_is_checked_is_what_is_committed(repository: Repository) -> None:
    repository.good("freeze", "hook", "install")
    assert repository.commit()[0] == 0
    lock = repository.folder / "lockfiles" / "boosting" / "freeze.lock.yaml"
    before = lock.read_bytes()
    repository.spec("boosting", why={"numpy": "arrays"})
    lock.write_bytes(before + b"\n")
    code, out = repository.commit("images")
    assert code == 1
    assert "lockfiles/boosting/freeze.lock.yaml has changes that are not staged" in out
    lock.write_bytes(before)
    (repository.folder / "images" / "jax-cpu" / "notes.txt").write_text("not staged: another one\n")
    code, out = repository.commit("images/boosting")
    assert "not staged" not in out


def test_another_hook_is_never_replaced_silently(repository: Repository) -> None:
    hook = repository.folder / ".git" / "hooks" / "pre-commit"
    hook.write_text("#!/bin/sh\nexit 0\n")
    code, out = repository.call("freeze", "hook", "install")
    assert code == 2
    assert "there is another pre-commit hook" in out
    assert "freeze hook run" in out
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"
    out = repository.good("freeze", "hook", "install", "--force")
    assert "pre-commit.before-freezer" in out
    assert hook.with_name("pre-commit.before-freezer").read_text() == "#!/bin/sh\nexit 0\n"
    assert os.access(hook, os.X_OK)
    hook.write_text("#!/bin/sh\nexit 1\n")
    code, out = repository.call("freeze", "hook", "install", "--force")
    assert code == 2
    assert "was kept before" in out


def test_a_project_below_the_top(repository: Repository, tmp_path: Path) -> None:
    top = tmp_path / "top"
    top.mkdir()
    outer = Repository(top, repository.home)
    outer.good("git", "init", "-q")
    shutil.copytree(repository.folder / "images", top / "a b" / "images")
    shutil.copytree(repository.folder / "lockfiles", top / "a b" / "lockfiles")
    outer.good("freeze", "hook", "install", cwd=top / "a b")
    assert outer.commit()[0] == 0
    Repository(top / "a b", repository.home).spec("jax-cpu", pip=["jax"])
    code, out = outer.commit()
    assert code == 1
    assert "jax-cpu: lockfiles/jax-cpu/freeze.lock.yaml" in out


def test_a_worktree_and_a_detached_head(repository: Repository, tmp_path: Path) -> None:
    repository.good("freeze", "hook", "install")
    assert repository.commit()[0] == 0
    other = Repository(tmp_path / "other", repository.home)
    repository.good("git", "worktree", "add", "-q", "--detach", str(other.folder))
    assert "already" in other.good("freeze", "hook", "install")
    other.spec("boosting", pip=["numpy"])
    assert other.commit()[0] == 1


def test_hooks_that_repositories_share_are_left_alone(
    repository: Repository, tmp_path: Path
) -> None:
    (tmp_path / "shared").mkdir()
    repository.good("git", "config", "core.hooksPath", str(tmp_path / "shared"))
    code, out = repository.call("freeze", "hook", "install")
    assert code == 2
    assert "core.hooksPath" in out
    assert list((tmp_path / "shared").iterdir()) == []


def test_without_git(repository: Repository) -> None:
    shutil.rmtree(repository.folder / ".git")
    for command in ("install", "run"):
        code, out = repository.call("freeze", "hook", command)
        assert code == 2
        assert "in no git repository" in out
    repository.good("freeze", "hook", "show")


def test_a_broken_spec_holds_up_its_own_commit_alone(repository: Repository) -> None:
    repository.good("freeze", "hook", "install")
    assert repository.commit()[0] == 0
    spec = repository.folder / "images" / "boosting" / "freeze.yaml"
    spec.write_text("name: [")
    code, out = repository.commit()
    assert code == 1
    assert "images/boosting/freeze.yaml" in out
    repository.good("git", "reset", "-q")
    repository.spec("jax-cpu", why={"jax": "it"})
    code, out = repository.commit("images/jax-cpu")
    assert "boosting" not in out


def test_it_takes_no_second(repository: Repository) -> None:
    (repository.folder / "policy.yaml").write_text("rules: {reasons: true}\n")
    repository.good("git", "add", "-A")
    repository.call("freeze", "hook", "run")
    took = []
    for _ in range(3):
        before = os.times()
        time.sleep(0)
        document = json.loads(repository.call("freeze", "hook", "run", "lock", "--json")[1])
        after = os.times()
        took.append(after.children_user + after.children_system
                    - before.children_user - before.children_system)  # fmt: skip
    assert document == {"environments": ["boosting", "jax-cpu"], "problems": []}
    assert min(took) < 2.5  # CPU seconds, measured below 0.8 where nothing else runs


def test_pre_commit_runs_the_entry_that_is_shown(repository: Repository) -> None:
    (repository.folder / ".pre-commit-config.yaml").write_text(
        repository.good("freeze", "hook", "show")
    )
    repository.good("git", "add", "-A")
    repository.good("pre-commit", "install")
    code, out = repository.commit()
    assert code == 0, out
    assert "locks satisfy their specs, and the policy" in out
    assert "Passed" in out
    repository.spec("boosting", pip=["numpy"])
    code, out = repository.commit()
    assert code == 1
    assert "the lock no longer satisfies the spec" in out
    (repository.folder / "README.md").write_text("x\n")
    code, out = repository.commit("README.md")
    assert code == 1  # the spec is staged still
    repository.good("git", "reset", "-q")
    code, out = repository.commit("README.md")
    assert code == 0
    assert "Skipped" in out


def test_the_hooks_of_freezers_own_repository() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [one["id"] for one in hooks] == ["freeze-lock", "freeze-policy"]
    done = subprocess.run(
        [BIN / "pre-commit", "validate-manifest", ROOT / ".pre-commit-hooks.yaml"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    for one in hooks:
        words = [str(BIN / "freeze"), *one["entry"].split()[1:], "--help"]
        assert subprocess.run(words, check=False, capture_output=True).returncode == 0
