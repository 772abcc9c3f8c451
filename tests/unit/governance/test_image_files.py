"""Files of an image and the packages that they belong to, by the package managers' own lists."""

from __future__ import annotations

import base64
import hashlib

from freezer.governance.image_files import FileFact, ImageFiles, Installed, is_list, ownership

STATUS = """Package: libx1
Status: install ok installed
Version: 1.0-1

Package: gone
Status: deinstall ok config-files
Version: 1
"""


def image(files: dict[str, str], links: dict[str, str] | None = None) -> ImageFiles:
    found = ImageFiles(links=links or {})
    for path, text in files.items():
        data = text.encode()
        found.files[path] = FileFact(
            hashlib.sha256(data).hexdigest(),
            hashlib.md5(data).hexdigest(),
            len(data),
        )
        if is_list(path):
            found.lists[path] = data
    return found


def recorded(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


SITE = "opt/env/lib/python3.11/site-packages"
FILES = {
    "usr/lib/libx.so.1": "library",
    "var/lib/dpkg/status": STATUS,
    "var/lib/dpkg/info/libx1:amd64.list": "/.\n/lib\n/lib/libx.so.1\n/usr/share/doc/libx1/README\n",
    "var/lib/dpkg/info/libx1:amd64.md5sums": f"{hashlib.md5(b'library').hexdigest()}  lib/libx.so.1\n",
    "var/lib/dpkg/info/gone.list": "/etc/gone\n",
    f"{SITE}/demo/__init__.py": "x = 1",
    f"{SITE}/demo/__pycache__/__init__.cpython-311.pyc": "code",
    f"{SITE}/My_Demo-2.0.dist-info/RECORD": f"demo/__init__.py,{recorded('x = 1')},5\n"
    "My_Demo-2.0.dist-info/RECORD,,\n../../../bin/demo,,\n",
    "opt/env/bin/demo": "#!",
    "etc/passwd": "root",
}
LINKS = {"lib": "usr/lib"}
LIBX = Installed("debian", "libx1", "1.0-1")
DEMO = Installed("pip", "my-demo", "2.0")


def test_each_file_belongs_to_the_package_that_ships_it() -> None:
    found = ownership(image(FILES, LINKS))
    assert found.packages == {LIBX, DEMO}
    assert found.owner["usr/lib/libx.so.1"] == LIBX  # listed through a link
    assert found.owner["opt/env/bin/demo"] == DEMO
    assert found.owner[f"{SITE}/demo/__pycache__/__init__.cpython-311.pyc"] == DEMO
    assert "etc/passwd" in found.unowned
    assert (found.changed, found.contested, found.missing) == ((), (), ())


def test_changed_and_missing_files_are_found() -> None:
    changed = ownership(image({**FILES, "usr/lib/libx.so.1": "other"}, LINKS))
    assert changed.changed == ("usr/lib/libx.so.1",)
    edited = ownership(image({**FILES, f"{SITE}/demo/__init__.py": "x = 2"}, LINKS))
    assert edited.changed == (f"{SITE}/demo/__init__.py",)
    gone = {path: text for path, text in FILES.items() if not path.endswith("demo/__init__.py")}
    assert ownership(image(gone, LINKS)).missing == (f"{SITE}/demo/__init__.py",)


def test_a_file_of_two_packages_is_contested_unless_conda_holds_both() -> None:
    other = f"{SITE}/other-1.dist-info/RECORD"
    both = ownership(image({**FILES, other: f"demo/__init__.py,{recorded('x = 1')},5\n"}, LINKS))
    assert both.contested == (f"{SITE}/demo/__init__.py",)
    meta = '{"name": "demo", "version": "2.0", "files": ["lib/python3.11/site-packages/demo/__init__.py",'
    meta += ' "lib/python3.11/site-packages/My_Demo-2.0.dist-info/RECORD"]}'
    conda = ownership(image({**FILES, "opt/env/conda-meta/demo-2.0-0.json": meta}, LINKS))
    assert conda.contested == ()
    assert Installed("conda", "demo", "2.0") in conda.packages


def test_whiteouts_take_files_away() -> None:
    found = image(FILES, LINKS)
    found.remove(f"{SITE}/demo")
    assert f"{SITE}/demo/__init__.py" not in found.files
    assert "opt/env/bin/demo" in found.files


def test_broken_lists_name_no_package() -> None:
    found = ownership(
        image({"opt/env/conda-meta/x.json": "[1", "opt/env/conda-meta/y.json": '{"name": "y"}'})
    )
    assert found.packages == frozenset()
