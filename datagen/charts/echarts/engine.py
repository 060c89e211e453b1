"""ECharts in V8: options become SVG, without a browser.

ECharts itself comes with an installed package (it is not shipped with this project): `PACKAGE` carries the unchanged
file of the ECharts project (Apache License 2.0).
"""

import atexit
import importlib.metadata
import json
from pathlib import Path
from typing import Any

from dsocr_jax.errors import UserError

#: The package that carries ECharts, and the file's name in it.
PACKAGE, FILE = "vizly", "echarts.min.js"
#: Server-side SVG came with this version.
MIN_VERSION = (5, 3)
#: V8 starts afresh after so many charts, so that memory stays bounded whatever a script leaves behind.
CHARTS_PER_CONTEXT = 2000
#: No chart takes a hundredth of this, in seconds and bytes.
TIMEOUT, MEMORY = 30.0, 512 * 1024 * 1024
_SCRIPT = "script.js"
_INSTALL = "run `pip install 'dsocr-jax[echarts]'`"


class Engine:
    """A V8 context with ECharts in it, made when it is first used, and again after many charts.

    A process that was forked from one that has drawn cannot draw; those of the pool are started afresh.
    """

    def __init__(self) -> None:
        self._context: Any = None
        self._drawn = 0

    def svg(self, options: dict[str, Any], width: int, height: int, widths: dict[str, dict[str, float]]) -> str:
        """Return a chart as SVG text; equal arguments give equal pictures.

        Args:
            options: ECharts' options. A string ``@texts`` as a formatter stands for a function that takes its texts
                from the list ``texts`` beside it.
            width, height: in pixels.
            widths: for each font family the advances of its characters in ems.

        Raises:
            UserError: ECharts or V8 is not installed.
        """
        if self._context is None or self._drawn >= CHARTS_PER_CONTEXT:
            self._start()
        self._drawn += 1
        arguments = json.dumps(json.dumps([options, width, height, widths]))
        return str(self._context.eval(f"draw({arguments})", timeout_sec=TIMEOUT, max_memory=MEMORY))

    def _start(self) -> None:
        source = echarts_file().read_text("utf-8")
        try:
            from py_mini_racer import MiniRacer
        except ImportError:
            raise UserError(f"charts by ECharts need mini-racer; {_INSTALL}.") from None
        self.close()
        self._context = MiniRacer()
        # At the interpreter's end V8's thread is frozen, and closing would wait for it without end.
        atexit.register(self.close)
        self._context.eval(Path(__file__).with_name(_SCRIPT).read_text("utf-8").replace("/*ECHARTS*/", source))
        found = str(self._context.eval("echarts.version"))
        if tuple(int(part) for part in found.split(".")[:2]) < MIN_VERSION:
            raise UserError(f"ECharts {found} is too old to draw SVG on its own; {_INSTALL} with `-U`.")
        self._drawn = 0

    def close(self) -> None:
        """Free V8's memory and threads; the next chart starts it again."""
        if self._context is not None:
            self._context.close()
            self._context = None
            atexit.unregister(self.close)


def echarts_file() -> Path:
    """Return the installed file with ECharts.

    Raises:
        UserError: the package that carries it is not installed.
    """
    try:
        files = importlib.metadata.files(PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    found = next((Path(str(file.locate())) for file in files if file.name == FILE), None)
    if found is None or not found.is_file():
        raise UserError(f"charts by ECharts need the package {PACKAGE}, which carries ECharts; {_INSTALL}.")
    return found


#: The process' engine.
ENGINE = Engine()
