"""A real S3 server of a test's own: SeaweedFS from the Python index, with authentication on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.support.ports import free_port

ADMIN = ("adminkey", "admin-secret-planted")
WRITER = ("writekey", "write-secret-planted")
READER = ("readkey", "read-secret-planted")
PROGRAM = shutil.which("weed", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
"""What `scripts/engine.sh --with-test-tools` installs next to Python."""
_PORTS = (
    "master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port",
    "filer.port.grpc", "s3.port", "s3.port.grpc",
)  # fmt: skip
_PATIENCE = 60.0


class S3Server:
    """One server on the loopback interface; its ports are free ones, and Iceberg's and Lance's off."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in _PORTS}
        self.url = f"http://127.0.0.1:{self.ports['s3.port']}"

    @property
    def environment(self) -> dict[str, str]:
        """What boto3 reads, for the account that may write."""
        return credentials(self.url, WRITER)

    def client(self, account: tuple[str, str] = ADMIN) -> Any:
        """Return a client of an account."""
        import boto3

        return boto3.client(
            "s3", endpoint_url=self.url, region_name="us-east-1",
            aws_access_key_id=account[0], aws_secret_access_key=account[1],
        )  # fmt: skip

    @contextmanager
    def running(self) -> Iterator[S3Server]:
        """Start the server, and stop it at the end."""
        assert PROGRAM is not None
        data = self.folder / "data"
        data.mkdir()
        accounts = self.folder / "accounts.json"
        accounts.write_text(json.dumps({"identities": [
            _account("admin", ADMIN, ["Admin", "Read", "Write", "List", "Tagging"]),
            _account("writer", WRITER, ["Read", "Write", "List"]),
            _account("reader", READER, ["Read", "List"]),
        ]}))  # fmt: skip
        command = [
            PROGRAM, "server", f"-dir={data}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
            "-master.telemetry=false", "-master.volumeSizeLimitMB=64", "-volume.max=500",
            "-s3", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
            f"-s3.config={accounts}", *(f"-{name}={port}" for name, port in self.ports.items()),
        ]  # fmt: skip
        with (self.folder / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            self._wait(process)
            yield self
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
            process.wait()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        """Wait until the server keeps something, which it cannot as soon as it answers."""
        client, end = self.client(), time.monotonic() + _PATIENCE
        while True:
            assert process.poll() is None, (self.folder / "log").read_text()[-2000:]
            try:
                client.create_bucket(Bucket="first")
                client.put_object(Bucket="first", Key="x", Body=b"x")
            except Exception:
                if time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return


def credentials(url: str, account: tuple[str, str]) -> dict[str, str]:
    """Return the environment variables for an account."""
    return {
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": account[0],
        "AWS_SECRET_ACCESS_KEY": account[1],
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _account(name: str, account: tuple[str, str], actions: list[str]) -> dict[str, Any]:
    keys = {"accessKey": account[0], "secretKey": account[1]}
    return {"name": name, "credentials": [keys], "actions": actions}
