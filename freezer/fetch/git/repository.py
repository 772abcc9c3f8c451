"""One commit of a git repository over HTTP(S): pinned, fetched, and packed reproducibly.

git verifies what it fetches against the commit's hash. Nothing of the repository is executed: no
hooks, no filters, no submodules.
"""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from freezer.errors import FetchError, HostError
from freezer.fetch.http.redact import redact, without_credentials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freezer.fetch.store.store import Store

COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_TIMEOUT: Final = 900.0
"""Maximum seconds of one call of git."""
_LARGEST: Final = 1 << 30
"""Maximum bytes of a commit's files."""
_MOST_FILES: Final = 200_000
_POINTER: Final = "^version https://git-lfs.github.com/spec/v1$"
"""The first line of a pointer (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md)."""
_VERSION_TAGS: Final = "*[0-9]*"
"""What setuptools-scm takes for a version among tags (its default ``git_describe_command``)."""


def pin_commit(url: str, revision: str | None) -> str:
    """Return the current commit of a branch, a tag or a commit; None: the default branch.

    Raises ``FetchError`` when the repository cannot be reached or has no such revision.
    """
    if revision and COMMIT.match(revision):
        return revision
    name = revision or "HEAD"
    wanted = (name,) if revision is None else (
        f"refs/tags/{name}^{{}}", f"refs/tags/{name}", f"refs/heads/{name}", name
    )  # fmt: skip
    listed = _git(["ls-remote", "--", _clean(url)], url).decode("utf-8", "replace").splitlines()
    refs = {ref: commit for commit, _, ref in (line.partition("\t") for line in listed)}
    for ref in wanted:
        if COMMIT.match(refs.get(ref, "")):
            return refs[ref]
    raise FetchError(
        f"{redact(_clean(url))} has no {name}",
        expected="a branch, a tag, or a full commit of 40 digits",
        hint="an abbreviated commit cannot be looked up on a server",
    )


@dataclass(frozen=True)
class Checkout:
    """A repository on this machine with one commit."""

    folder: Path
    url: str
    commit: str

    def text(self, path: str) -> bytes | None:
        """Return a file of the commit; None when it does not exist."""
        listed = [entry for entry in self._entries(path) if entry[1] == path]
        return self._blobs([listed[0][2]])[0] if listed else None

    def describe(self) -> str | None:
        """Return the commit by the version tag before it, as ``v1.2-4-g0123abc``; None without one.

        Fetches the history, without files where the server can leave them out.
        """
        history = self.folder / "history"
        clone = ["clone", "--quiet", "--bare", "--filter=tree:0", "--", _clean(self.url), "history"]
        _git(clone, self.url, self.folder)
        try:
            _git(["cat-file", "-e", f"{self.commit}^{{commit}}"], self.url, history)
        except FetchError:  # on no branch
            _git(["fetch", "--quiet", "--", _clean(self.url), self.commit], self.url, history)
        tags = _git(
            ["tag", "--merged", self.commit, "--list", _VERSION_TAGS], self.url, history
        ).split()
        if not tags:
            return None
        # The length of the hash would otherwise grow with the repository.
        wanted = ["describe", "--tags", "--abbrev=7", "--match", _VERSION_TAGS, self.commit]
        return _git(wanted, self.url, history).decode("utf-8", "replace").strip()

    def archival(self, described: str | None) -> bytes:
        """Return a ``.git_archival.txt``: what projects that are versioned by tags read here."""
        shown = _git(
            ["show", "--no-patch", "--format=%cI", self.commit], self.url, self.folder
        ).decode()
        lines = [f"node: {self.commit}", f"node-date: {shown.strip()}"]
        lines += [f"describe-name: {described}"] if described else []
        return "".join(f"{line}\n" for line in lines).encode()

    def pack(
        self, store: Store, top: str, replaced: Mapping[str, bytes] | None = None
    ) -> tuple[str, int]:
        """Store the commit's files as a tar archive; return SHA-256 and size in bytes.

        The same commit gives the same bytes. Raises ``FetchError`` for submodules, and for links
        that lead out of the tree.
        """
        own = replaced or {}
        entries = [entry for entry in self._entries() if entry[1] not in own]
        blobs = self._blobs([digest for _, _, digest in entries])
        entries += [("100644", path, "") for path in own]
        blobs += own.values()
        packed = self.folder / "packed.tar"
        with tarfile.open(packed, "w", format=tarfile.PAX_FORMAT) as archive:
            for (mode, path, _), data in zip(entries, blobs, strict=True):
                info = tarfile.TarInfo(f"{top}/{path}")
                info.mode = 0o755 if mode == "100755" else 0o644
                if mode == "120000":
                    info.type, info.linkname = tarfile.SYMTYPE, self._link(path, data)
                    archive.addfile(info)
                else:
                    info.size = len(data)
                    archive.addfile(info, io.BytesIO(data))
        return store.put_file(packed), packed.stat().st_size

    def pointers(self) -> list[str]:
        """Return the files that are Git LFS pointers: their content is on another server."""
        raw = _git(
            ["grep", "-l", "-z", "-e", _POINTER, self.commit], self.url, self.folder, fine=(0, 1)
        )
        names = raw.decode("utf-8", "replace").split("\0")
        return sorted(name.partition(":")[2] for name in names if name)

    def _entries(self, path: str | None = None) -> list[tuple[str, str, str]]:
        """Return mode, path and blob of each file."""
        more = ["--", path] if path else []
        raw = _git(
            ["ls-tree", "-r", "-z", "--full-tree", self.commit, *more], self.url, self.folder
        )
        found = []
        for line in filter(None, raw.decode("utf-8", "surrogateescape").split("\0")):
            head, _, name = line.partition("\t")
            mode, kind, digest = head.split(" ")
            if kind == "commit":
                raise self._refused(f"{name} is a submodule", "build a wheel of it yourself")
            if not name.isprintable() or ".." in name.split("/"):
                raise self._refused(f"{name!r} is not a usable path", "ask its authors")
            found.append((mode, name, digest))
        if len(found) > _MOST_FILES:
            raise self._refused(f"it has more than {_MOST_FILES} files", "build a wheel of it")
        return found

    def _blobs(self, digests: list[str]) -> list[bytes]:
        request = "".join(f"{digest}\n" for digest in digests).encode()
        stream = io.BytesIO(_git(["cat-file", "--batch"], self.url, self.folder, request))
        found = []
        for digest in digests:
            name, kind, size = stream.readline().decode().split()
            if (name, kind) != (digest, "blob"):
                raise self._refused(f"{digest} is no file", "fetch it again")
            found.append(stream.read(int(size)))
            stream.read(1)
        return found

    def _link(self, path: str, data: bytes) -> str:
        target = data.decode("utf-8", "replace")
        depth = len(PurePosixPath(path).parent.parts)
        for part in PurePosixPath(target).parts:
            depth += -1 if part == ".." else 1
            if depth < 0 or target.startswith("/") or not target.isprintable():
                raise self._refused(f"the link {path} leads out of the tree", "ask its authors")
        return target

    def _refused(self, found: str, hint: str) -> FetchError:
        return FetchError(
            f"{redact(_clean(self.url))} at {self.commit[:12]} cannot be packed",
            found=found,
            hint=hint,
        )


