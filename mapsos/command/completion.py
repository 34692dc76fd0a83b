"""``mapsos completion``: what a shell completes, made of the parsers of the commands."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mapsos.command.help import OPTIONS
from mapsos.command.parsers import PARSERS, make_completion_parser
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from argparse import ArgumentParser

_FILES = ("FILE", "FOLDER", "DATA", "unix:PATH")
"""Names of values that are paths."""


@dataclass(frozen=True)
class CommandWords:
    """The words after a command: its description, its options, those with a value that is a path or any other value."""

    name: str
    meaning: str
    options: tuple[tuple[str, str], ...]
    with_path: tuple[str, ...]
    with_value: tuple[str, ...]
    choices: tuple[str, ...] = ()
    takes_paths: bool = False


def run_completion(arguments: Sequence[str]) -> int:
    """Run ``mapsos completion``. Return 0."""
    shell = make_completion_parser().parse_args(arguments).shell
    sys.stdout.write({"bash": write_bash, "zsh": write_zsh, "fish": write_fish}[shell](list_commands()))
    return 0


def list_commands() -> list[CommandWords]:
    """Return the words of all commands, by their parsers."""
    return [_read_parser(name.split()[0], name, make()) for name, make in PARSERS.items()]


def _read_parser(name: str, whole: str, parser: ArgumentParser) -> CommandWords:
    options: list[tuple[str, str]] = []
    with_path: list[str] = []
    with_value: list[str] = []
    choices: list[str] = []
    takes_paths = False
    for action in parser._actions:
        if not action.option_strings:
            known = [str(choice) for choice in action.choices or ()]
            choices += known
            takes_paths |= not known and name != "help"
            continue
        meaning = (action.help or "").partition("(")[0].partition(";")[0].strip().replace("%", "")
        options += [(option, meaning) for option in action.option_strings]
        if action.nargs != 0:
            kind = with_path if action.metavar in _FILES else with_value
            kind += action.option_strings
    if name == "help":
        choices = list(PARSERS)
    if " " in whole:
        choices.append(whole.split()[1])
    meaning = (parser.description or "").partition(". ")[0].partition(" (")[0].rstrip(".")
    return CommandWords(
        name, meaning, tuple(options), tuple(with_path), tuple(with_value), tuple(choices), takes_paths
    )


def write_bash(commands: Sequence[CommandWords]) -> str:
    """Return the completion of bash: ``eval "$(mapsos completion bash)"``."""
    lines = [
        "# bash completion of mapsos",
        "_mapsos() {",
        '    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} words="" files=""',
        "    COMPREPLY=()",
        "    if ((COMP_CWORD == 1)); then",
        f"        words={_quote(' '.join([*dict.fromkeys(found.name for found in commands), *OPTIONS]))}",
        "    else",
        '        case "${COMP_WORDS[1]}" in',
    ]
    for found in commands:
        lines.append(f"        {found.name})")
        words = " ".join([*(option for option, _ in found.options), *found.choices])
        lines.append(f"            words={_quote(words)}")
        lines += ["            files=yes"] if found.takes_paths else []
        cases = []
        if found.with_path:
            cases.append(f"{' | '.join(found.with_path)}) words='' files=yes ;;")
        if found.with_value:
            cases.append(f"{' | '.join(found.with_value)}) words='' files='' ;;")
        if cases:
            inner = [f"                {case}" for case in cases]
            lines += ['            case "$before" in', *inner, "            esac"]
        lines.append("            ;;")
    lines += [
        "        esac",
        "    fi",
        '    COMPREPLY=($(compgen -W "$words" -- "$word"))',
        '    if [[ $files && $word != -* ]]; then',
        "        compopt -o filenames 2>/dev/null",
        '        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")',
        "    fi",
        "}",
        "complete -F _mapsos mapsos",
        "",
    ]
    return "\n".join(lines)


def write_zsh(commands: Sequence[CommandWords]) -> str:
    """Return the completion of zsh, to be saved as ``_mapsos`` in a folder of ``fpath``, or evaluated."""
    lines = ["#compdef mapsos", "", "_mapsos() {", "    local -a commands", "    commands=("]
    lines += [f"        {_quote(f'{found.name}:{found.meaning}')}" for found in commands]
    lines += ["    )", "    if ((CURRENT == 2)); then", "        _describe command commands", "        return"]
    lines += ["    fi", "    case ${words[2]} in"]
    for found in commands:
        lines.append(f"    {found.name})")
        specs = [_quote(spec) for spec in _list_zsh_specs(found)]
        lines.append("        shift words; ((CURRENT--))")
        lines.append(f"        _arguments {' '.join(specs)}")
        lines.append("        ;;")
    lines += [
        "    esac", "}", "", 'if [[ $funcstack[1] == _mapsos ]]; then', '    _mapsos "$@"', "else",
        "    compdef _mapsos mapsos", "fi", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _list_zsh_specs(found: CommandWords) -> Iterator[str]:
    for option, meaning in found.options:
        clean = meaning.replace("[", "(").replace("]", ")").replace(":", " ")
        value = ":file:_files" if option in found.with_path else ":value: " if option in found.with_value else ""
        yield f"{option}[{clean}]{value}"
    if found.choices:
        yield f"*:word:({' '.join(dict.fromkeys(word for choice in found.choices for word in choice.split()))})"
    elif found.takes_paths:
        yield "*:file:_files"


def write_fish(commands: Sequence[CommandWords]) -> str:
    """Return the completion of fish: ``mapsos completion fish | source``."""
    lines = ["# fish completion of mapsos", "complete -c mapsos -f"]
    for found in commands:
        lines.append(f"complete -c mapsos -n __fish_use_subcommand -a {found.name} -d {_quote_fish(found.meaning)}")
    for found in commands:
        condition = f"complete -c mapsos -n '__fish_seen_subcommand_from {found.name}'"
        for option, meaning in found.options:
            flag = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
            value = " -rF" if option in found.with_path else " -x" if option in found.with_value else ""
            lines.append(f"{condition} {flag}{value} -d {_quote_fish(meaning)}")
        if found.choices:
            lines.append(f"{condition} -a {_quote_fish(' '.join(found.choices))}")
        if found.takes_paths:
            lines.append(f"{condition} -F")
    return "\n".join([*lines, ""])


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _quote_fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
