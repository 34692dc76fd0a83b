"""Where the pages are."""

from __future__ import annotations

ROOT = "/weather/exts/SosSOE"
PAGES = {
    "services": "/arcgis/rest/services",
    "service": ROOT,
    "full path": "/arcgis/rest/services/weather/MapServer/exts/SosSOE",
    "observations": f"{ROOT}/observations",
    "observations query": f"{ROOT}/observations/query?offering=daily&observedProperty=wind",
    "offering": f"{ROOT}/observations/hourly",
    "procedures": f"{ROOT}/procedures",
    "procedure": f"{ROOT}/procedures/SFO",
    "features": f"{ROOT}/features",
    "features query": f"{ROOT}/features/query",
    "feature": f"{ROOT}/features/query?feature=SFO",
    "builder": "/_mapsos/builder/weather",
    "minimal": "/minimal/exts/SosSOE",
    "every key": "/every-key/exts/SosSOE",
}
