"""Answer a single request from the command line: ``mapsos get``, and the arguments of mapserv."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

from mapsos.command.arguments import make_parser
from mapsos.config.settings import SettingsError, read_settings
from mapsos.servers.cgi import NO_REQUEST, get_response, serve_request
from mapsos.servers.routes import ServingError, name_mapfiles, serve_only


def run_get(arguments: Sequence[str]) -> int:
    """Run ``mapsos get``. Return 0, 1 if the answer reports an error, or 2 if the mapfile is missing."""
    parser = make_parser("get", "Print the answer of a mapfile to a query, without a server.")
    parser.add_argument("mapfile", metavar="MAPFILE")
    parser.add_argument("query", metavar="QUERY", help='for example "service=SOS&request=GetCapabilities"')
    options = parser.parse_args(arguments)

    try:
        mapfiles = name_mapfiles([options.mapfile])
        (name,) = mapfiles
        settings = serve_only(read_settings(os.environ), mapfiles, name)
    except (ServingError, SettingsError) as error:
        sys.stderr.write(f"mapsos get: {error}\n")
        return 2
    environ = {
        "REQUEST_METHOD": "GET",
        "QUERY_STRING": options.query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": f"/{name}",
    }
    return get_response(settings, environ, sys.stdout.buffer)


def run_cgi(environ: Mapping[str, str], conf: str | None, *, headers: bool) -> int:
    """Answer the request in the environment, as a CGI program does. Return the exit code.

    Parameters
    ----------
    environ
        The variables of CGI.
    conf
        The configuration file, None for that of the environment.
    headers
        Whether to write HTTP headers.
    """
    if "REQUEST_METHOD" not in environ:
        sys.stdout.write(NO_REQUEST)
        return 0
    return serve_request(environ, sys.stdin.buffer, sys.stdout.buffer, conf=conf, headers=headers)
