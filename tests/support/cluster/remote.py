"""Remote engines on this machine: an sshd on loopback, and a dockerd behind TLS."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from tests.support.cluster.slurm import listens

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin")
_CONFIG = """
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
PidFile {folder}/pid
AuthorizedKeysFile {folder}/user.pub
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
"""
_CLIENT = """
Host elsewhere
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ssh_server(folder: Path) -> Iterator[Path]:
    """Run an sshd; yield a folder with an ``ssh`` program that knows it as ``elsewhere``."""
    assert SSHD is not None
    for name in ("host", "user"):
        key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(key, check=True)
    port = free_port()
    values = {"port": port, "folder": folder}
    (folder / "sshd_config").write_text(_CONFIG.format(**values))
    (folder / "ssh_config").write_text(_CLIENT.format(**values))
    public = " ".join((folder / "host.pub").read_text().split()[:2])
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{values['port']} {public}\n")
    (folder / "bin").mkdir()
    client = folder / "bin" / "ssh"
    client.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    client.chmod(0o755)
    Path("/run/sshd").mkdir(exist_ok=True)  # where it separates privileges; its service makes it
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(folder / "sshd_config")], stdout=log, stderr=log
        )
    try:
        end = time.monotonic() + 20
        while not listens(port):
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.05)
        yield folder / "bin"
    finally:
        process.terminate()
        process.wait()


def make_context(config: Path, name: str, host: str, tls: Path | None = None) -> None:
    """Write a docker context as ``docker context create`` does."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = config / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    endpoint = {"docker": {"Host": host, "SkipTLSVerify": False}}
    document = {"Name": name, "Metadata": {}, "Endpoints": endpoint}
    (meta / "meta.json").write_text(json.dumps(document))
    if tls is not None:
        target = config / "contexts" / "tls" / digest / "docker"
        target.mkdir(parents=True)
        for part in ("ca", "cert", "key"):
            shutil.copy(tls / f"{part}.pem", target / f"{part}.pem")


def make_certificates(folder: Path) -> None:
    """Write an authority and certificates that it signed: of a server on loopback, and a client."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    now = datetime.now(UTC)
    authority_key = ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "authority")])

    def certificate(name: str, key: ec.EllipticCurvePrivateKey, *, ca: bool) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        made = (
            x509.CertificateBuilder()
            .subject_name(authority if ca else subject)
            .issuer_name(authority)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]),
                critical=False,
            )
            .sign(authority_key, hashes.SHA256())
        )
        return made.public_bytes(serialization.Encoding.PEM)

    def private(key: ec.EllipticCurvePrivateKey) -> bytes:
        return key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )

    (folder / "ca.pem").write_bytes(certificate("authority", authority_key, ca=True))
    for name, prefix in (("server", "server-"), ("client", "")):
        key = ec.generate_private_key(ec.SECP256R1())
        (folder / f"{prefix}cert.pem").write_bytes(certificate(name, key, ca=False))
        (folder / f"{prefix}key.pem").write_bytes(private(key))
    (folder / "server-key.pem").chmod(0o600)
