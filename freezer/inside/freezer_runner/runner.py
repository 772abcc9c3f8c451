"""Runs one command in a container and writes down what it took: ``runner.py FOLDER COMMAND...``.

``FOLDER/usage.json`` gets the exit status, CPU seconds and the peak memory of the largest process.
With ``FREEZER_FINGERPRINT`` set, ``FOLDER/host`` gets what of the host decides how numbers round.
With ``FREEZER_ATTACHED`` set, ``FOLDER/begun`` is made first, and the command is ended when stdin
is closed: whoever started the container is gone, and a killed process cannot end it.
Standard library only; the exit code is the command's, or 128 and the number of its signal.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading


def main() -> int:
    """Run the command to its end."""
    folder, command = sys.argv[1], sys.argv[2:]
    attached = os.environ.pop("FREEZER_ATTACHED", None)
    if attached:
        with open(os.path.join(folder, "begun"), "wb"):
            pass
    if os.environ.pop("FREEZER_FINGERPRINT", None):
        asked = [sys.executable, "-m", "freezer_inside.fingerprint"]
        try:
            with open(os.path.join(folder, "host"), "wb") as stream:
                subprocess.run(asked, stdout=stream, stderr=subprocess.DEVNULL, check=False)
        except OSError:
            pass  # asked again by the next run
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL if attached else None)
    except OSError as error:
        sys.stderr.write("freeze: %s: %s\n" % (command[0], error.strerror))
        return 127 if isinstance(error, FileNotFoundError) else 126
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: process.send_signal(number))
    if attached:
        threading.Thread(target=end_with_stdin, args=(process.pid,), daemon=True).start()
    _, status, usage = os.wait4(process.pid, 0)
    code = 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    taken = {
        "exit": code,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss * 1024,
    }
    try:
        with open(os.path.join(folder, "usage.json"), "w") as stream:
            json.dump(taken, stream)
    except OSError as error:  # a full disk: how the command ended still counts
        sys.stderr.write("freeze: what the run took is not recorded: %s\n" % error.strerror)
    return code


def end_with_stdin(pid: int) -> None:
    """Kill the command once stdin is closed."""
    with contextlib.suppress(OSError):
        while os.read(0, 4096):
            pass
    with contextlib.suppress(OSError):  # it has ended
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
