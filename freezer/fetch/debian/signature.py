"""Verifies that an archive's release is signed by a trusted key, with ``gpgv``."""

from __future__ import annotations

import base64
import binascii
import re
import shutil
import subprocess
import tempfile
import textwrap
from pathlib import Path

from freezer.errors import HostError, IntegrityError
from freezer.fetch.debian.release import split_signed
from freezer.fetch.http.redact import redact

DEFAULT_KEYRINGS = tuple(
    Path("/usr/share/keyrings") / f"debian-archive-keyring.{suffix}" for suffix in ("pgp", "gpg")
)
"""Keyrings of Debian's and Ubuntu's package ``debian-archive-keyring``."""
_SET_KEYRING = "set `sources: {debian-keyring: PATH}` in the configuration"
_ARMOURED = re.compile(
    rb"-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:\S+: .*\n)*\n?(?P<key>[A-Za-z0-9+/=\n]+?)"
    rb"(?:\n=[A-Za-z0-9+/]{4})?\n-----END PGP PUBLIC KEY BLOCK-----"
)
_TROUBLE = {
    "BADSIG": "a signature that does not fit the text: it was altered",
    "EXPKEYSIG": "a signature by a key that has expired",
    "EXPSIG": "a signature that has expired",
    "REVKEYSIG": "a signature by a key that was revoked",
    "NO_PUBKEY": "a signature by a key that the keyring lacks",
}


def find_keyring(configured: str | None) -> Path:
    """Return the trusted keyring. Raises ``HostError`` when there is none."""
    candidates = [Path(configured).expanduser()] if configured else list(DEFAULT_KEYRINGS)
    for path in candidates:
        if path.is_file():
            return path
    raise HostError(
        "no keyring to verify the archive with",
        found=f"no file {candidates[-1]}",
        hint=f"install the package debian-archive-keyring, or {_SET_KEYRING}",
    )


def armoured(keyring: Path) -> str:
    """Return a keyring as text for apt's ``Signed-By``. Raises ``HostError``."""
    lines = textwrap.wrap(base64.b64encode(_binary(keyring)).decode(), 64)
    begin, end = (f"-----{word} PGP PUBLIC KEY BLOCK-----" for word in ("BEGIN", "END"))
    return "\n".join([begin, "", *lines, end])


def verify_release(inrelease: bytes, keyring: Path, address: str = "InRelease") -> bytes:
    """Return the text of an ``InRelease`` that is signed by a key of the keyring.

    Raises ``IntegrityError`` when it is unsigned, altered or signed by an untrusted key;
    ``HostError`` when gpgv or the keyring is missing. The keyring may be binary or armoured.
    """
    text, signed = split_signed(inrelease, address)
    if not signed:
        raise IntegrityError(
            f"{redact(address)} is not signed",
            expected="a signature by the archive",
            hint="use a mirror that keeps the archive's own InRelease",
        )
    if shutil.which("gpgv") is None:
        raise HostError(
            "gpgv is not installed, so the archive cannot be verified",
            hint="install the package gpgv",
        )
    with tempfile.TemporaryDirectory(prefix="freezer-gpgv-") as folder:
        states = _gpgv(inrelease, _binary(keyring), Path(folder))
    if "GOODSIG" not in states or "BADSIG" in states:
        raise _untrusted(address, states, keyring)
    return text


def _gpgv(inrelease: bytes, keys: bytes, folder: Path) -> set[str]:
    """Return the keywords of gpgv's status lines, such as ``GOODSIG`` and ``NO_PUBKEY``."""
    (folder / "keys.gpg").write_bytes(keys)
    (folder / "InRelease").write_bytes(inrelease)
    command = ["gpgv", "--homedir", str(folder), "--keyring", str(folder / "keys.gpg")]
    done = subprocess.run(
        [*command, "--status-fd", "1", str(folder / "InRelease")],
        capture_output=True,
        check=False,
        timeout=60,
    )
    return set(re.findall(r"^\[GNUPG:\] (\w+)", done.stdout.decode(errors="replace"), re.MULTILINE))


def _binary(keyring: Path) -> bytes:
    try:
        data = keyring.read_bytes()
    except OSError as error:
        raise HostError(
            f"the keyring {keyring} cannot be read", found=error.strerror, hint=_SET_KEYRING
        ) from error
    blocks = [match["key"] for match in _ARMOURED.finditer(data.replace(b"\r\n", b"\n"))]
    try:
        return b"".join(base64.b64decode(block, validate=False) for block in blocks) or data
    except binascii.Error:
        raise HostError(f"the keyring {keyring} is damaged", hint=_SET_KEYRING) from None


def _untrusted(address: str, states: set[str], keyring: Path) -> IntegrityError:
    found = [text for state, text in _TROUBLE.items() if state in states]
    remedy = f"update the package debian-archive-keyring, or {_SET_KEYRING}"
    return IntegrityError(
        f"{redact(address)} is not signed by a key of {keyring}",
        found="; ".join(found) or "no signature that gpgv can read",
        hint="do not use this mirror until you know why" if "BADSIG" in states else remedy,
    )
