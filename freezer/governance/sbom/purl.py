"""Package URLs, by the types of https://github.com/package-url/purl-spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freezer.model.lock import (
        BasePackage,
        CondaPackage,
        DebianPackage,
        PipPackage,
        RegistryBase,
    )


def python_purl(package: PipPackage) -> str:
    """Return ``pkg:pypi/…``; what came from an address says from which."""
    more: dict[str, str] = {}
    if package.source == "git" and package.url:
        more["vcs_url"] = f"git+{package.url}@{package.commit}"
    elif package.url:
        more["download_url"] = package.url
    return _purl("pypi", None, package.name, package.version, more, package.subdirectory)


def debian_purl(package: DebianPackage | BasePackage, distribution: str) -> str:
    """Return ``pkg:deb/debian/…``; ``distribution`` is that of the lock's target: ``debian 12``."""
    vendor, _, release = distribution.partition(" ")
    more = {"arch": package.architecture}
    if release:
        more["distro"] = f"{vendor}-{release}"
    return _purl("deb", vendor or "debian", package.name, package.version, more)


def conda_purl(package: CondaPackage) -> str:
    """Return ``pkg:conda/…`` with build, channel and subdir."""
    more = {
        "build": package.build,
        "channel": package.channel,
        "subdir": package.subdir,
        "type": "conda" if package.file.endswith(".conda") else "tar.bz2",
    }
    return _purl("conda", None, package.name, package.version, more)


def image_purl(base: RegistryBase) -> str:
    """Return ``pkg:oci/…`` of a registry's image, by the digest of its manifest."""
    name = base.reference.partition("@")[0]
    last = name.rpartition("/")[2]
    bare, _, tag = last.partition(":")
    repository = name[: len(name) - len(tag) - 1] if tag else name
    more = {"repository_url": repository} if "/" in repository else {}
    if tag:
        more["tag"] = tag
    return _purl("oci", None, bare, base.manifest, more)


def _purl(
    kind: str,
    namespace: str | None,
    name: str,
    version: str,
    qualifiers: dict[str, str],
    subpath: str | None = None,
) -> str:
    from packageurl import PackageURL

    return PackageURL(
        kind, namespace, name, version, qualifiers=qualifiers or None, subpath=subpath
    ).to_string()
