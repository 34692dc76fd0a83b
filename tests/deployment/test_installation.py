"""docs/installation.md: a test follows its commands on a fresh system, and what it lists is true of the project."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.docs.markdown import ROOT, read

from .guide import INSTALLATION, headings, read_steps
from .machine import Machine

TEXT = read(INSTALLATION)


@pytest.fixture(scope="module")
def machine(start_machine: Callable[..., Machine]) -> Machine:
    return start_machine()


@pytest.mark.slow
@pytest.mark.parametrize(
    "heading", [heading for heading in headings(INSTALLATION) if list(read_steps(heading, INSTALLATION))]
)
def test_commands(machine: Machine, heading: str) -> None:
    machine.follow(heading, INSTALLATION)


@pytest.mark.slow
def test_the_wheel_is_enough(machine: Machine) -> None:
    """In an environment of its own, and with the checkout and the compiler's result out of reach."""
    machine.run("python3 -m venv --system-site-packages /opt/wheel")
    machine.run("/opt/wheel/bin/pip install --quiet /srv/wheels/mapsos-*.whl", network=True)
    machine.run("mkdir -p /tmp/maps && cp -r /srv/mapsos/examples /srv/mapsos/data /tmp/maps")
    tell = "import mapsos.columns._loops as loops; print(loops.__file__)"
    where = machine.run(f"cd /tmp && /opt/wheel/bin/python -c '{tell}'").stdout
    assert where.startswith("/opt/wheel/")
    query = "service=SOS&request=GetCapabilities"
    found = machine.run(f"/opt/wheel/bin/mapsos get /tmp/maps/examples/mapfiles/weather.map '{query}'").stdout
    assert found.rstrip().endswith("</sos:Capabilities>")


def test_packages_are_those_of_the_set_up() -> None:
    wanted = re.search(r"^system_packages=\((.*)\)$", (ROOT / "script/setup").read_text(), re.M)
    assert wanted
    assert f" {wanted[1]}\n" in TEXT


def test_links_lead_somewhere() -> None:
    anchors = {re.sub(r"[^a-z0-9_ -]", "", name.lower()).replace(" ", "-") for name in headings(INSTALLATION)}
    for link in re.findall(r"\]\(([^)]+)\)", TEXT):
        name, _, anchor = link.replace("\n", " ").partition("#")
        assert (ROOT / "docs" / name).exists() if name else anchor in anchors, link
