"""The manual page of the command, docs/mapsos.1, made of its parsers: ``python -m tests.docs.tables`` writes it."""

from __future__ import annotations

from mapsos.command.parsers import ALL_PARSERS

_HEAD = """\
.\\" Written by python -m tests.docs.tables from the parsers of the commands.
.TH MAPSOS 1
.SH NAME
mapsos \\- a Sensor Observation Service that is configured by a MapServer mapfile
.SH SYNOPSIS
.B mapsos
.I COMMAND
.RI [ OPTIONS ]
.br
.B mapsos
.RB [ \\-nh ]
.RB [ \\-conf
.IR FILE ]
.BI QUERY_STRING= QUERY
.RB [ PATH_INFO=\\fIPATH\\fP ]
.br
.B mapsos
.BR \\-\\-help " | " \\-\\-version " | " \\-v
.SH DESCRIPTION
.B mapsos
serves the layers of a mapfile as a Sensor Observation Service (OGC SOS 1.0.0), by a REST interface, and as pages
for browsers. Started by a web server it is a CGI program and reads no arguments. With
.BI QUERY_STRING= QUERY
it answers that request as CGI would, as mapserv does; \\fB\\-nh\\fP leaves out the HTTP headers, and \\fB\\-v\\fP
prints the version and the inputs that this machine can read.
.SH COMMANDS
"""
_TAIL = """\
.SH EXIT STATUS
.TP
.B 0
Success.
.TP
.B 1
The answer reports an error, the mapfile of \\fBmapsos get\\fP is faulty, \\fBmapsos check \\-\\-strict\\fP has
warnings, or no key has the name that \\fBmapsos keys\\fP is given.
.TP
.B 2
Wrong arguments, missing files, errors found by \\fBmapsos check\\fP, or a store of keys that cannot be used.
.TP
.B 141
Nobody reads the output any more.
.SH ENVIRONMENT
.TP
.B MAPSERVER_CONFIG_FILE
The configuration file. Its options can also be environment variables: MS_MAPFILE, MAPSOS_LOG_LEVEL and so on.
.SH EXAMPLES
.nf
mapsos init gauges.gpkg \\-o gauges.map
mapsos check gauges.map
mapsos serve gauges.map
mapsos get gauges.map "service=SOS&request=GetCapabilities" \\-o capabilities.xml
.fi
.SH SEE ALSO
The documentation, which begins with README.md.
"""


def write_manual() -> str:
    """Return the page in roff."""
    parts = [_HEAD]
    for name, make in ALL_PARSERS.items():
        parser = make()
        parts.append(f".SS mapsos {_escape(name)}\n{_escape(parser.description or '')}\n")
        for action in parser._actions:
            meaning = _escape((action.help or "").replace("%(default)s", str(action.default)))
            value = action.metavar if isinstance(action.metavar, str) else ""
            names = [_escape(option) for option in action.option_strings] or [_escape(value)]
            shown = f" \\fI{_escape(value)}\\fP" if action.option_strings and action.nargs != 0 and value else ""
            parts.append(f".TP\n\\fB{', '.join(names)}\\fP{shown}\n" + (f"{meaning}\n" if meaning else ""))
    return "".join([*parts, _TAIL])


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace("-", "\\-").replace("'", "\\(aq")
