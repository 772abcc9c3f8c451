"""Small Debian archives in a folder, made for a test, to be read by ``file:`` addresses."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import subprocess
from dataclasses import dataclass, field
from pathlib import Path


def stanza(name: str, version: str = "1.0", **fields: str) -> str:
    """Return a stanza of a ``Packages`` file; ``Pre_Depends`` stands for ``Pre-Depends``."""
    wanted = {
        "Package": name,
        "Version": version,
        "Architecture": "amd64",
        "Filename": f"pool/main/{name}_{version}_amd64.deb",
        "Size": "1000",
        "SHA256": hashlib.sha256(f"{name} {version}".encode()).hexdigest(),
        **{key.replace("_", "-"): value for key, value in fields.items()},
    }
    return "".join(f"{key}: {value}\n" for key, value in wanted.items())


@dataclass
class Archive:
    """An archive with one suite; change its files or fields, then ``publish()``."""

    root: Path
    suite: str = "bookworm"
    label: str = "Debian"
    date: str = "Sat, 11 Jul 2026 10:16:37 UTC"
    architectures: str = "all amd64"
    by_hash: bool = False
    extra: str = "No-Support-for-Architecture-all: Packages\n"
    files: dict[str, bytes] = field(default_factory=dict)
    """By path below the suite's folder."""

    @property
    def uri(self) -> str:
        return self.root.as_uri()

    @property
    def folder(self) -> Path:
        return self.root / "dists" / self.suite

    @property
    def release(self) -> str:
        listed = "".join(
            f" {hashlib.sha256(data).hexdigest()} {len(data)} {path}\n"
            for path, data in self.files.items()
        )
        return (
            f"Origin: Test\nLabel: {self.label}\nSuite: {self.suite}\nCodename: {self.suite}\n"
            f"Date: {self.date}\n"
            + ("Acquire-By-Hash: yes\n" if self.by_hash else "")
            + f"{self.extra}Architectures: {self.architectures}\nComponents: main\nSHA256:\n{listed}"
        )

    def add(
        self, *stanzas: str, path: str = "main/binary-amd64/Packages", packing: str = ".xz"
    ) -> None:
        plain = "\n".join(stanzas).encode()
        self.files[path] = plain
        pack = {".xz": lzma.compress, ".gz": lambda data: gzip.compress(data, mtime=0)}
        if packing:
            self.files[path + packing] = pack[packing](plain)

    def publish(self, key: SigningKey | None = None) -> Archive:
        """Write the files (the unpacked index only where it is all there is) and the release."""
        packed = {path.rpartition(".")[0] for path in self.files if path.endswith((".xz", ".gz"))}
        for path, data in self.files.items():
            if path not in packed:
                self.write(path, data)
        text = self.release.encode()
        self.write("InRelease", key.sign(text) if key else text)
        return self

    def write(self, path: str, data: bytes) -> None:
        file = self.folder / path
        if self.by_hash and path != "InRelease":
            file = file.parent / "by-hash" / "SHA256" / hashlib.sha256(data).hexdigest()
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


class SigningKey:
    """A throwaway OpenPGP key in a folder of its own."""

    def __init__(
        self, folder: Path, *, created: str = "20260101T000000", expires: str = "0"
    ) -> None:
        folder.mkdir(mode=0o700)
        self.folder = folder
        self._gpg = ["gpg", "--homedir", str(folder), "--batch", "--quiet"]
        self._faked = ["--faked-system-time", created]
        self.call("--passphrase", "", "--quick-generate-key", "test", "ed25519", "sign", expires)
        self.keyring = folder / "public.gpg"
        self.keyring.write_bytes(self.call("--export"))
        self.armoured = folder / "public.asc"
        self.armoured.write_bytes(self.call("--armor", "--export"))

    def sign(self, text: bytes) -> bytes:
        return self.call("--clearsign", stdin=text)

    def close(self) -> None:
        """End the agent that gpg started for this folder."""
        subprocess.run(["gpgconf", "--homedir", str(self.folder), "--kill", "all"], check=True)

    def call(self, *arguments: str, stdin: bytes = b"") -> bytes:
        command = [*self._gpg, *self._faked, *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout
