"""Reports corrupt and hostile zip archives as errors; Python raises many exceptions for them."""

from __future__ import annotations

import errno
import lzma
import zipfile
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freezer.errors import FreezerError

_CORRUPT: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,  # offsets before the start, and names that are not UTF-8
    NotImplementedError,  # zipfile, for an unknown compression
)


@contextmanager
def zip_errors(refused: Callable[[str], FreezerError]) -> Iterator[None]:
    """Raise ``refused(reason)`` when reading an archive fails.

    Errors of the disk and the network are passed on.
    """
    try:
        yield
    except _CORRUPT as error:
        raise refused(str(error) or type(error).__name__) from error
    except (OSError, RuntimeError) as error:
        # bz2 and encryption have no names of their own; EINVAL is an offset before the start.
        other_error = type(error) is OSError and error.errno in (None, errno.EINVAL)
        if type(error) is RuntimeError or other_error:
            raise refused(str(error)) from error
        raise
