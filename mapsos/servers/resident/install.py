"""Install a CGI program that starts without the interpreter's general search for packages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from mapsos.config.settings import SettingsError, read_settings
from mapsos.servers.resident.worker_name import PACKAGE

PROGRAM = "mapsos"
"""The name of the program in its folder."""
_MARK = "# The CGI program of mapsos, written by `mapsos cgi install`: run that again instead of changing it."


class InstallError(Exception):
    """The program cannot be installed; the message is for the admin."""


def install_program(folder: str, conf: str | None = None, mapfile: str | None = None) -> str:
    """Write the program into a folder, in one step, and return its path.

    The program contains the paths of the interpreter and the package that run this.

    Parameters
    ----------
    folder
        An existing folder in which the web server looks for CGI programs.
    conf
        Its configuration file, instead of the one in the web server's environment.
    mapfile
        The map of requests without ``map=``, as MS_MAPFILE in the web server's environment.

    Raises
    ------
    InstallError
        The folder is missing, cannot be written or contains another program of that name; a file is missing; or the
        configuration file has errors or sets another map.
    """
    environ = {}
    if conf is not None:
        environ["MAPSERVER_CONFIG_FILE"] = _find_file(conf)
    if mapfile is not None:
        environ["MS_MAPFILE"] = _find_file(mapfile)
    try:
        settings = read_settings(environ)
    except SettingsError as error:
        raise InstallError(str(error)) from error
    if mapfile is not None and settings.mapfile != environ["MS_MAPFILE"]:
        raise InstallError(f"{conf} sets MS_MAPFILE, which takes precedence: omit --map, or remove MS_MAPFILE there")
    target = Path(folder, PROGRAM)
    try:
        if (target.exists() or target.is_symlink()) and _MARK.encode() not in target.read_bytes()[:4096]:
            raise InstallError(f"{target} exists and was not written by `mapsos cgi install`")
        _replace_file(target, write_program(sys.executable, os.path.dirname(PACKAGE), environ))
    except OSError as error:
        raise InstallError(f"{target} cannot be written: {error.strerror}") from error
    return str(target)


def write_program(interpreter: str, package_folder: str, environ: dict[str, str]) -> str:
    """Write the program's text.

    ``-I`` ignores environment and working directory when looking for modules; ``-S`` omits the search for installed
    packages, which only a process needs that answers itself.
    """
    start = f"#!{interpreter} -IS\n"
    if len(start) > 127 or " " in interpreter:
        # Longer than a kernel accepts: the shell runs these lines, and for Python they are a string.
        quoted = interpreter.replace("'", "'\"'\"'")
        start = f"#!/bin/sh\n'''exec' '{quoted}' -IS \"$0\" \"$@\"\n' '''\n"
    lines = [
        _MARK,
        "import os",
        "import sys",
        "",
        f"sys.path.append({package_folder!r})",
        *(f"os.environ[{name!r}] = {value!r}" for name, value in environ.items()),
        "from mapsos.__main__ import main",
        "",
        "sys.exit(main())",
    ]
    return start + "\n".join(lines) + "\n"


def _find_file(path: str) -> str:
    if not os.path.isfile(path):
        raise InstallError(f"file not found: {path}")
    return os.path.abspath(path)


def _replace_file(path: Path, text: str) -> None:
    """Write a program in one step, so that half of it is never run."""
    # 4 ms of all other commands.
    import secrets

    beside = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    number = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o755)
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise
