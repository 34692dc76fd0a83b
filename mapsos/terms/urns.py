"""URNs of the OGC in requests and responses."""

from __future__ import annotations

PROCEDURE_URN = "urn:ogc:def:procedure:"
"""Prefix of the published ids of procedures (docs/mapserver-sos.md, "Layer keys")."""

TRANSIENT_FEATURE = "urn:ogc:def:feature:OGC-SWE:3:transient"
"""The URN of an unknown feature of interest."""


def strip_procedure(name: str) -> str:
    """Return a procedure's bare id from its id or URN (D-08)."""
    return name[len(PROCEDURE_URN) :] if name.lower().startswith(PROCEDURE_URN) else name
