"""The installed program: CGI, with the help of the worker, if a web server runs it; else the command line.

The environment alone decides, before anything is imported: a CGI request that the worker answers does not pay for
more (see `mapsos.servers.resident`).
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from mapsos.config.settings import Settings


def main() -> int:
    """Run the program. Return the exit code; after a single request, end the process instead."""
    if "QUERY_STRING" in os.environ and "REQUEST_METHOD" in os.environ:
        return _serve_cgi()
    _complete_path()
    from mapsos.command.cli import main as run_command

    query = _find_query(sys.argv[1:])
    if query is None:
        return run_command()
    from mapsos.servers.one_shot import leave, start_early

    start_early(query)
    leave(run_command())


def _find_query(arguments: list[str]) -> str | None:
    """Return the query of a command line that answers a single request, None for any other."""
    if arguments[:1] == ["get"]:
        return " ".join(arguments)
    return next((argument for argument in arguments if argument.startswith("QUERY_STRING=")), None)


def _serve_cgi() -> int:
    from mapsos.servers.resident.client import hand_over

    environ = dict(os.environb)
    code, body = hand_over(environ)
    if code is not None:
        # Nothing needs cleaning up, and tearing down the interpreter takes time.
        os._exit(code)
    _complete_path()
    from mapsos.servers.one_shot import leave, resume_input, start_early

    start_early(os.environ["QUERY_STRING"])
    from mapsos.servers.cgi import serve_request

    def start_worker(settings: Settings) -> None:
        if settings.cgi_worker:
            from mapsos.servers.resident import launch

            try:
                launch.start_worker(environ)
            except OSError as error:
                import logging

                logging.getLogger("mapsos").warning("cannot start a CGI worker: %s", error)

    leave(serve_request(os.environ, resume_input(body, sys.stdin.buffer), sys.stdout.buffer, prepare=start_worker))


def _complete_path() -> None:
    """Complete the module path, which the interpreter omits for a program that `mapsos cgi install` wrote."""
    if sys.flags.no_site:
        import site

        site.main()


if __name__ == "__main__":
    sys.exit(main())
