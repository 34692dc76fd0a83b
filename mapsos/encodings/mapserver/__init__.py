"""om:Measurement and om:Observation as MapServer writes them, to the letter.

Defects that clients rely on are reproduced (docs/compatibility.md). A document that must be valid is never written
here, but in ``strict``.
"""
