"""Report corrupt and hostile zip archives as errors: Python has many names for what they end in."""

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

_SPOILED: Final = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    ValueError,  # offsets before the start, and names that are no UTF-8
    NotImplementedError,  # what zipfile says of a compression that it does not know
)


@contextmanager
def zip_errors(refused: Callable[[str], FreezerError]) -> Iterator[None]:
    """Raise what ``refused`` gives for a reason, where reading an archive ends in anything else.

    What the disk or the network says passes.
    """
    try:
        yield
    except _SPOILED as error:
        raise refused(str(error) or type(error).__name__) from error
    except (OSError, RuntimeError) as error:
        # bz2 and encryption have no names of their own; EINVAL is an offset before the start.
        unnamed = type(error) is OSError and error.errno in (None, errno.EINVAL)
        if type(error) is RuntimeError or unnamed:
            raise refused(str(error)) from error
        raise
