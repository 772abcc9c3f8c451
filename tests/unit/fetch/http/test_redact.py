"""No part of a password is displayed or stored, whatever characters it holds."""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from rich.console import Console

from freezer.errors import FetchError, FreezerError, Where
from freezer.fetch.conda.channels import public_url, read_channels
from freezer.fetch.config import Config, PythonIndexConfig, Sources
from freezer.fetch.http.client import get_bytes
from freezer.fetch.http.redact import hide, redact, without_credentials, without_secrets
from freezer.fetch.http.url import encoded_path, require_usable
from freezer.fetch.python.settings import as_url, indexes
from freezer.fetch.store.store import Store
from freezer.flows.project.git import one_line
from freezer.image.wheel.archive import open_wheel
from freezer.image.wheel.install import Layout, install
from freezer.model.exports.requirements_txt import requirements_text
from freezer.model.lock import PipPackage
from freezer.model.lockfile import lock_bytes
from freezer.model.spec.spec import PipSpec
from freezer.output.progress import ConsoleReporter
from freezer.resolve.python.git.requirement import parse_git
from freezer.resolve.python.interface import PipRequirement
from freezer.resolve.python.locked import direct_artifact
from freezer.resolve.python.requirements.file import single
from freezer.resolve.python.requirements.gather import gather
from freezer.resolve.python.requirements.parse import parse_requirement
from freezer.resolve.python.takeover.pins import address_problem
from tests.support.project.locks import make_lock
from tests.support.python.indexes import serve

HERE = Where("requirements.txt", 1)
MARK = "S3cr3t"
"""In every password below, whole; whatever shows one of its halves has shown too much."""
AROUND = st.text(st.sampled_from("aZ0 '\"@/:?#&%=+[]{}()<>,;\\^`|~!$*é\u202e"), max_size=6)
USERS = st.text(st.sampled_from("aZ0'\"@:%+- "), max_size=5)


@st.composite
def userinfos(draw: st.DrawFn) -> str:
    """Return ``user:password``; the mark is cut in two by any character."""
    middle = draw(AROUND)
    password = f"{draw(AROUND)}{MARK[:3]}{middle}{MARK[3:]}{draw(AROUND)}"
    return f"{draw(USERS)}:{password}"


def hidden(text: str) -> None:
    """Fail where one half of the mark stands in a text."""
    assert MARK[:3] not in text, text
    assert MARK[3:] not in text, text


@settings(max_examples=60)
@given(userinfos(), st.sampled_from(["", "/", "/simple/", "/x?y=1#z", ":8443/a/b"]))
@example(userinfo="u:12/S3c/r3t", rest="/simple")
@example(userinfo="u:S3c/r3t://x", rest="/")
def test_any_userinfo_is_hidden_from_what_is_displayed(userinfo: str, rest: str) -> None:
    url = f"https://{userinfo}@index.example{rest}"
    for shown in (redact(url), redact(f"could not read {url}: no answer"), redact(f"'{url}'"),
                  hide(f"Failed to parse: {userinfo}", url)):  # fmt: skip
        hidden(shown)
    assert "index.example" in redact(url)


@settings(max_examples=60)
@given(userinfos())
def test_any_userinfo_is_left_out_of_what_is_stored(userinfo: str) -> None:
    url = f"https://{userinfo}@index.example/x.whl"
    hidden(without_credentials(url))
    hidden(without_secrets(url))


@st.composite
def numbers_and_slashes(draw: st.DrawFn) -> str:
    """Return ``user:password``, which looks like a host, a port and a path."""
    user = draw(st.text(st.sampled_from("aZ0.-"), min_size=1, max_size=5))
    digits = draw(st.integers(0, 99_999))
    rest = draw(st.text(st.sampled_from("aZ0/:.@?#%"), max_size=5))
    return f"{user}:{digits}/{rest}{MARK}"


USES: list[Callable[[str], object]] = [
    lambda url: parse_requirement(f"demo @ {url}/demo-1.0-py3-none-any.whl", HERE),
    lambda url: parse_requirement(f"{url}/demo-1.0-py3-none-any.whl", HERE),
    lambda url: parse_git(f"git+{url}/org/repo.git@{'a' * 40}#egg=x", HERE),
    lambda url: parse_git(f"demo @ git+{url}/org/repo.git", HERE),
    lambda url: as_url(f"{url}/simple"),
    lambda url: indexes(Config(sources=Sources(pypi=PythonIndexConfig(index_url=url)))),
    lambda url: indexes(Config(), {"UV_DEFAULT_INDEX": url}),
    lambda url: read_channels([(f"{url}/channel", HERE)], folder=Path(), config=Config()),
    lambda url: address_problem(f"{url}/demo-1.0-py3-none-any.whl", "a" * 64),
    lambda url: requirements(f"-r {url}/more.txt"),
    lambda url: requirements(f"-i {url}/simple"),
    lambda url: requirements(f"-f {url}/links"),
]


