"""Break parts of the package in a process that has this folder in PYTHONPATH.

Two parts fail in a way that nothing expects, and one in the middle of reading data.

Python imports this module when it starts. It breaks the parts as soon as they are imported: a CGI process that hands
its request over imports none of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

_mend: list[Callable[[], None]] = []


def _explode(where: str) -> None:
    raise ZeroDivisionError(f"division by zero in /secret/{where}.py")


def _break_layer(module: Any) -> None:
    opened = module.Layer.__init__

    def init(self: Any, source: Any) -> None:
        if "exploding" in (source.connection or ""):
            _explode("layer")
        opened(self, source)

    module.Layer.__init__ = init
    _mend.append(lambda: setattr(module.Layer, "__init__", opened))


def _break_rows(module: Any) -> None:
    from mapsos.sources.errors import SourceError

    read = module.LayerRows.rows

    def read_some(self: Any, *arguments: object, **named: object) -> Iterator[Any]:
        left = 20_000 if "damaged" in (self._source.connection or "") else None
        for rows in read(self, *arguments, **named):
            if left is not None and (left := left - rows.count) < 0:
                raise SourceError("layer damaged cannot be read", "/secret/damaged.gpkg is malformed")
            yield rows

    module.LayerRows.rows = read_some
    _mend.append(lambda: setattr(module.LayerRows, "rows", read))


def _break_pages(module: Any) -> None:
    send = module.PageExchange._send_file

    def explode(self: Any, file: object) -> object:
        if "HTTP_X_EXPLODE" in self._request.environ:
            _explode("pages")
        return send(self, file)

    module.PageExchange._send_file = explode
    _mend.append(lambda: setattr(module.PageExchange, "_send_file", send))


_PARTS = {
    "mapsos.sources.layer": _break_layer,
    "mapsos.sources.layer_rows": _break_rows,
    "mapsos.pages.answer": _break_pages,
}


def break_parts() -> None:
    """Break the parts in this process."""
    from importlib import import_module

    for name, break_part in _PARTS.items():
        break_part(import_module(name))


def mend_parts() -> None:
    """Undo `break_parts`."""
    while _mend:
        _mend.pop()()


class _Breaker(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in _PARTS:
            return None
        spec = PathFinder.find_spec(name, path)
        loader: Any = spec and spec.loader
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            _PARTS[name](module)

        loader.exec_module = exec_module
        return spec


if __name__ == "sitecustomize":
    sys.meta_path.insert(0, _Breaker())
