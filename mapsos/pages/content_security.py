"""Content security: pages may load from this server, and map tiles from the host set by the admin; nothing else."""

from __future__ import annotations

from urllib.parse import urlsplit


def write_headers(tiles: str | None) -> tuple[tuple[str, str], ...]:
    """Return the headers of every page and file; ``tiles`` is the template of the tiles' URLs, None for no tiles.

    No script or style stands inside a page, so that a text of a mapfile or of data which gets into one runs nowhere.
    """
    images = ["'self'", "data:"]
    if tiles is not None and (parts := urlsplit(tiles)).netloc:
        images.append(f"{parts.scheme}://{parts.netloc}")
    policy = "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            f"img-src {' '.join(images)}",
            "connect-src 'self'",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'self'",
        )
    )
    return (
        ("Content-Security-Policy", policy),
        ("X-Content-Type-Options", "nosniff"),
        # Tile servers require a referrer; other servers get none.
        ("Referrer-Policy", "strict-origin-when-cross-origin" if len(images) > 2 else "same-origin"),
    )
