#!/usr/bin/env python3
"""Opens a page of `popsync report` in Chromium, and fails if the page is not as quiet as it must be.

    tests/browser/report.py REPORT.html [FOLDER]

The page must make no request besides its own, log nothing to the console, run nothing, and fit into
the window. With FOLDER, four screenshots are put there: 1280 and 390 pixels wide, light and dark; and
the page as it is printed.

It is run by hand, since Chromium is large. It needs Python and Chromium, and nothing else: it speaks
the DevTools protocol through two pipes.
"""

import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

TAGS = "script, iframe, object, embed, link:not([rel=icon]), img, form, base, [onload], [onerror]"


class Browser:
    """A Chromium of its own, with a profile that is thrown away."""

    def __init__(self, profile):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if not program:
            sys.exit("there is no chromium")
        theirs_in, self.out = os.pipe()
        self.into, theirs_out = os.pipe()

        def place():
            # Chromium reads commands from 3 and writes answers to 4.
            read, write = os.dup(theirs_in), os.dup(theirs_out)
            os.dup2(read, 3)
            os.dup2(write, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--hide-scrollbars", f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=place, close_fds=False, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.number, self.rest, self.events, self.session = 0, b"", [], None

    def call(self, method, **params):
        """Calls a method, and keeps the events that come before its answer."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def next(self):
        """The next message."""
        while b"\0" not in self.rest:
            read = os.read(self.into, 1 << 20)
            if not read:
                sys.exit("Chromium has ended")
            self.rest += read
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def wait(self, method):
        """Waits for an event."""
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.next())

    def evaluate(self, code):
        """The value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=code, returnByValue=True)
        return result["result"].get("value")


def look(browser, url, width, scheme):
    """Loads the page, and returns what is wrong with it."""
    browser.events.clear()
    browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900,
                 deviceScaleFactor=1, mobile=width < 600)
    browser.call("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": scheme}])
    browser.call("Page.navigate", url=url)
    browser.wait("Page.loadEventFired")
    wide = browser.evaluate("document.documentElement.scrollWidth")
    tags = browser.evaluate(f"document.querySelectorAll('{TAGS}').length")
    heading = browser.evaluate("document.querySelectorAll('h1').length")
    nameless = browser.evaluate("[...document.querySelectorAll('svg')].filter(svg =>"
                                "!document.getElementById(svg.getAttribute('aria-labelledby'))).length")
    faults = []
    if wide > width:
        faults.append(f"it is {wide} pixels wide in a window of {width}")
    if tags or heading != 1 or nameless:
        faults.append(f"{tags} elements that must not be, {heading} h1, {nameless} drawings without name")
    for event in browser.events:
        name, params = event.get("method"), event.get("params", {})
        if name == "Network.requestWillBeSent" and params["request"]["url"] not in (url, "data:,"):
            faults.append(f"it asked for {params['request']['url']}")
        if name in ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"):
            faults.append(json.dumps(params)[:300])
        if name == "Page.javascriptDialogOpening":
            faults.append("it opened a dialog")
    return faults


def shoot(browser, folder, name):
    """Puts a picture of the whole page into the folder."""
    data = browser.call("Page.captureScreenshot", captureBeyondViewport=True)["data"]
    (folder / f"{name}.png").write_bytes(base64.b64decode(data))


def main():
    """Checks the page of the command line."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    url = pathlib.Path(sys.argv[1]).resolve().as_uri()
    folder = pathlib.Path(sys.argv[2]) if len(sys.argv) == 3 else None
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    failed = False
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        attached = browser.call("Target.attachToTarget", targetId=target, flatten=True)
        browser.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            browser.call(f"{domain}.enable")
        for width in (1280, 390):
            for scheme in ("light", "dark"):
                faults = look(browser, url, width, scheme)
                failed |= bool(faults)
                print(f"{width} {scheme}: {'; '.join(faults) or 'ok'}")
                if folder:
                    shoot(browser, folder, f"{width}-{scheme}")
        if folder:
            data = browser.call("Page.printToPDF", printBackground=False)["data"]
            (folder / "print.pdf").write_bytes(base64.b64decode(data))
        browser.process.terminate()
        browser.process.wait()
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
