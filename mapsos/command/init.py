"""``mapsos init``."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from mapsos.command.drafting.data_sets import DraftError
from mapsos.command.drafting.draft import draft_map
from mapsos.command.parsers import make_init_parser


def run_init(arguments: Sequence[str]) -> int:
    """Run ``mapsos init``. Return 0, or 2 if no map can be drafted or written."""
    parser = make_init_parser()
    options = parser.parse_args(arguments)

    output = Path(options.output) if options.output else None
    if output is not None and output.exists() and not options.force:
        sys.stderr.write(f"mapsos init: {output} exists; write another file, or overwrite it with --force\n")
        return 2
    folder = output.resolve().parent if output is not None else Path.cwd()
    name = options.name or (output.stem if output is not None else None)
    beside: list[Path] = []
    try:
        draft = draft_map(
            options.sources,
            layers=options.layer or (),
            name=name,
            folder=folder,
            url=options.url,
            has_companions=output is not None,
        )
        if output is None:
            sys.stdout.buffer.write(draft.text.encode())
            sys.stdout.buffer.flush()
        else:
            taken = [file for file in draft.companions if output.with_name(file).exists() and not options.force]
            if taken:
                raise DraftError(f"{output.with_name(taken[0])} exists; move it, or overwrite it with --force")
            beside = draft.write(output)
    except DraftError as error:
        sys.stderr.write(f"mapsos init: {error}\n")
        return 2
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        sys.stderr.write(f"mapsos init: cannot write {output}: {os.strerror(error.errno or 0)}\n")
        return 2
    for line in draft.omitted:
        sys.stderr.write(f"mapsos init: {line[:1].lower()}{line[1:]}\n")
    if output is not None:
        written = ", ".join(map(str, [output, *beside]))
        sys.stderr.write(f"mapsos init: wrote {written}; next: mapsos check {output}, then mapsos serve {output}\n")
    return 0
