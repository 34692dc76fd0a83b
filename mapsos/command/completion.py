"""``mapsos completion``: what a shell completes, made of the parsers of the commands."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import TYPE_CHECKING

from mapsos.command.help import OPTIONS
from mapsos.command.parsers import ALL_PARSERS, PARSERS, make_completion_parser
from mapsos.terms.values import dataclass

if TYPE_CHECKING:
    from argparse import ArgumentParser

_FILES = ("FILE", "FOLDER", "DATA", "unix:PATH", "PATH|URL")
"""Names of values that are paths."""
_WORDS = ("COMMAND", "NAME", "N|none")
"""Names of arguments that are not paths."""


@dataclass(frozen=True)
class CommandWords:
    """The words after a command: its description, its options, those with a value that is a path or any other value.

    ``actions`` are the second words of its name; its further words are then in a list of each action.
    """

    name: str
    meaning: str
    options: tuple[tuple[str, str], ...]
    with_path: tuple[str, ...]
    with_value: tuple[str, ...]
    choices: tuple[str, ...] = ()
    takes_paths: bool = False
    actions: Mapping[str, CommandWords] = field(default_factory=dict)


def run_completion(arguments: Sequence[str]) -> int:
    """Run ``mapsos completion``. Return 0."""
    shell = make_completion_parser().parse_args(arguments).shell
    sys.stdout.write({"bash": write_bash, "zsh": write_zsh, "fish": write_fish}[shell](list_commands()))
    return 0


def list_commands() -> list[CommandWords]:
    """Return the words of all commands, by their parsers."""
    found: dict[str, CommandWords] = {}
    for name, make in PARSERS.items():
        actions = {
            whole.split()[1]: _read_parser(whole.split()[1], make_action())
            for whole, make_action in ALL_PARSERS.items()
            if whole.startswith(f"{name.split()[0]} ")
        }
        words = _read_parser(name.split()[0], make())
        if actions:
            words = CommandWords(words.name, words.meaning, (), (), (), tuple(actions), actions=actions)
        found[words.name] = words
    return list(found.values())


def _read_parser(name: str, parser: ArgumentParser) -> CommandWords:
    options: list[tuple[str, str]] = []
    with_path: list[str] = []
    with_value: list[str] = []
    choices: list[str] = []
    takes_paths = False
    for action in parser._actions:
        if not action.option_strings:
            known = [str(choice) for choice in action.choices or ()]
            choices += known
            takes_paths |= not known and action.metavar not in _WORDS
            continue
        meaning = (action.help or "").partition("(")[0].partition(";")[0].strip().replace("%", "")
        options += [(option, meaning) for option in action.option_strings]
        if action.nargs != 0:
            kind = with_path if action.metavar in _FILES else with_value
            kind += action.option_strings
    if name == "help":
        choices = list(PARSERS)
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
        if found.actions:
            lines += [f"            words={_quote(' '.join(found.choices))}"]
            lines += ["            if ((COMP_CWORD > 2)); then", '            case "${COMP_WORDS[2]}" in']
            for action in found.actions.values():
                lines += [f"            {action.name})", *_list_bash_words(action), "            ;;"]
            lines += ["            esac", "            fi"]
        else:
            lines += _list_bash_words(found)
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


def _list_bash_words(found: CommandWords) -> Iterator[str]:
    words = " ".join([*(option for option, _ in found.options), *found.choices])
    yield f"            words={_quote(words)}"
    if found.takes_paths:
        yield "            files=yes"
    cases = []
    if found.with_path:
        cases.append(f"{' | '.join(found.with_path)}) words='' files=yes ;;")
    if found.with_value:
        cases.append(f"{' | '.join(found.with_value)}) words='' files='' ;;")
    if cases:
        yield '            case "$before" in'
        yield from (f"                {case}" for case in cases)
        yield "            esac"


def write_zsh(commands: Sequence[CommandWords]) -> str:
    """Return the completion of zsh, to be saved as ``_mapsos`` in a folder of ``fpath``, or evaluated."""
    lines = ["#compdef mapsos", "", "_mapsos() {", "    local -a commands", "    commands=("]
    lines += [f"        {_quote(f'{found.name}:{found.meaning}')}" for found in commands]
    lines += ["    )", "    if ((CURRENT == 2)); then", "        _describe command commands", "        return"]
    lines += ["    fi", "    case ${words[2]} in"]
    for found in commands:
        lines.append(f"    {found.name})")
        lines.append("        shift words; ((CURRENT--))")
        if found.actions:
            lines += ["        if ((CURRENT == 2)); then", f"            compadd {' '.join(found.choices)}"]
            lines += ["            return", "        fi", "        case ${words[2]} in"]
            for action in found.actions.values():
                lines += [f"        {action.name})", "            shift words; ((CURRENT--))"]
                lines += [f"            _arguments {_join_zsh_specs(action)}", "            ;;"]
            lines.append("        esac")
        else:
            lines.append(f"        _arguments {_join_zsh_specs(found)}")
        lines.append("        ;;")
    lines += [
        "    esac", "}", "", 'if [[ $funcstack[1] == _mapsos ]]; then', '    _mapsos "$@"', "else",
        "    compdef _mapsos mapsos", "fi", "",
    ]  # fmt: skip
    return "\n".join(lines)


def _join_zsh_specs(found: CommandWords) -> str:
    return " ".join(_quote(spec) for spec in _list_zsh_specs(found))


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
        condition = f"__fish_seen_subcommand_from {found.name}"
        if not found.actions:
            lines += _list_fish_lines(found, condition)
            continue
        names = " ".join(found.choices)
        begins = f"{condition}; and not __fish_seen_subcommand_from {names}"
        lines.append(f"complete -c mapsos -n {_quote_fish(begins)} -a {_quote_fish(names)}")
        for action in found.actions.values():
            lines += _list_fish_lines(action, f"{condition}; and __fish_seen_subcommand_from {action.name}")
    return "\n".join([*lines, ""])


def _list_fish_lines(found: CommandWords, condition: str) -> Iterator[str]:
    begin = f"complete -c mapsos -n {_quote_fish(condition)}"
    for option, meaning in found.options:
        flag = f"-l {option[2:]}" if option.startswith("--") else f"-s {option[1:]}"
        value = " -rF" if option in found.with_path else " -x" if option in found.with_value else ""
        yield f"{begin} {flag}{value} -d {_quote_fish(meaning)}"
    if found.choices:
        yield f"{begin} -a {_quote_fish(' '.join(found.choices))}"
    if found.takes_paths:
        yield f"{begin} -F"


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _quote_fish(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
