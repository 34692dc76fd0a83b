"""``mapsos serve``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from mapsos.command.arguments import count, make_parser, port, unix_path
from mapsos.config.settings import SettingsError, read_settings
from mapsos.servers.listening import is_handed_over
from mapsos.servers.process import prepare_process
from mapsos.servers.routes import ServingError
from mapsos.servers.serve import ServerOptions, serve


def run_serve(arguments: Sequence[str]) -> int:
    """Run ``mapsos serve``. Return 0 after a signal ended it, 2 if it cannot start."""
    parser = make_parser("serve", "Serve mapfiles over HTTP, each at /NAME, its file name without .map.")
    parser.add_argument("mapfiles", metavar="MAPFILE", nargs="+")
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=port, help="port to listen on, 0 for any free one (8080)")
    parser.add_argument("--bind", type=unix_path, metavar="unix:PATH", help="Unix socket, instead of host and port")
    parser.add_argument("--workers", type=count, default=len(os.sched_getaffinity(0)), help="processes (%(default)s)")
    parser.add_argument("--threads", type=count, default=4, help="threads of each process (%(default)s)")
    parser.add_argument("--conf", metavar="FILE", help="configuration file, instead of MAPSERVER_CONFIG_FILE")
    parser.add_argument("--requests", metavar="FILE", help="print the paths in FILE, one per line, as URLs to try")
    options = parser.parse_args(arguments)

    on_port = options.host is not None or options.port is not None
    if on_port and options.bind is not None:
        parser.error("--bind already sets the address: omit --host and --port")
    if is_handed_over(os.environ) and (on_port or options.bind is not None):
        parser.error("systemd already sets the address: omit --host, --port and --bind")
    try:
        settings = read_settings(os.environ, options.conf)
        prepare_process(settings, sys.stdout)
        server = ServerOptions(
            host=ServerOptions.host if options.host is None else options.host,
            port=ServerOptions.port if options.port is None else options.port,
            path=options.bind,
            workers=options.workers,
            threads=options.threads,
            requests=options.requests,
        )
        serve(settings, options.mapfiles, server)
    except (ServingError, SettingsError) as error:
        sys.stderr.write(f"mapsos serve: {error}\n")
        return 2
    return 0
