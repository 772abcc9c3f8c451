"""The client of S3, with limits of time and retries, and its failures in plain words.

Endpoint, region, credentials, proxies and certificates are those of boto3's own configuration:
``AWS_ENDPOINT_URL_S3``, ``AWS_PROFILE``, ``~/.aws/config`` and the rest. Nothing of it is stored.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from freezer.errors import FetchError, HostError, Where
from freezer.fetch.http.client import BrokenOffError
from freezer.fetch.http.redact import redact

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECT: Final = 10
READ: Final = 60
"""Seconds to wait for a connection, and for the next bytes."""
ATTEMPTS: Final = 5
"""Of one request, with growing pauses."""
_CREDENTIALS: Final = (
    "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE and ~/.aws/credentials"
)
_REGION: Final = "set AWS_REGION to the bucket's region, and AWS_ENDPOINT_URL_S3 for another S3"
_BY_CODE: Final = {
    "NoSuchBucket": ("there is no such bucket", "make it first, with versioning if you can"),
    "InvalidAccessKeyId": ("the access key is not known there", _CREDENTIALS),
    "SignatureDoesNotMatch": ("the secret key is not the access key's", _CREDENTIALS),
    "ExpiredToken": ("the credentials have expired", _CREDENTIALS),
    "InvalidToken": ("the credentials are not valid", _CREDENTIALS),
    "PermanentRedirect": ("the bucket is in another region", _REGION),
    "AuthorizationHeaderMalformed": ("the bucket is in another region", _REGION),
    "AccessDenied": (
        "access is denied",
        "docs/how-to/archive.md lists the actions that the account needs",
    ),
    "403": ("access is denied", "docs/how-to/archive.md lists the actions that the account needs"),
    "InvalidBucketName": ("this is no name of a bucket", "use s3://BUCKET/PREFIX"),
}


def make_client(address: str) -> Any:
    """Return a client. Raises ``HostError`` without boto3 or with a broken configuration."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ImportError:
        raise HostError(
            "archives on S3 need boto3", where=Where(address),
            hint="install Freezer with its extra 's3': pip install 'freezer-ml[s3]'",
        ) from None  # fmt: skip
    limits = Config(
        connect_timeout=CONNECT,
        read_timeout=READ,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        user_agent_extra="freezer",
    )
    try:
        return boto3.session.Session().client("s3", config=limits)
    except (BotoCoreError, ValueError) as error:
        raise _configuration(address, error) from None


@contextmanager
def s3_errors(address: str, action: str) -> Iterator[None]:
    """Convert failures to ``FetchError`` and ``HostError``; ``action`` such as "be listed"."""
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectionError,  # noqa: A004 - botocore's own
        HTTPClientError,
        IncompleteReadError,
    )

    try:
        yield
    except ClientError as error:
        raise _refused(address, action, error) from None
    except (HTTPClientError, ConnectionError, IncompleteReadError) as error:  # also timeouts
        raise BrokenOffError(
            f"the archive cannot {action}", where=Where(address), found=_shown(error),
            hint="check the network and AWS_ENDPOINT_URL_S3; then repeat the command",
        ) from None  # fmt: skip
    except BotoCoreError as error:
        raise _configuration(address, error) from None


def code_of(error: Any) -> str:
    """Return the code of an S3 error, such as ``NoSuchKey``."""
    return str(error.response.get("Error", {}).get("Code", ""))[:100]


def _refused(address: str, action: str, error: Any) -> FetchError:
    code = code_of(error)
    what, hint = _BY_CODE.get(code, (None, "try again later"))
    message = str(error.response.get("Error", {}).get("Message", ""))[:300]
    return FetchError(
        f"the archive cannot {action}{f': {what}' if what else ''}", where=Where(address),
        found=f"{code} {redact(message)}".strip(), hint=hint,
    )  # fmt: skip


def _configuration(address: str, error: Exception) -> HostError:
    return HostError(
        "the configuration of S3 cannot be used", where=Where(address), found=_shown(error),
        hint=f"{_CREDENTIALS}; AWS_ENDPOINT_URL_S3 for another S3 than Amazon's",
    )  # fmt: skip


def _shown(error: Exception) -> str:
    return redact(str(error))[:300] or type(error).__name__
