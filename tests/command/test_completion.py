"""mapsos help and completion: what they know is what the parsers know."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mapsos.command.cli import main
from mapsos.command.completion import list_commands, write_bash, write_fish, write_zsh
from mapsos.command.parsers import ALL_PARSERS

COMMAND = Path(sys.executable).parent / "mapsos"


def complete(*words: str, cwd: Path) -> list[str]:
    """What bash offers for the last word."""
    script = (
        f"source <('{COMMAND}' completion bash); COMP_WORDS=(mapsos \"$@\"); COMP_CWORD=$#; _mapsos;"
        ' printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", script, "bash", *words],
        cwd=cwd, capture_output=True, text=True, timeout=60, check=True,
    )
    assert done.stderr == ""
    return done.stdout.split("\n")[:-1]


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("",), ["serve", "init", "check", "get", "keys", "cgi", "completion", "help", "--help", "--version", "-h",
                 "-v", "-nh", "-conf"]),
        (("che",), ["check"]),
        (("check", "--st"), ["--strict"]),
        (("check", "my"), ["my map.map"]),
        (("serve", "--conf", "my"), ["my map.map"]),
        (("serve", "--port", ""), [""]),
        (("completion", "f"), ["fish"]),
        (("cgi", "ins"), ["install"]),
        (("cgi", "install", "--m"), ["--map"]),
        (("keys", ""), ["add", "list", "show", "disable", "enable", "limit", "rotate", "remove", "log"]),
        (("keys", "add", "--per"), ["--per-day"]),
        (("keys", "list", "--per"), [""]),
        (("keys", "rotate", "--ke"), ["--keys", "--keep"]),
        (("keys", "list", "--keys", "my"), ["my map.map"]),
        (("help", "in"), ["init", "install"]),
        (("get", "my map.map", "--da"), ["--data"]),
    ],
    ids=" ".join,
)  # fmt: skip
def test_bash(tmp_path: Path, words: tuple[str, ...], offered: list[str]) -> None:
    (tmp_path / "my map.map").touch()
    assert complete(*words, cwd=tmp_path) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_knows_every_option(shell: str) -> None:
    text = {"bash": write_bash, "zsh": write_zsh, "fish": write_fish}[shell](list_commands())
    for name, make in ALL_PARSERS.items():
        assert name.split()[0] in text
        for action in make()._actions:
            for option in action.option_strings:
                assert (f"-l {option[2:]}" if shell == "fish" and option.startswith("--") else option) in text or (
                    shell == "fish" and f"-s {option[1:]}" in text
                )


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_reads_it(tmp_path: Path, shell: str) -> None:
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed here")
    text = subprocess.run([COMMAND, "completion", shell], capture_output=True, text=True, timeout=60, check=True).stdout
    (tmp_path / "script").write_text(text)
    subprocess.run([program, "-n", tmp_path / "script"], timeout=60, check=True)


@pytest.mark.parametrize("name", ALL_PARSERS)
def test_help_of_a_command(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help", *name.split()]) == 0
    assert capsys.readouterr().out.startswith(f"usage: mapsos {name} ")


def test_help_alone_and_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help"]) == 0
    assert capsys.readouterr().out.startswith("Usage: mapsos")
    assert main(["help", "chek"]) == 2
    assert capsys.readouterr().err == "mapsos help: unknown command: chek. Did you mean check?\n"


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (("sevre",), "unknown command: sevre. Did you mean serve?"),
        (("--versoin",), "unknown argument: --versoin. Did you mean --version?"),
        (("check", "--stict", "x.map"), "unknown option --stict. Did you mean --strict?"),
        (("serve", "--prot=80", "x.map"), "unknown option --prot. Did you mean --port?"),
        (("zzzz",), "unknown command: zzzz\n"),
    ],
)
def test_what_was_meant(arguments: tuple[str, ...], meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(list(arguments)) == 2
    assert meant in capsys.readouterr().err
