"""A headless Chromium, driven by its own protocol over a pipe: no port, no driver program."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium-headless-shell", "chromium", "chromium-browser"))),
    None,
)
"""Debian's package ``chromium-headless-shell``, or a whole Chromium."""


class Browser:
    """One tab. What the page logs as an error, and each request that it makes, is kept."""

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM is not None
        here, there = os.pipe(), os.pipe()
        self._write, self._read = here[1], os.fdopen(there[0], "rb")
        self._process = subprocess.Popen(
            ["bash", "-c", 'exec "$@" 3<&"$IN" 4>&"$OUT"', "sh", CHROMIUM, *_OPTIONS, f"--user-data-dir={folder}"],
            env={**os.environ, "IN": str(here[0]), "OUT": str(there[1])},
            pass_fds=(here[0], there[1]),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(here[0])
        os.close(there[1])
        self._number, self._held = 0, b""
        self._session: str | None = None
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._waiting: set[str] = set()

    def begin(self, *, dark: bool, size: tuple[int, int]) -> None:
        """Open a tab, of a size in pixels."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        # Seconds of CPU time: a busy machine changes none of them.
        self.call("Performance.enable", timeDomain="threadTicks")
        scheme = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        self.call("Emulation.setEmulatedMedia", features=scheme)
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=size[0], height=size[1], deviceScaleFactor=1, mobile=False,
        )  # fmt: skip

    def end(self) -> None:
        """Close the browser, and wait for its end."""
        self._session = None
        with suppress(AssertionError, OSError):
            self.call("Browser.close")
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        self._read.close()

    def call(self, method: str, **parameters: Any) -> Any:
        """Call a method of the protocol, and return its result."""
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._number:
                assert "error" not in found, found["error"]
                return found["result"]

    def open(self, page: Path) -> None:
        """Open a file, and wait until it is there."""
        self._waiting.add("Page.loadEventFired")
        self.call("Page.navigate", url=page.as_uri())
        while "Page.loadEventFired" in self._waiting:
            self._next()

    def run(self, script: str) -> Any:
        """Return what an expression gives; a promise is waited for."""
        found = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def cpu(self) -> float:
        """Return the CPU seconds that the page's main thread has taken so far."""
        metrics = self.call("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")

    def press(self, *keys: str) -> None:
        """Press keys, each by the name that an event gives it."""
        for key in keys:
            text = {"Enter": "\r", "Space": " "}.get(key, key if len(key) == 1 else "")
            name = {"Space": " "}.get(key, key)
            code = {"text": text} if text else {}
            number = _NUMBERS.get(key, ord(key.upper()) if len(key) == 1 else 0)
            pressed = {"key": name, "windowsVirtualKeyCode": number, **code}
            self.call("Input.dispatchKeyEvent", type="keyDown", **pressed)
            self.call(
                "Input.dispatchKeyEvent", type="keyUp", key=name, windowsVirtualKeyCode=number
            )

    def click(self, selector: str, *, shift: bool = False) -> None:
        """Click in the middle of an element."""
        x, y = self.run(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call(
                "Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1,
                modifiers=8 if shift else 0,
            )  # fmt: skip

    def screenshot(self, path: Path) -> None:
        """Write what is in sight as PNG."""
        path.write_bytes(
            base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        )

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._held:
            more = self._read.read1(1 << 20)
            assert more, "the browser ended"
            self._held += more
        message, _, self._held = self._held.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        method, parameters = found.get("method", ""), found.get("params", {})
        self._waiting.discard(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(parameters["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(parameters["exceptionDetails"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] == "error":
            self.errors.append(parameters["entry"]["text"])
        return found


@contextmanager
def browser(
    folder: Path, *, dark: bool = False, size: tuple[int, int] = (1440, 900)
) -> Iterator[Browser]:
    """Give a browser with a profile of its own."""
    started = Browser(folder)
    try:
        started.begin(dark=dark, size=size)
        yield started
    finally:
        started.end()


_OPTIONS = (
    "--headless", "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--no-first-run",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-background-networking", "--lang=en",
)  # fmt: skip
_NUMBERS = {"Enter": 13, "Escape": 27, "Space": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
            "ArrowDown": 40, "End": 35, "Home": 36, "PageDown": 34, "PageUp": 33}  # fmt: skip
