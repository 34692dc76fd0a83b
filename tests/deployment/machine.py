"""Fresh Debian systems to follow docs/deployment.md on: real systemd, real ports, the real paths of the text.

A machine is an overlay on a bare root of debootstrap, booted by systemd-nspawn with a network of its own. Nothing of
the text is replaced. What stands for the outside is in `OUTSIDE`.
"""

from __future__ import annotations

import ctypes
import datetime
import fcntl
import hashlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO

from tests.deployment.guide import DOCUMENT, OUTPUTS, find_line, read_steps
from tests.docs.markdown import ROOT, Example

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mapsos-tests" / "deployment"
"""Outside the checkout: a new clone finds what another has made."""
FORGOTTEN_SECONDS = 14 * 24 * 3600
RELEASE, LATER = "bookworm", "trixie"
SUITES = ("", "-updates", "-security")
PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates"
"""What an installed Debian has that the least one of debootstrap lacks."""
OUTSIDE: Mapping[str, str] = {
    "package mirror": "the one of this computer's apt",
    "/etc/resolv.conf": "this computer's",
    "/etc/ssl/certs/ca-certificates.crt": "this computer's",
    "/etc/pip.conf": "this computer's, if it has one",
    "/srv/mapsos": "a copy of this checkout",
    "network": "this computer's for commands that fetch packages; all others have a network without a way out",
}
"""All that the text leaves open, or that a test cannot have as an admin has it."""
FETCHING = ("apt-get ", "script/setup", "pip install", "pip wheel")
ENVIRONMENT = {
    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
    "DEBIAN_FRONTEND": "noninteractive",
}
_CLONE_NEWNET = 0x40000000
_numbers = itertools.count()
_in_use: list[IO[str]] = []
"""Open as long as this process goes on, so that nobody removes the folders that its machines are made of."""


