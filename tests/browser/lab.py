"""A JupyterLab of its own, and a page of it in a headless Chromium: driven by commands, so that no click is lost."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import course

TOKEN = "learner"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
QUIET = """--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking
    --disable-component-update --disable-sync""".split()
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}
KERNEL = """async () => {
    const app = window.jupyterapp || window.jupyterlab;
    const notebook = app.shell.currentWidget;
    await notebook.context.ready;
    await notebook.sessionContext.ready;
    await notebook.sessionContext.session.kernel.info;
}"""
COMMAND = "name => (window.jupyterapp || window.jupyterlab).commands.execute(name)"
CELL = """name => {
    const notebook = (window.jupyterapp || window.jupyterlab).shell.currentWidget.content;
    const index = notebook.widgets.findIndex(cell => cell.model.getMetadata('name') === name);
    notebook.activeCellIndex = index;
    return index;
}"""
SOURCE = """([index, text]) => {
    const notebook = (window.jupyterapp || window.jupyterlab).shell.currentWidget.content;
    notebook.widgets[index].model.sharedModel.setSource(text);
}"""


@contextmanager
def lab(folder: Path, home: Path) -> Iterator[str]:
    """Serves a folder, with settings of its own in `home`; gives its address."""
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(NO_NEWS), encoding="utf-8")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    places = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    with (home / "log").open("w") as log:
        server = subprocess.Popen(
            [
                *(sys.executable, "-m", "jupyterlab", "--no-browser", "--expose-app-in-browser", "--allow-root"),
                *(f"--port={port}", f"--IdentityProvider.token={TOKEN}", "--LabApp.extension_manager=readonly"),
                *(f"--LabApp.user_settings_dir={home / 'settings'}", f"--LabApp.workspaces_dir={home / 'workspaces'}"),
            ],
            cwd=folder,
            env={**os.environ, **places, "PYTHONPATH": str(Path(course.__file__).parents[1])},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait_for(f"{address}/api/status?token={TOKEN}", server)
        yield address
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(240):
        assert server.poll() is None, "JupyterLab ended"
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError("JupyterLab does not answer after two minutes")


class Notebook:
    """A notebook that is open in JupyterLab, of which cells are known by the names that its source gives them."""

    def __init__(self, browser: Any, address: str, name: str) -> None:
        self.page = browser.new_page(viewport={"width": 1280, "height": 1400})
        self.page.set_default_timeout(180_000)
        self.strange: list[str] = []
        self.page.on("request", lambda request: self._note(request.url, address))
        self.page.on("pageerror", lambda error: self.strange.append(str(error)))
        self.page.goto(f"{address}/lab/tree/{name}?token={TOKEN}&reset")
        self.page.wait_for_selector(".jp-CodeCell .cm-content")
        self.page.evaluate(KERNEL)

    def _note(self, url: str, address: str) -> None:
        if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:")):
            self.strange.append(url)

    def run_all(self) -> None:
        """Runs every cell; returns when the last one has run."""
        self.page.evaluate(COMMAND, "notebook:run-all-cells")

    def write(self, cell: str, text: str) -> None:
        """Puts another text into a cell, which is not run by that."""
        self.page.evaluate(SOURCE, [self._choose(cell), text])

    def run(self, cell: str) -> Any:
        """Runs one cell; gives its output as it is on the page, scrolled into view."""
        index = self._choose(cell)
        self.page.evaluate(COMMAND, "notebook:run-cell")
        shown = self.page.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-Cell-outputWrapper")
        shown.scroll_into_view_if_needed()
        return shown

    def save(self) -> None:
        """Saves the notebook."""
        self.page.evaluate(COMMAND, "docmanager:save")

    def picture(self, place: Path) -> None:
        """Takes a picture of what is in view."""
        self.page.screenshot(path=str(place))

    def _choose(self, cell: str) -> int:
        index: int = self.page.evaluate(CELL, cell)
        assert index >= 0, f"there is no cell {cell}"
        return index
