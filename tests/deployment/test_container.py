"""The Containerfile: its steps done in a root of Debian, and its program run as `podman run` would run it.

Where no container engine works, namespaces, users and capabilities are those of util-linux.
"""

from __future__ import annotations

import http.client
import os
import re
import shlex
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator

import pytest

from tests.docs.markdown import ROOT

from .containerfile import Image, Run, read_containerfile, read_run
from .deployed import CAPABILITIES, WEEK
from .guide import read_file, read_steps
from .machine import Machine


@pytest.fixture(scope="module")
def image() -> Image:
    return read_containerfile((ROOT / "Containerfile").read_text("utf-8"))


@pytest.fixture(scope="module")
def asked() -> Run:
    (commands,) = [step.text for step in read_steps("A container") if step.option("engine")]
    (run,) = [line for line in commands.replace("\\\n", "").splitlines() if line.startswith("podman run ")]
    return read_run(run)


def test_the_document_shows_it() -> None:
    assert read_file("Containerfile") == (ROOT / "Containerfile").read_text("utf-8")


def test_it_installs_what_the_set_up_installs(image: Image) -> None:
    """So the root that the set-up was run in stands for the base with these packages."""
    wanted = re.search(r"^system_packages=\((.*)\)$", (ROOT / "script/setup").read_text(), re.M)
    assert wanted
    (command,) = [step for kind, step in image.steps if "apt-get install" in step]
    assert f" {wanted[1]} " in command
    assert image.base == "docker.io/library/debian:bookworm-slim"


def test_it_is_run_without_rights(image: Image, asked: Run) -> None:
    assert image.user != "root"
    assert (asked.read_only, asked.no_capabilities, asked.no_new_privileges) == (True, True, True)
    assert list(asked.ports.values()) == image.ports
    assert asked.image == "mapsos"


def test_a_build_is_sent_what_is_copied(image: Image) -> None:
    copied = [source for kind, step in image.steps if kind == "COPY" for source in step.split()[:-1]]
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    assert [line.removeprefix("!") for line in ignored if line.startswith("!")] == copied
    assert "*" in ignored
    assert [name for name in copied if not (ROOT / name).exists()] == []


def find_engine() -> str | None:
    """An engine that works here and can have the base."""
    for name in ("podman", "docker"):
        if shutil.which(name) and not subprocess.run([name, "info"], capture_output=True, check=False).returncode:
            return name
    return None


