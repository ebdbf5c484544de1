"""A headless Chromium, spoken to through a pair of pipes: no driver, no network.

The protocol is the browser's own (Chrome DevTools Protocol), messages of JSON that end
with a zero byte. The browser's profile is a new empty folder each time.
"""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
# The browser reads its third file and writes its fourth.
LAUNCH = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execv(sys.argv[3], sys.argv[3:])"
)
PATIENCE = 60  # seconds


def find_chromium() -> str | None:
    """Return the browser that CONSILIENCE_CHROMIUM or the path names, if any."""
    named = os.environ.get("CONSILIENCE_CHROMIUM")
    if named:
        return named if os.access(named, os.X_OK) else None
    return next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """A page of the browser.

    Attributes
    ----------
    events
        What the browser told of itself since the page was opened.
    """

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = read, write
        self._numbers = itertools.count(1)
        self._rest = b""
        self._session: str | None = None
        self.events: list[dict] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: object) -> dict:
        """Ask for something and return the answer.

        Raises
        ------
        RuntimeError
            The browser refuses.
        """
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    msg = f"{method}: {answer['error']['message']}"
                    raise RuntimeError(msg)
                return answer["result"]
            self.events.append(answer)

    def open(self, path: Path, address: str = "") -> None:
        """Open a file, at an address within it, and wait until its program has started.

        A page that is open already is opened anew.
        """
        self.send("Page.navigate", url="about:blank")
        self.events.clear()
        self.send("Page.navigate", url=path.resolve().as_uri() + address)
        self.wait("document.documentElement?.dataset.ready === 'yes'")

    def run(self, expression: str):
        """Return the value of an expression of JavaScript."""
        found = self.send(
            "Runtime.evaluate",
            expression=expression,
            returnByValue=True,
            awaitPromise=True,
        )
        if "exceptionDetails" in found:
            raise RuntimeError(json.dumps(found["exceptionDetails"])[:2000])
        return found["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression is true.

        Raises
        ------
        TimeoutError
            It never is.
        """
        until = time.monotonic() + PATIENCE
        while not self.run(expression):
            if time.monotonic() > until:
                raise TimeoutError(expression)
            time.sleep(0.02)

    def press(self, *keys: str) -> None:
        """Press keys one after the other, such as Tab, ArrowDown or a letter."""
        codes = {"Enter": 13, "Tab": 9, "Escape": 27, "Home": 36, "End": 35}
        for key in keys:
            told = {"key": key, "code": key, "windowsVirtualKeyCode": codes.get(key, 0)}
            if len(key) == 1 or key == "Enter":
                told["text"] = "\r" if key == "Enter" else key
            self.send("Input.dispatchKeyEvent", type="keyDown", **told)
            self.send("Input.dispatchKeyEvent", type="keyUp", **told)

    def size(self, width: int, height: int, *, mobile: bool = False) -> None:
        """Set the size of the window in pixels."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=mobile,
        )

    def scheme(self, name: str) -> None:
        """Set what the system prefers: light or dark."""
        feature = {"name": "prefers-color-scheme", "value": name}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def picture(self, path: Path) -> None:
        """Write what is in sight as PNG."""
        data = self.send("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))

    def paper(self, path: Path) -> None:
        """Write the page as PDF, as it would be printed."""
        data = self.send("Page.printToPDF", preferCSSPageSize=True)["data"]
        path.write_bytes(base64.b64decode(data))

    def _next(self) -> dict:
        while b"\0" not in self._rest:
            if not select.select([self._read], [], [], PATIENCE)[0]:
                msg = "the browser does not answer"
                raise TimeoutError(msg)
            more = os.read(self._read, 1 << 20)
            if not more:
                msg = "the browser has gone"
                raise ConnectionError(msg)
            self._rest += more
        first, _, self._rest = self._rest.partition(b"\0")
        return json.loads(first)


@contextlib.contextmanager
def browser(chromium: str) -> Iterator[Page]:
    """Start a browser, give a page of it, and end it."""
    ours_read, its_write = os.pipe()
    its_read, ours_write = os.pipe()
    # Clear of 3 and 4, which the launcher overwrites.
    high = [fcntl.fcntl(each, fcntl.F_DUPFD, 10) for each in (its_read, its_write)]
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [sys.executable, "-c", LAUNCH, *map(str, high), chromium, *FLAGS]
        process = subprocess.Popen(
            [*command, f"--user-data-dir={profile}"],
            pass_fds=high,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for each in (its_read, its_write, *high):
            os.close(each)
        try:
            yield Page(ours_read, ours_write)
        finally:
            os.close(ours_write)
            os.close(ours_read)
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
