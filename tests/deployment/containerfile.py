"""A Containerfile and the arguments of `podman run`, as far as docs/deployment.md uses them; all else is refused."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass, field


@dataclass
class Image:
    """What a Containerfile says: steps to build with, in order, and how its program starts."""

    base: str = ""
    steps: list[tuple[str, str]] = field(default_factory=list)
    """RUN with a command, or COPY with sources and target."""
    user: str = "root"
    environment: dict[str, str] = field(default_factory=dict)
    ports: list[int] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)


@dataclass
class Run:
    """A `podman run`: what it admits, and the arguments of the program."""

    read_only: bool = False
    no_capabilities: bool = False
    no_new_privileges: bool = False
    ports: dict[str, int] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)
    """Source by target; all are read-only."""
    scratch: list[str] = field(default_factory=list)
    image: str = ""
    arguments: list[str] = field(default_factory=list)


def read_containerfile(text: str) -> Image:
    image = Image()
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            image.base = rest
        elif word in ("RUN", "COPY"):
            assert image.user == "root", "steps of another user than root are not done here"
            image.steps.append((word, rest))
        elif word == "USER":
            image.user = rest
        elif word == "ENV":
            image.environment |= dict(pair.split("=", 1) for pair in shlex.split(rest))
        elif word == "EXPOSE":
            image.ports.append(int(rest))
        elif word == "HEALTHCHECK":
            image.health = json.loads(rest.partition("CMD ")[2])
        elif word == "ENTRYPOINT":
            image.entrypoint = json.loads(rest)
        else:
            raise AssertionError(f"nobody knows how to do {line}")
    return image


def read_run(command: str) -> Run:
    run = Run()
    words = iter(shlex.split(command)[2:])
    for word in words:
        if word == "--read-only":
            run.read_only = True
        elif word == "--cap-drop=all":
            run.no_capabilities = True
        elif word == "--security-opt=no-new-privileges":
            run.no_new_privileges = True
        elif word == "--publish":
            address, _, port = next(words).rpartition(":")
            run.ports[address] = int(port)
        elif word == "--volume":
            source, target, mode = next(words).split(":")
            assert mode == "ro"
            run.volumes[target] = source
        elif word == "--tmpfs":
            run.scratch.append(next(words))
        elif word != "--detach":
            assert not word.startswith("-"), f"nobody knows what {word} is"
            run.image = word
            run.arguments = list(words)
    return run
