"""URNs of the OGC that requests and answers share."""

from __future__ import annotations

PROCEDURE_URN = "urn:ogc:def:procedure:"
"""Prefix of the published ids of procedures (docs/mapserver-sos.md, "Layer keys")."""

TRANSIENT_FEATURE = "urn:ogc:def:feature:OGC-SWE:3:transient"
"""The feature of interest of which nothing is known."""


def strip_procedure(name: str) -> str:
    """Return a procedure's bare id from its id or URN (D-08)."""
    return name[len(PROCEDURE_URN) :] if name.lower().startswith(PROCEDURE_URN) else name