class Machine:
    """A booted system; a context manager that shuts it down and forgets it, but for what ``layer`` keeps."""

    def __init__(self, folder: Path, *lowers: Path, layer: Path | None = None) -> None:
        self.root = folder / "root"
        self._upper = layer or folder / "upper"
        self._work = (layer.parent / f"{layer.name}.work") if layer else folder / "work"
        self._lowers = lowers
        self._process: subprocess.Popen[bytes] | None = None
        self._leader = 0
        self._log = folder / "console.log"
        self.output = ""

    def __enter__(self) -> Machine:
        for path in (self.root, self._upper, self._work):
            path.mkdir(parents=True, exist_ok=True)
        lowers = ":".join(map(str, self._lowers))
        options = f"lowerdir={lowers},upperdir={self._upper},workdir={self._work}"
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, self.root], check=True)
        try:
            bring_outside(self.root)
            self._boot()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(40)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        subprocess.run(["umount", "--recursive", self.root], check=True)

    def _boot(self) -> None:
        name = f"mapsos-{os.getpid()}-{next(_numbers)}"
        command = ["systemd-nspawn", "--boot", "--quiet", f"--directory={self.root}", f"--machine={name}"]
        command += ["--private-network", "--register=no", "--keep-unit", "--console=pipe", "--resolv-conf=off"]
        command += ["--timezone=off", "--link-journal=no"]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        end = time.monotonic() + 60
        while time.monotonic() < end:
            assert self._process.poll() is None, self._log.read_text(errors="replace")
            found = children.read_text().split()
            if found:
                self._leader = int(found[0])
                # The answer is "running", or "degraded", once all that was to be started is.
                done = self.run("systemctl is-system-running --wait", check=False)
                if done.stdout.strip() in ("running", "degraded"):
                    return
            time.sleep(0.05)
        raise TimeoutError(f"the machine does not start: {self._log.read_text(errors='replace')}")

    def run(
        self, script: str, *, check: bool = True, network: bool = False, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run a script as root, by bash with its strict options: all that it says; ``network`` is this computer's."""
        done = subprocess.run(
            self.command(script, network=network),
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert not check or done.returncode == 0, f"{script}\n{done.stdout}\n{self._tell_failed(script)}"
        return done

    def command(self, script: str, *, network: bool = False) -> list[str]:
        """Return the command line that runs a script in the machine, in `ENVIRONMENT`."""
        spaces = ["--mount", "--uts", "--ipc", "--pid", "--root"] + ([] if network else ["--net"])
        return ["nsenter", f"--target={self._leader}", *spaces, "bash", "-euo", "pipefail", "-c", f"cd /\n{script}"]

    def _tell_failed(self, script: str) -> str:
        return self.run("journalctl --no-pager -n 30", check=False).stdout if "systemctl" in script else ""

    def connect(self, port: int) -> socket.socket:
        """Connect to a port of the machine."""
        made: list[socket.socket | BaseException] = []

        def enter_and_connect() -> None:
            # A thread may live in another network than its process; what it opened there stays there.
            try:
                with open(f"/proc/{self._leader}/ns/net") as space:
                    if ctypes.CDLL(None, use_errno=True).setns(space.fileno(), _CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                made.append(socket.create_connection(("127.0.0.1", port), 60))
            except OSError as error:
                made.append(error)

        thread = threading.Thread(target=enter_and_connect)
        thread.start()
        thread.join()
        (found,) = made
        if isinstance(found, BaseException):
            raise found
        return found

    def connect_soon(self, port: int, unit: str | None = None) -> socket.socket:
        """Connect as soon as somebody listens; a unit that fails meanwhile is an error, with its log."""
        end = time.monotonic() + 60
        while True:
            try:
                return self.connect(port)
            except ConnectionRefusedError:
                log = self.run(f"journalctl --no-pager -n 50 {f'--unit {unit}' if unit else ''}").stdout
                assert time.monotonic() < end, log
                assert f"{unit}.service: Failed" not in log, log
                time.sleep(0.05)

    def follow(self, heading: str, document: str = DOCUMENT) -> None:
        """Do what one section of a document says; AssertionError if it does not come out as it says."""
        for example in read_steps(heading, document):
            if example.option("engine") is None and example.file != "Containerfile":
                self._follow(example, document)

    def _follow(self, example: Example, document: str = DOCUMENT) -> None:
        place = f"{document}:{example.line}"
        if example.file is not None:
            (self.root / example.file.lstrip("/")).write_text(example.text, "utf-8")
        elif example.language == "sh":
            network = any(word in example.text for word in FETCHING)
            done = self.run(example.text, network=network, check=False)
            self.output = done.stdout
            assert done.returncode == 0, f"{place}: {self.output}\n{self._tell_failed(example.text)}"
        elif example.language in OUTPUTS:
            missing = find_line(self.output, example.text)
            assert missing is None, f"{place}: {missing}\nis not in\n{self.output}"
        else:
            raise AssertionError(f"{place}: nobody knows what to do with {example.language}")


def find_obstacle(release: str = RELEASE) -> str | None:
    """Return why no machine of a release of Debian can be made here, None if one can."""
    for program, package in (("debootstrap", "debootstrap"), ("systemd-nspawn", "systemd-container")):
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin") is None:
            return f"{package} is not installed here"
    if os.geteuid() != 0:
        return "only root can start another system here"
    command = ["unshare", "--mount", "--net", "--pid", "--fork", "true"]
    spaces = subprocess.run(command, capture_output=True, check=False)
    if spaces.returncode:
        return f"there can be no other system here: {spaces.stderr.decode().strip()}"
    return None if find_mirrors(release) else f"this computer's apt has no mirror of Debian {release}"


def find_mirrors(release: str = RELEASE) -> list[tuple[str, str]]:
    """The mirrors of this computer's apt for a release, with the suite that each has: the first is the main one.

    For another release than the computer's they are the same mirrors, if they have it.
    """
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.splitlines()
    found = [tuple(line.split()) for line in dict.fromkeys(listed)]
    wanted = {f"{release}{kind}": number for number, kind in enumerate(SUITES)}
    pairs = [(entry[0], entry[1]) for entry in found if len(entry) == 3 and entry[2] == "main"]
    if not any(suite == release for _, suite in pairs):
        pairs = [(address, f"{release}{kind}") for address, suite in pairs for kind in SUITES if _is_of(suite, kind)]
        pairs = [pair for pair in pairs if _has_suite(*pair)]
    pairs = sorted((pair for pair in pairs if pair[1] in wanted), key=lambda pair: wanted[pair[1]])
    return pairs if any(suite == release for _, suite in pairs) else []


def _is_of(suite: str, kind: str) -> bool:
    """Return whether a suite is one of Debian's, and of this kind."""
    return suite in (f"{RELEASE}{kind}", f"{LATER}{kind}")


def _has_suite(address: str, suite: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address.rstrip('/')}/dists/{suite}/Release", timeout=20) as answer:
            return f"Codename: {suite}\n".encode() in answer.read(4096)
    except (OSError, ValueError):
        return False


def bring_outside(root: Path) -> None:
    """Give a root what it has of this computer: see OUTSIDE."""
    for name in ("etc/resolv.conf", "etc/ssl/certs/ca-certificates.crt", "etc/pip.conf"):
        if Path("/", name).exists():
            shutil.copyfile(Path("/", name), root / name)
    copy_checkout(root / "srv/mapsos")


def copy_checkout(target: Path, *, tests: bool = False) -> None:
    """Copy what belongs to the project; what is at the target already stays, environments too."""
    for name in list_checkout(tests=tests):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target / name)


def remove_checkout(target: Path) -> None:
    """Remove what was copied, and nothing that was made there."""
    for name in list_checkout():
        (target / name).unlink(missing_ok=True)


def list_checkout(*, tests: bool = False) -> Iterator[str]:
    """List the files that belong to the project as git does; its tests and benchmarks only if asked for."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (tests or name.split("/")[0] not in ("tests", "benchmarks")) and (ROOT / name).is_file():
            yield name


def provide_bare(release: str = RELEASE) -> Path:
    """Return the root of a bare Debian, made once a week: its packages are those of then."""
    mirrors = find_mirrors(release)

    def make(folder: Path) -> None:
        command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", release, str(folder), mirrors[0][0]]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, timeout=900)
        sources = "".join(f"deb {address} {suite} main\n" for address, suite in mirrors)
        (folder / "etc/apt/sources.list").write_text(sources)
        # Nobody minds if a machine that lives for a minute is lost with the power.
        (folder / "etc/dpkg/dpkg.cfg.d/test").write_text("force-unsafe-io\n")

    year, week, _ = datetime.date.today().isocalendar()
    return provide("bare", make, release, PACKAGES, repr(mirrors), f"{year}-W{week}")


def provide_program() -> list[Path]:
    """Return the layers of a machine on which the section about the program has been followed, made once."""
    bare = provide_bare()
    steps = [example.text for example in read_steps("The program")]
    # As in script/setup, which would otherwise make the environment again, without a network.
    made_of = ("setup.py", "pyproject.toml", "script/setup", "mapsos/columns/_loops.c", "mapsos/pages/catalogues.py")
    catalogues = sorted((ROOT / "mapsos/pages/languages").glob("*.po"))
    parts = [path.read_text("utf-8") for path in (*(ROOT / name for name in made_of), *catalogues)]

    def make(folder: Path) -> None:
        with (
            tempfile.TemporaryDirectory(prefix="mapsos-program-") as scratch,
            Machine(Path(scratch), bare, layer=folder) as machine,
        ):
            machine.run("apt-get update -qq", network=True)
            machine.follow("The program")
        # Each machine gets the files of its own checkout; only what the set-up made of them stays.
        remove_checkout(folder / "srv/mapsos")

    return [provide("program", make, bare.name, *steps, *parts), bare]


def provide(name: str, make: Callable[[Path], None], *origins: str) -> Path:
    """Return the folder that is made of these origins: made beside its place and renamed, by one process at a time.

    Folders of the same name that nobody has used for a while are removed.
    """
    CACHE.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256("\0".join(origins).encode()).hexdigest()[:16]
    folder = CACHE / f"{name}-{digest}"
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _in_use.append(folder.with_suffix(".used").open("w"))
        fcntl.flock(_in_use[-1], fcntl.LOCK_SH)
        os.utime(_in_use[-1].fileno())
        if not folder.exists():
            for used in CACHE.glob(f"{name}-*.used"):
                if time.time() - used.stat().st_mtime > FORGOTTEN_SECONDS:
                    _forget(used)
            beside = folder.with_suffix(".new")
            work = beside.with_name(f"{beside.name}.work")
            for left in (beside, work):
                # Of a build that was ended in the middle.
                shutil.rmtree(left, ignore_errors=True)
            make(beside)
            shutil.rmtree(work, ignore_errors=True)
            beside.rename(folder)
    return folder


def _forget(used: Path) -> None:
    """Remove a folder and what belongs to it, unless a process uses it."""
    with used.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        for suffix in ("", ".new", ".new.work"):
            shutil.rmtree(used.with_suffix(suffix), ignore_errors=True)
        used.unlink()


def start_building() -> subprocess.Popen[bytes]:
    """Start to make what machines are made of, in a process of its own; who needs it meanwhile waits for its lock."""
    return subprocess.Popen(
        [sys.executable, "-m", __name__],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )


def end_building(process: subprocess.Popen[bytes]) -> None:
    """End it if it still goes on: nobody needs it any more."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


if __name__ == "__main__":
    # Ended by a signal, it puts its machine away.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    provide_program()
