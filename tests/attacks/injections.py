"""Texts that would be SQL, paths or names of columns if they were taken as such."""

from __future__ import annotations

INJECTIONS = (
    "'", "''", '"', "';--", "' OR '1'='1", '" OR ""="', "x'); DROP TABLE weather; --", "\\'", "\\", "%' OR 1=1 --",
    "1; SELECT 1", "1) OR (1=1", "S1' UNION SELECT * FROM sqlite_master --", "/* */", "\x00", "`", "$$", "||", "${x}",
    "{{7*7}}", "S1\u02bc OR 1=1", "\uff07 OR 1=1", "CAST(x AS INTEGER)", "OGR_GEOMETRY", "rowid", "_ogr_",
    "load_extension('x')", "pg_sleep(9)", "station\" IS NOT NULL OR \"station",
)  # fmt: skip
