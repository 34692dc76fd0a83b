"""``mapsos cgi install``: a CGI program that starts without what the interpreter looks up for general use."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

from mapsos.config.settings import SettingsError, read_settings
from mapsos.servers.resident.worker_name import PACKAGE

PROGRAM = "mapsos"
"""The name of the program in its folder."""
_MARK = "# The CGI program of mapsos, written by `mapsos cgi install`: run that again instead of changing it."


class InstallError(Exception):
    """Why there is no program, in words for whoever asked for one."""


def install_program(folder: str, conf: str | None = None, mapfile: str | None = None) -> str:
    """Write the program into a folder, in one step: its path.

    It is for the interpreter and the package that run this, and has their paths in it.

    Parameters
    ----------
    folder
        Where the web server looks for CGI programs; it must be there.
    conf
        The configuration file that it reads, instead of the one that the web server's environment names.
    mapfile
        The map of requests without ``map=``, as MS_MAPFILE in the web server's environment.

    Raises
    ------
    InstallError
        The folder is not there or cannot be written, holds another program of that name; a file is not there, or the
        configuration file is faulty or names another map itself.
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
        raise InstallError(f"{conf} says MS_MAPFILE itself, which wins: leave --map out, or MS_MAPFILE there")
    target = Path(folder, PROGRAM)
    try:
        if (target.exists() or target.is_symlink()) and _MARK.encode() not in target.read_bytes()[:4096]:
            raise InstallError(f"{target} is there already, and `mapsos cgi install` did not write it")
        _replace_file(target, write_program(sys.executable, os.path.dirname(PACKAGE), environ))
    except OSError as error:
        raise InstallError(f"{target} cannot be written: {error.strerror}") from error
    return str(target)


def write_program(interpreter: str, package_folder: str, environ: dict[str, str]) -> str:
    """Write the program's text.

    ``-I`` has neither the environment nor the working directory say where modules come from; ``-S`` leaves out the
    search for what is installed, which only a process needs that answers by itself.
    """
    start = f"#!{interpreter} -IS\n"
    if len(start) > 127 or " " in interpreter:
        # More than a kernel takes there: the shell reads these lines, and for Python they are a string.
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
        raise InstallError(f"there is no file {path}")
    return os.path.abspath(path)


def _replace_file(path: Path, text: str) -> None:
    """Write a program so that nobody ever runs half of it."""
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