def requirements(line: str) -> object:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "r.txt").write_text(line + "\n", encoding="utf-8")
        return gather(Path(folder), PipSpec(files=("r.txt",)))


@pytest.mark.parametrize("use", USES)
@settings(max_examples=12)
@given(userinfo=numbers_and_slashes())
@example(userinfo=f"user:12/{MARK}")
def test_a_password_that_looks_like_a_port_and_a_path_is_refused(
    use: Callable[[str], object], userinfo: str
) -> None:
    """Every tool would take the user for the host; so it is refused before anything is asked."""
    with pytest.raises(FreezerError) as caught:
        use(f"https://{userinfo}@index.example")
    hidden(str(caught.value) + str(caught.value.to_json()))
    assert "%2F" in str(caught.value.to_json())


@pytest.mark.parametrize(
    "path", ["/a%40b/demo-1.0-py3-none-any.whl", "/demo-1.0%2Bcpu-py3-none-any.whl", ":8443/x"]
)
def test_a_path_with_an_encoded_at_sign_is_accepted(path: str) -> None:
    require_usable(f"https://index.example{path}")
    require_usable(f"https://user:pass@index.example{path}")
    assert encoded_path("https://h:8443/@scope/x.whl") == "https://h:8443/%40scope/x.whl"
    require_usable(encoded_path("https://h:8443/@scope/x.whl"))


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ("sig=S3cr3t", ""),
        ("sv=2022&sig=S3cr3t&se=1", "?sv=2022&se=1"),
        ("X-Amz-Date=1&X-Amz-Signature=S3cr3t&X-Amz-Credential=S3cr3t", "?X-Amz-Date=1"),
        ("AWSAccessKeyId=S3cr3t&Expires=1", "?Expires=1"),
        ("private_token=S3cr3t", ""),
        ("X%2DAmz%2DSignature=S3cr3t&v=1", "?v=1"),
        ("author=me&monkey=1&design=2", "?author=me&monkey=1&design=2"),
    ],
)
def test_secret_parameters_of_an_address_are_not_stored(query: str, kept: str) -> None:
    assert without_secrets(f"https://h.example/x.whl?{query}") == f"https://h.example/x.whl{kept}"
    whole = without_secrets(f"https://u:p@h.example/x.whl?{query}#sha256=0")
    assert whole == f"https://h.example/x.whl{kept}#sha256=0"


@pytest.mark.parametrize(
    "userinfo", ["u:S3c/r3t", "u:S3c?r3t", "u:S3c#r3t", "u:S3c@r3t", "u:'\"r3t"]
)
def test_nor_is_an_unusable_one_stored(userinfo: str) -> None:
    assert without_credentials(f"https://{userinfo}@h.example/x") == "https://h.example/x"


@pytest.mark.parametrize(
    "text",
    [
        "https://host.example/simple/demo@1.0/x",
        "git+https://github.com/org/repo.git@v1.2#egg=x",
        "git+http://localhost:3000/repo.git@feature/x",
        "http://127.0.0.1:8080/@scope/package",
        "could not read https://host.example/x (timed out); ask me@host.example",
        "demo @ https://host.example/x.whl ; python_version > '3'",
        "file:///home/me@work/x",
        "https://ghcr.io/org/image:tag@sha256:" + "a" * 64,
    ],
)
def test_what_is_no_password_stays_legible(text: str) -> None:
    assert redact(text) == text
    assert without_credentials(text) == text


@contextmanager
def listening() -> Iterator[tuple[int, list[str | None]]]:
    """Serve anything to anybody; yield the port and the ``Authorization`` of each request."""
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization"))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_port, seen
    finally:
        server.shutdown()
        server.server_close()


PASSWORDS = [
    "p'w",
    'p"w',
    "p@ss",
    "p w",
    "p/w",
    "p?w#x",
    "100%",
    "é",
    "пароль",
    "a:b",
    "$HOME",
    "[x]",
]


