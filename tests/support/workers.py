"""Run tests in forked workers (``--workers N``): each file is collected by the one that runs it.

A suite of thousands of quick tests has no time to lose. In workers of pytest-xdist each collects all
files, imports what all of them share, and waits for a controller that takes a good part of a
processor. These begin as copies of a process that has imported that already. A worker takes the next
file from a common queue, collects it, runs it, and sends its reports through a pipe. To pytest it is
what a worker of pytest-xdist is (``config.workerinput``): it reports nothing on the terminal and
keeps no cache.
"""

from __future__ import annotations

import gc
import os
import pickle
import selectors
import struct
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from _pytest.runner import collect_one_node

Node = pytest.Item | pytest.Collector
_NUMBER = struct.Struct("=H")
"""A file in the queue; so few bytes are read from a pipe at once or not at all."""
_SIZE = struct.Struct("=I")
"""How long a message is, which comes after it."""


class Workers:
    """The plugin: it takes the place of pytest's collection and of its loop over the tests."""

    def __init__(self, config: pytest.Config, count: int, first: Sequence[str]) -> None:
        """``first`` has the ends of paths of files that are to be run first, in this order."""
        self._config, self._count, self._first = config, count, first
        self._found: list[Node] = []
        self._nodes: list[Node] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> bool:
        """Collect folders with their ``conftest.py``, and leave the files in them to the workers."""
        session.perform_collect(genitems=False)
        self._nodes = sorted(_files(session, self._found), key=self._rank)
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[Node]) -> None:
        """Keep folders from what selects tests."""
        if not self._nodes:
            self._found = list(items)
            items.clear()

    def _rank(self, node: Node) -> int:
        path = node.path.as_posix()
        return next((n for n, end in enumerate(self._first) if path.endswith(end)), 1 << 16)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Fork, and either run tests or report what the workers ran."""
        self._queue, end = os.pipe()
        os.write(end, b"".join(_NUMBER.pack(number) for number in range(len(self._nodes))))
        os.close(end)
        workers: list[_Worker] = []
        sys.stdout.flush()
        sys.stderr.flush()
        gc.freeze()  # a look of the collector would copy what the processes share
        for number in range(self._count):
            reading, writing = os.pipe()
            if (child := os.fork()) == 0:
                for pipe in (reading, *(one.pipe for one in workers)):
                    os.close(pipe)
                self._work(session, number, _Sender(writing, session.config))
                return True
            os.close(writing)
            workers.append(_Worker(child, reading))
        self._report(session, workers)
        return True

    # In a worker

    def _work(self, session: pytest.Session, number: int, sender: _Sender) -> None:
        self._become_worker(number)
        session.config.pluginmanager.register(sender)
        hook = session.config.hook
        waiting: pytest.Item | None = None
        for item in self._items(session, sender):
            if waiting is not None:
                hook.pytest_runtest_protocol(item=waiting, nextitem=item)
            if session.shouldfail or session.shouldstop:
                return
            waiting = item
        if waiting is not None:
            hook.pytest_runtest_protocol(item=waiting, nextitem=None)

    def _become_worker(self, number: int) -> None:
        """Give this process a capture and a temporary folder of its own, and no terminal."""
        config, manager = self._config, self._config.pluginmanager
        config.workerinput = {"workerid": f"w{number}"}  # type: ignore[attr-defined]
        manager.unregister(name="terminalreporter")
        if (capture := manager.getplugin("capturemanager")) is not None:
            capture.stop_global_capturing()
            capture.start_global_capturing()
        factory = config._tmp_path_factory  # type: ignore[attr-defined]
        base = factory.getbasetemp() / f"w{number}"
        base.mkdir()
        factory._basetemp = base

    def _items(self, session: pytest.Session, sender: _Sender) -> Iterator[pytest.Item]:
        """Yield the tests of one file after the other, as long as there are any in the queue."""
        while data := os.read(self._queue, _NUMBER.size):
            node = self._nodes[_NUMBER.unpack(data)[0]]
            items = list(session.genitems(node))
            session.config.hook.pytest_collection_modifyitems(
                session=session, config=session.config, items=items
            )
            sender.send("file", (str(node.path), len(items)))
            yield from items

    # In the process that forked them

    def _report(self, session: pytest.Session, workers: Sequence[_Worker]) -> None:
        with selectors.DefaultSelector() as selector:
            for one in workers:
                selector.register(one.pipe, selectors.EVENT_READ, one)
            try:
                while selector.get_map():
                    for key, _ in selector.select():
                        for kind, what in key.data.messages():
                            self._take(session, key.data, kind, what)
                        if key.data.ended:
                            selector.unregister(key.fileobj)
                        if session.shouldfail or session.shouldstop:
                            self._empty_queue()
            finally:
                self._empty_queue()
                lost = [one for one in workers if one.code() != one.announced]
        for one in lost:
            session.shouldfail = f"the worker that ran {one.file} ended with {one.code()}"
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)

    def _take(self, session: pytest.Session, worker: _Worker, kind: str, what: Any) -> None:
        if kind == "file":
            worker.file, count = what
            session.testscollected += count
        elif kind == "end":
            worker.announced = what
        elif kind == "deselected":
            self._config.hook.pytest_deselected(items=[SimpleNamespace(nodeid=one) for one in what])
        else:
            if isinstance(what, dict):
                what = self._config.hook.pytest_report_from_serializable(
                    config=self._config, data=what
                )
            getattr(self._config.hook, kind)(report=what)

    def _empty_queue(self) -> None:
        while os.read(self._queue, 1 << 16):
            pass


def _files(session: pytest.Session, nodes: Iterable[Node]) -> Iterator[Node]:
    """Yield nodes, and the files below those that are folders."""
    for node in nodes:
        if not isinstance(node, pytest.Directory):
            yield node
            continue
        report = collect_one_node(node)
        session.ihook.pytest_collectreport(report=report)
        if report.passed:
            yield from _files(session, report.result)


class _Worker:
    """A worker, as the process that forked it knows it."""

    def __init__(self, child: int, pipe: int) -> None:
        self.pipe = pipe
        self.file = "its first file"
        self.ended = False
        self.announced: int | None = None
        """The exit code that it is to have: what its last checks find comes on top."""
        self._child = child
        self._data = bytearray()
        self._code: int | None = None

    def messages(self) -> Iterator[tuple[str, Any]]:
        """Yield what has arrived whole; called when there is something to read."""
        data = os.read(self.pipe, 1 << 16)
        self.ended = not data
        self._data += data
        while len(self._data) >= _SIZE.size:
            end = _SIZE.size + _SIZE.unpack_from(self._data)[0]
            if len(self._data) < end:
                break
            yield pickle.loads(bytes(self._data[_SIZE.size : end]))
            del self._data[:end]

    def code(self) -> int:
        """Wait for its end; return its exit code, below zero for a signal."""
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._child, 0)[1])
        return self._code


class _Sender:
    """Sends what happens in a worker."""

    def __init__(self, pipe: int, config: pytest.Config) -> None:
        self._pipe, self._config = os.fdopen(pipe, "wb"), config
        self._all = config.option.durations is not None or config.option.xmlpath is not None

    def send(self, kind: str, what: Any) -> None:
        data = pickle.dumps((kind, what), pickle.HIGHEST_PROTOCOL)
        with suppress(BrokenPipeError):
            self._pipe.write(_SIZE.pack(len(data)) + data)
            self._pipe.flush()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed or report.sections:
            self._send_report("pytest_runtest_logreport", report)
        elif report.when == "call" or self._all:
            self.send("pytest_runtest_logreport", report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self._send_report("pytest_collectreport", report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, exitstatus: int | pytest.ExitCode) -> None:
        self.send("end", int(exitstatus))

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        self.send("deselected", [item.nodeid for item in items])

    def _send_report(self, kind: str, report: pytest.TestReport | pytest.CollectReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self.send(kind, data)