@pytest.mark.slow
def test_an_engine_builds_and_runs_it(image: Image, asked: Run) -> None:
    engine = find_engine()
    if engine is None:
        pytest.skip("no container engine works here: the steps are done in a root")

    def tell(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([engine, *words], capture_output=True, text=True, check=False)

    if tell("image", "inspect", image.base).returncode and tell("pull", image.base).returncode:
        pytest.skip(f"{engine} cannot fetch {image.base} here: the steps are done in a root")
    name = f"mapsos-test-{os.getpid()}"
    done = tell("build", "-t", name, "-f", str(ROOT / "Containerfile"), str(ROOT))
    assert done.returncode == 0, done.stderr
    try:
        done = tell(
            "run", "--detach", "--name", name, "--read-only", "--cap-drop=all", "--security-opt=no-new-privileges",
            "--tmpfs", "/tmp", "--volume", f"{ROOT}:/srv/maps:ro", name, *asked.arguments,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        address = f"http://127.0.0.1:8080/weather?{CAPABILITIES}"
        ask_inside = f"from urllib.request import urlopen; print(urlopen({address!r}).read())"
        health = shlex.join(image.health)
        end = time.monotonic() + 60
        while tell("exec", name, "sh", "-c", health).returncode and time.monotonic() < end:
            time.sleep(0.05)
        done = tell("exec", name, "/srv/venv/bin/python", "-c", ask_inside)
        assert "sos:Capabilities" in done.stdout, done.stderr + tell("logs", name).stderr
    finally:
        tell("rm", "--force", name)
        tell("rmi", name)


@pytest.fixture(scope="module")
def machine(start_machine: Callable[..., Machine], image: Image) -> Machine:
    """A machine in which the image has been built in place; the program of the checkout is no more there."""
    machine = start_machine()
    context = "/tmp/context"
    machine.run(f"mv /srv/mapsos {context} && rm -rf {context}/.venv")
    for kind, step in image.steps:
        if kind == "COPY":
            *sources, target = step.split()
            for source in sources:
                # A folder's content is copied, and a target that ends in a slash is made.
                folder = (machine.root / context.lstrip("/") / source).is_dir()
                made = target if folder or target.endswith("/") else "/"
                machine.run(f"mkdir -p {made} && cp -r {context}/{source}{'/.' if folder else ''} {target}")
        else:
            # What apt has here is as good as what it would fetch anew; the packages are installed already.
            command = step.replace("apt-get update && ", "").replace("rm -rf /var/lib/apt/lists/*", "true")
            machine.run(command, network=True)
    machine.run(f"rm -rf {context}")
    assert not (machine.root / "srv/mapsos").exists()
    return machine


@pytest.fixture(scope="module")
def running(machine: Machine, image: Image, asked: Run) -> Iterator[Machine]:
    """The program runs; the first port that is published is the machine's own."""
    mounts = "\n".join(
        ["mount --make-rprivate /"]
        + [f"mount -t tmpfs tmpfs {path}" for path in asked.scratch]
        + [f"mount --bind {source} {target}" for target, source in asked.volumes.items()]
        + [f"mount -o remount,bind,ro {path}" for path in [*asked.volumes, "/run", "/"]]
    )
    program = shlex.join([*image.entrypoint, *asked.arguments])
    environment = shlex.join(f"{name}={value}" for name, value in image.environment.items())
    start = (
        f"{mounts}\nexec setpriv --reuid={image.user} --regid=nogroup --clear-groups "
        f"--bounding-set=-all --inh-caps=-all --no-new-privs env -i PATH=/usr/bin {environment} {program}"
    )
    machine.run(f"systemd-run --quiet --unit=container unshare --mount bash -euc {shlex.quote(start)}")
    yield machine
    machine.run("systemctl stop container", check=False)


def ask(machine: Machine, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("sensors.example.org", timeout=60)
    connection.sock = machine.connect_soon(8080, "container")
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@pytest.mark.slow
def test_it_serves(running: Machine) -> None:
    status, body = ask(running, f"/weather?{CAPABILITIES}")
    assert (status, b'xlink:href="http://sensors.example.org/weather?"' in body) == (200, True)
    status, body = ask(running, f"/weather?{WEEK}")
    assert (status, body.count(b"<om:member>")) == (200, 168)


@pytest.mark.slow
def test_it_is_healthy(running: Machine, image: Image) -> None:
    assert ask(running, "/healthz") == (200, b"ok\n")
    running.run(shlex.join(image.health))


@pytest.mark.slow
def test_health_tells_of_a_map_that_is_gone(running: Machine, image: Image) -> None:
    ask(running, "/healthz")
    path = running.root / "srv/maps/examples/mapfiles/weather.map"
    text = path.read_text()
    try:
        path.unlink()
        assert running.run(shlex.join(image.health), check=False).returncode != 0
    finally:
        path.write_text(text)
    assert ask(running, "/healthz")[0] == 200


@pytest.mark.slow
def test_it_has_no_rights_and_one_place_to_write(running: Machine, asked: Run) -> None:
    ask(running, "/healthz")
    process = running.run("systemctl show --property MainPID --value container").stdout.strip()
    status = running.run(f"cat /proc/{process}/status").stdout
    assert re.search(r"^Uid:\t990\t", status, re.M)
    assert re.search(r"^CapEff:\t0+$", status, re.M)
    assert re.search(r"^NoNewPrivs:\t1$", status, re.M)
    find = "find / -xdev -writable -type d 2>/dev/null || true"
    enter = f"nsenter --target {process} --mount setpriv --reuid=990 --clear-groups"
    assert running.run(f"{enter} bash -c '{find}'").stdout.split() == asked.scratch
    log = running.run("journalctl --no-pager --unit container").stdout
    assert not re.search(r"Traceback|ERROR|Read-only|denied", log), log