@pytest.mark.parametrize("password", PASSWORDS)
def test_a_password_in_a_variable_arrives_whatever_it_holds(password: str) -> None:
    with listening() as (port, seen):
        line = single(f"a @ http://me:${{TOKEN}}@127.0.0.1:{port}/x.whl", HERE, {"TOKEN": password})
        url = line.text.partition(" @ ")[2]
        assert get_bytes(url, limit=10) == b"ok"
        assert base64.b64decode((seen[-1] or "").split()[1]).decode() == f"me:{password}"
        hidden_url = redact(url)
        assert hidden_url == f"http://***@127.0.0.1:{port}/x.whl"


def test_a_token_in_the_place_of_the_user_arrives_too() -> None:
    with listening() as (port, seen):
        get_bytes(f"http://to@ken@127.0.0.1:{port}/", limit=10)
        assert base64.b64decode((seen[-1] or "").split()[1]) == b"to@ken:"


@pytest.mark.parametrize(
    "userinfo", ["u:S3c/r3t", "u:S3c?r3t", "u:S3c#r3t", "u:[S3cr3t", "u:S3c\nr3t"]
)
def test_an_address_that_no_tool_takes_is_an_error_without_the_password(userinfo: str) -> None:
    with pytest.raises(FetchError) as caught:
        get_bytes(f"https://{userinfo}@host.invalid/x", limit=1)
    hidden(str(caught.value) + str(caught.value.to_json()))
    assert "%2F" in (caught.value.expected or "") or "u:[" in userinfo


@settings(max_examples=8)
@given(st.text(st.sampled_from("a'\"@:%+~!$*é"), max_size=5))
def test_lock_layers_and_requirements_never_hold_it(middle: str) -> None:
    """From a requirement with credentials to everything that is made of it."""
    import tempfile

    secret = f"{MARK[:3]}{middle}{MARK[3:]}"
    with serve() as index, tempfile.TemporaryDirectory() as folder:
        file = index.add("demo")
        address = f"{index.url}/files/{file.name}".replace("://", f"://user:{secret}@")
        line = single(f"demo @ {address}", HERE, {})
        store = Store.open(Path(folder))
        artifact = direct_artifact(PipRequirement(parse_requirement(line.text, HERE), HERE), store)
        package = PipPackage(
            name="demo", version="1.0", requested=True, reason="a test", **artifact.model_dump()
        )
        lock = make_lock(pip=(package,))
        with open_wheel(store.verified(package.sha256), package) as opened:
            placed = list(install(opened, Layout("/opt/env", "3.11")))
            contents = [item.open().read() for item in placed]
        kept = [lock_bytes(lock), requirements_text(lock).encode(), *contents]
        for data in kept:
            hidden(data.decode("utf-8", "replace"))
        memos = [one for one in Path(folder).rglob("*") if one.is_file()]
        assert memos
        for one in memos:
            hidden(one.read_bytes().decode("utf-8", "replace"))


@settings(max_examples=60)
@given(userinfos())
def test_history_and_logs_never_hold_it(userinfo: str) -> None:
    said = f"because https://{userinfo}@host.example/x is slow"
    hidden(one_line(said))
    stream = io.StringIO()
    reporter = ConsoleReporter(Console(file=stream, width=200), 2)
    reporter.note(said)
    reporter.warn(said)
    reporter.debug(said)
    hidden(stream.getvalue())


@settings(max_examples=25)
@given(st.text(st.sampled_from("a'\"@:%+~!é"), max_size=5))
@example(middle="%aa")
def test_channels_are_locked_and_shown_without_it(middle: str) -> None:
    url = f"https://user:{MARK[:3]}{middle}{MARK[3:]}@host.example/t/S3cr3t/channel"
    hidden(public_url(url))
    try:
        (channel,) = read_channels([(url, HERE)], folder=Path(), config=Config())
    except FreezerError as error:  # a `%` that begins no UTF-8: the address is refused
        assert "%" in middle
        hidden(str(error) + str(error.to_json()))
        return
    hidden(channel.name + channel.address + str(channel.written))


def test_errors_of_a_channel_do_not_show_it() -> None:
    with pytest.raises(FreezerError) as caught:
        read_channels([("https://u:S3c/r3t@${NOWHERE}/x", HERE)], folder=Path(), config=Config())
    hidden(str(caught.value))


@pytest.mark.parametrize(
    "piece",
    [
        "A",
        "a://",
        "a://@",
        "@",
        "http://",
        "/t/",
        "?key",
        "authorization ",
        "http://u:",
        ":@",
        "&a.",
        "\n",
        "http://u:p@h ",
    ],
)
def test_the_time_that_it_takes_grows_with_the_text(piece: str) -> None:
    text = (piece * 200_000)[:200_000]
    began = time.process_time()
    redact(text)
    without_credentials(text)
    redact(f"{text}@x https://{text}")
    assert time.process_time() - began < 5
