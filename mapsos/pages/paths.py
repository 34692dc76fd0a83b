"""The paths of the pages' own files and of the builder of requests, and their name in logs and metrics."""

from __future__ import annotations

PAGE_PATHS = "/_mapsos/"
"""The beginning of these paths."""

KEYS_PATH = "/_mapsos/keys"
"""The path of the page of keys."""

PAGE_OPERATION = "page"
"""The operation that logs and metrics name for requests with these paths."""