@contextmanager
def checkout(url: str, commit: str, store: Store) -> Iterator[Checkout]:
    """Yield a repository with one commit; it exists within the block.

    Raises ``FetchError`` when the repository cannot be reached, or has no such commit.
    """
    with store.scratch() as folder:
        _git(["init", "--quiet", "--bare", "."], url, folder)
        try:
            _git(
                ["fetch", "--quiet", "--depth=1", "--no-tags", "--", _clean(url), commit],
                url,
                folder,
            )
        except FetchError:
            # For servers without the smart protocol, or that do not serve a commit by its hash.
            _git(["fetch", "--quiet", "--", _clean(url), "+refs/*:refs/fetched/*"], url, folder)
        _git(["cat-file", "-e", f"{commit}^{{commit}}"], url, folder)
        yield Checkout(folder, url, commit)


def _clean(url: str) -> str:
    return without_credentials(url)


def _git(
    arguments: list[str],
    url: str,
    folder: Path | None = None,
    request: bytes | None = None,
    *,
    fine: tuple[int, ...] = (0,),
) -> bytes:
    if shutil.which("git") is None:
        raise HostError(
            "git is not installed", hint="install git to lock packages from git repositories"
        )
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=folder,
            env=_environment(url),
            input=request,
            stdin=None if request is not None else subprocess.DEVNULL,
            capture_output=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(
            f"git did not finish in {_TIMEOUT:.0f} s: {redact(_clean(url))}"
        ) from error
    if len(done.stdout) > _LARGEST:
        raise FetchError(f"{redact(_clean(url))} has more than {_LARGEST >> 30} GiB of files")
    if done.returncode not in fine:
        output = redact(done.stderr.decode("utf-8", "replace")).strip().splitlines()
        raise FetchError(
            f"the repository {redact(_clean(url))} cannot be read",
            found=output[-1] if output else f"git ended with {done.returncode}",
            hint="check the address, the revision and the network; for a private repository set up "
            "git's credentials",
        )
    return done.stdout


def _environment(url: str) -> dict[str, str]:
    """Return git's environment: no prompts, HTTP only, secrets hidden from arguments."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name in ("GIT_SSL_CAINFO", "GIT_ASKPASS")
    }
    settings = {"core.hooksPath": os.devnull, "protocol.version": "2"}
    clean = _clean(url)
    if clean != url:  # arguments are visible to everyone on the machine
        settings[f"url.{url}.insteadOf"] = clean
    pairs = enumerate(settings.items())
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "http:https",
        "LC_ALL": "C",
        "GIT_CONFIG_COUNT": str(len(settings)),
        **{f"GIT_CONFIG_{kind}_{n}": pair[kind == "VALUE"] for n, pair in pairs
           for kind in ("KEY", "VALUE")},
    }  # fmt: skip
