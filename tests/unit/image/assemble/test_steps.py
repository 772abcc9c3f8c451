"""What a step's layer may hold, and what its scripts say."""

import io
import subprocess
import tarfile

import pytest

from freezer.errors import BuildError
from freezer.image.assemble.steps import _index, distributions
from freezer.image.dockerfile import AddedLayer, render_dockerfile, render_steps_script
from freezer.image.verify import Expected
from freezer.image.wheel.chunks import Chunk
from freezer.model.lock import Steps
from tests.support.project.locks import make_lock

SITE = "opt/env/lib/python3.11/site-packages"
HELD = {
    f"/{SITE}/a/__init__.py": Expected("file", "0" * 64, 0o644, 3),
    "/opt/env/bin/python": Expected("link", "/usr/bin/python3.11", 0o777, 0),
    "/opt/freezer/freeze.lock.yaml": Expected("file", "1" * 64, 0o644, 9),
}


def layer(path, *members):
    with tarfile.open(path, "w") as archive:
        for name, kind, more in members:
            info = tarfile.TarInfo(name)
            info.type, info.mode = kind, 0o644
            info.linkname = more if isinstance(more, str) else ""
            data = more if isinstance(more, bytes) else b""
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


FILE, FOLDER, LINK, HARD = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


def test_what_is_added_to_the_environment_is_listed(tmp_path):
    made = layer(
        tmp_path / "layer",
        ("opt/data", FILE, b"data"),
        ("opt/env", FOLDER, None),
        ("opt/env/bin/python", LINK, "/usr/bin/python3.11"),
        ("opt/env/more", FILE, b"hello"),
        ("opt/env/again", HARD, "opt/env/more"),
        ("opt/env/there", LINK, "/opt/data"),
        ("opt/env/.wh.gone", FILE, b""),
        ("usr/.wh.share", FILE, b""),
    )
    hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert _index(made, HELD) == {
        "/opt/env/bin/python": ["link", "/usr/bin/python3.11", 0o777, 0],
        "/opt/env/more": ["file", hello, 0o644, 5],
        "/opt/env/again": ["file", hello, 0o644, 5],
        "/opt/env/there": ["link", "/opt/data", 0o777, 0],
    }


@pytest.mark.parametrize(
    ("member", "said"),
    [
        ((f"{SITE}/a/__init__.py", FILE, b"abc"), f"changed: /{SITE}/a/__init__.py"),
        (("opt/env/bin/python", LINK, "/bin/true"), "changed: /opt/env/bin/python"),
        (("opt/env/bin/python", FOLDER, None), "replaced by a folder: /opt/env/bin/python"),
        ((f"{SITE}/.wh.a", FILE, b""), f"removed: /{SITE}/a and 1 files in it"),
        ((f"{SITE}/a/.wh.__init__.py", FILE, b""), f"removed: /{SITE}/a/__init__.py"),
        ((f"{SITE}/a/.wh..wh..opq", FILE, b""), f"removed: /{SITE}/a and 1 files in it"),
        (("opt/.wh.env", FILE, b""), "removed: /opt/env and 2 files in it"),
        ((".wh.opt", FILE, b""), "removed: /opt and 3 files in it"),
        ((SITE, LINK, "/tmp"), f"replaced by something other than a folder: /{SITE}"),
        (("opt", LINK, "/tmp"), "replaced by something other than a folder: /opt"),
        (("opt/freezer/new", FILE, b""), "in Freezer's own folder: /opt/freezer/new"),
        (("opt/freezer", LINK, "/tmp"), "in Freezer's own folder: /opt/freezer"),
    ],
)
def test_what_is_locked_stays(tmp_path, member, said):
    with pytest.raises(BuildError, match="changes locked files") as caught:
        _index(layer(tmp_path / "layer", member), HELD)
    assert said in caught.value.details


def test_distributions_of_steps_are_known_by_name():
    class Held(Chunk):
        def expected(self, store):
            return dict.fromkeys(
                [
                    f"/{SITE}/My.Own_tool-2.0.dist-info/METADATA",
                    f"/{SITE}/old.egg-info",
                    f"/{SITE}/mine/METADATA",
                    "/opt/elsewhere/site-packages/no-1.dist-info/METADATA",
                ]
            )

    assert distributions(Held("", "", "", 0, ""), None) == {"my-own-tool", "old"}


@pytest.mark.process
def test_commands_reach_the_shell_as_they_were_written(tmp_path):
    said = tmp_path / "said"
    commands = (f'echo "it\'s $((1 + 1))" >{said}', f"false || echo '$HOME' >>{said}", "exit 3")
    script = render_steps_script(Steps(run=commands))
    assert script.startswith("#!/bin/sh\n")
    body = script.replace("/freezer-steps", str(tmp_path))
    (tmp_path / "files").mkdir()
    done = subprocess.run(["/bin/sh", "-c", body], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert said.read_text() == "it's 2\n$HOME\n"
    assert "step 3 of 3" in done.stdout


def test_the_dockerfile_tells_the_steps_and_nothing_of_them_is_an_instruction():
    lock = make_lock(steps=Steps(run=("a\nRUN evil\n", "b \\")))
    text = render_dockerfile(
        lock,
        "a" * 64,
        base_reference="base",
        layers=[AddedLayer("layers/1.tar", "numpy")],
        above=[AddedLayer("layers/2.tar", "own")],
        labels={},
    )
    lines = text.splitlines()
    assert "#   RUN evil" in lines
    assert [line for line in lines if line.startswith("RUN")] == [
        'RUN ["/bin/sh", "/freezer-system/install.sh"]',
        'RUN ["/bin/sh", "/freezer-steps/run.sh"]',
    ]
    order = ["ADD layers/1.tar /", "FROM environment AS steps", "ADD layers/2.tar /"]
    assert sorted(order, key=lines.index) == order
    assert "steps" not in render_dockerfile(make_lock(), "a", base_reference="base", labels={})
