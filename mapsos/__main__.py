"""The installed program: CGI if a web server runs it, with the worker's help; else the command line.

It decides by the environment alone, before anything is imported: a CGI request that the worker answers pays for
nothing else (see `mapsos.resident`).
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO

    from mapsos.settings import Settings


def main() -> int:
    """Run the program. Gives the exit code; does not come back from a request that the worker answered."""
    if "QUERY_STRING" in os.environ and "REQUEST_METHOD" in os.environ:
        return _serve_cgi()
    _complete_path()
    from mapsos.cli import main as run_command

    return run_command()


def _serve_cgi() -> int:
    from mapsos.resident.client import hand_over

    environ = dict(os.environb)
    code, body = hand_over(environ)
    if code is not None:
        # There is nothing to clean up, and tearing down the interpreter takes time.
        os._exit(code)
    _complete_path()
    from mapsos.cgi import serve_request

    def start_worker(settings: Settings) -> None:
        if settings.cgi_worker:
            from mapsos.resident import launch

            try:
                launch.start_worker(environ)
            except OSError as error:
                import logging

                logging.getLogger("mapsos").warning("there is no CGI worker: %s", error)

    return serve_request(os.environ, _resume_input(body), sys.stdout.buffer, prepare=start_worker)


def _complete_path() -> None:
    """Do what the interpreter left out for a program that `mapsos cgi install` wrote."""
    if sys.flags.no_site:
        import site

        site.main()


def _resume_input(body: bytes) -> BinaryIO:
    """Give standard input with what was read of it put back."""
    if not body:
        return sys.stdin.buffer
    from mapsos.resident.resumption import resume_input

    return resume_input(body, sys.stdin.buffer)


if __name__ == "__main__":
    sys.exit(main())
