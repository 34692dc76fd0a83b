"""Pages of /metrics, held to Prometheus's grammar."""

from __future__ import annotations

import re


def read_samples(page: str) -> dict[str, float]:
    """Return the samples of a page by name and labels."""
    found = {}
    described: set[str] = set()
    for line in page.splitlines():
        if line.startswith("# HELP "):
            name = line.split()[2]
            assert name not in described
            described.add(name)
            continue
        if line.startswith("# TYPE "):
            assert line.split()[2] in described
            assert line.split()[3] in ("counter", "gauge", "histogram")
            continue
        match = re.fullmatch(r'([a-z_]+)((?:\{(?:[a-z]+="[^"\\]*",?)+\})?) (\S+)', line)
        assert match, line
        assert match[1] in described or re.sub("_(bucket|sum|count)$", "", match[1]) in described
        assert match[1] + match[2] not in found
        found[match[1] + match[2]] = float(match[3])
    assert page.endswith("\n")
    return found
