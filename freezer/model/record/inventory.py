"""The inventory: the numeric libraries of an image, and the packages that load them."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, StringConstraints

from freezer.model.base import Digest, Model, Sha256
from freezer.model.canonical import digest, json_bytes, plain

INVENTORY_SCHEMA: Final = "freezer/inventory/1"


def _printable(text: str) -> str:
    """Refuse line ends, escape sequences and marks that turn text around."""
    if not text.isprintable():
        msg = "printable characters only"
        raise ValueError(msg)
    return text


Text = Annotated[str, StringConstraints(max_length=4096), AfterValidator(_printable)]
Texts = Annotated[tuple[Text, ...], Field(max_length=10_000)]
Role = Literal[
    "blas",
    "lapack",
    "openmp",
    "onednn",
    "cuda",
    "cudnn",
    "nccl",
    "libm",
    "libc",
    "libstdc++",
    "libgfortran",
]


class SharedLibrary(Model):
    """A shared library that computes, or that such libraries run on."""

    name: Text
    """``OpenBLAS``, ``libgomp``: one name for each implementation."""
    roles: tuple[Role, ...]
    version: Text = ""
    """The file's own, else its owner's; of compiler runtimes the newest symbol version."""
    file: Text
    """Real path in the image, links followed."""
    soname: Text = ""
    needed: Texts = ()
    sha256: Sha256
    owner: Text = ""
    """``debian:libc6``, ``conda:mkl``, ``pip:numpy``; empty when no package owns the file."""
    owner_version: Text = ""
    loaders: Texts = ()
    """Files that need it directly, the first twenty."""
    loaded_by: Texts = ()
    """Packages whose Python modules load it, directly or through others."""


class LinkedIn(Model):
    """A library that was linked into a framework's own; its version is the framework's affair."""

    name: Text
    roles: tuple[Role, ...]
    file: Text
    owner: Text = ""
    owner_version: Text = ""


class MadeBy(Model):
    """A compiler or linker that left its name in files of the image."""

    compiler: Text
    files: Annotated[int, Field(ge=1)]
    packages: Texts = ()
    """conda and Python packages among those files."""


class Inventory(Model):
    """The numeric libraries of one image."""

    schema_: Literal["freezer/inventory/1"] = Field(default=INVENTORY_SCHEMA, alias="schema")
    image: Digest
    files: Annotated[int, Field(ge=0)]
    """ELF files that were read."""
    libraries: Annotated[tuple[SharedLibrary, ...], Field(max_length=10_000)] = ()
    """Sorted by path."""
    linked_in: Annotated[tuple[LinkedIn, ...], Field(max_length=10_000)] = ()
    compilers: Annotated[tuple[MadeBy, ...], Field(max_length=10_000)] = ()


class Numeric(Model):
    """A library in the short list that a record carries."""

    role: Role
    name: Text
    version: Text = ""
    owner: Text = ""
    sha256: Sha256
    """Over the hashes of its files."""

    @property
    def title(self) -> str:
        """Return ``OpenBLAS 0.3.30 (pip:numpy)``."""
        version = f" {self.version}" if self.version else ""
        return f"{self.name}{version}" + (f" ({self.owner})" if self.owner else "")


class InventoryNote(Model):
    """The digest and the short list of the inventory of the image that a record ran in."""

    digest: Digest
    """Of the whole inventory but the image's ID."""
    numerics: Annotated[tuple[Numeric, ...], Field(max_length=1000)] = ()
    """What Python modules load, sorted; the C library and the like included."""


def inventory_digest(inventory: Inventory) -> str:
    """Return the digest of an inventory's content: equal for images that compute with the same."""
    document = plain(inventory)
    del document["image"]
    return f"sha256:{digest(json_bytes(document))}"


def note_of(inventory: Inventory) -> InventoryNote:
    """Return the short list for a record: each implementation once, by role and owner."""
    groups: dict[tuple[Role, str, str, str], list[str]] = {}
    for item in inventory.libraries:
        if item.loaded_by and item.roles:
            key = (item.roles[0], item.name, item.version, item.owner)
            groups.setdefault(key, []).append(item.sha256)
    numerics = (
        Numeric(role=role, name=name, version=version, owner=owner, sha256=_joined(hashes))
        for (role, name, version, owner), hashes in sorted(groups.items())
    )
    return InventoryNote(digest=inventory_digest(inventory), numerics=tuple(numerics))


def _joined(hashes: list[str]) -> str:
    return digest("\n".join(sorted(hashes)).encode())
