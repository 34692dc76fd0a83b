"""``mapsos serve``."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mapsos.command.drafting.data_sets import DraftError, is_data_source
from mapsos.command.drafting.draft import draft_map, name_map
from mapsos.command.parsers import make_serve_parser
from mapsos.config.settings import SettingsError, read_settings
from mapsos.servers.listening import is_handed_over
from mapsos.servers.process import prepare_process
from mapsos.servers.routes import ServingError
from mapsos.servers.serve import ServerOptions, serve


def run_serve(arguments: Sequence[str]) -> int:
    """Run ``mapsos serve``. Return 0 after a signal ended it, 2 if it cannot start."""
    parser = make_serve_parser()
    options = parser.parse_args(arguments)

    on_port = options.host is not None or options.port is not None
    if on_port and options.bind is not None:
        parser.error("--bind already sets the address: omit --host and --port")
    if is_handed_over(os.environ) and (on_port or options.bind is not None):
        parser.error("systemd already sets the address: omit --host, --port and --bind")
    try:
        settings = read_settings(os.environ, options.conf)
        prepare_process(settings, sys.stdout, "info")
        server = ServerOptions(
            host=ServerOptions.host if options.host is None else options.host,
            port=ServerOptions.port if options.port is None else options.port,
            path=options.bind,
            workers=options.workers,
            threads=options.threads,
            requests=options.requests,
        )
        with _draft_sources(options.mapfiles) as mapfiles:
            serve(settings, mapfiles, server)
    except (DraftError, ServingError, SettingsError) as error:
        sys.stderr.write(f"mapsos serve: {error}\n")
        return 2
    return 0


@contextmanager
def _draft_sources(words: Sequence[str]) -> Iterator[list[str]]:
    """Return mapfiles in which the sources of data among the words, and all that follow one, are drafted as one map.

    It is in a private temporary folder that is removed at the end. Raises DraftError.
    """
    first = next((index for index, word in enumerate(words) if is_data_source(word)), len(words))
    mapfiles, sources = list(words[:first]), list(words[first:])
    for word in [word for word in sources if word.endswith(".map")]:
        sources.remove(word)
        mapfiles.append(word)
    if not sources:
        yield mapfiles
        return
    folder, owner = Path(tempfile.mkdtemp(prefix="mapsos-")), os.getpid()
    try:
        path = folder / f"{name_map(sources)}.map"
        if not _draft_elsewhere(sources, path):
            raise DraftError("cannot serve these sources")
        yield [*mapfiles, str(path)]
    finally:
        # The processes of the server leave this way too.
        if os.getpid() == owner:
            shutil.rmtree(folder, ignore_errors=True)


def _draft_elsewhere(sources: Sequence[str], path: Path) -> bool:
    """Draft the map of sources in another process, and return whether it is there.

    The processes of the server are copies of this one, which therefore must not have used GDAL and PROJ.
    """
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    code = 1
    try:
        # No address: it is that of each request, whatever the port.
        draft = draft_map(sources, name=path.stem)
        draft.write(path)
        sys.stderr.writelines(f"mapsos serve: {line[:1].lower()}{line[1:]}\n" for line in draft.omitted)
        code = 0
    except DraftError as error:
        sys.stderr.write(f"mapsos serve: {error}\n")
    except Exception:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)
