"""Find maps that need API keys where none can be checked, and stores of keys that others can read (docs/keys.md)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from mapsos.check import codes
from mapsos.check.finding import Finding, Rule, locate
from mapsos.config.settings import Settings, SettingsError, read_settings
from mapsos.mapfile.key_levels import LEVELS, read_key_level
from mapsos.mapfile.keys import metadata_key
from mapsos.mapfile.model import ObservationLayer, Service

_NAME = "require_key"


def find_in_keys(service: Service, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Yield findings about the keys of a map, under the settings that a server with this environment would have.

    Inserts without a key on a server that others can reach are to be found here too, once there are inserts.
    """
    parts: tuple[Service | ObservationLayer, ...] = (service, *service.layers)
    stating = [part for part in parts if part.access.require_key is not None]
    for part in stating:
        text = part.access.require_key or ""
        if text.strip().lower() not in LEVELS:
            message = f'expected none, write or all, got "{text}", which counts as all'
            yield _locate(part, codes.UNKNOWN_KEY_LEVEL, message)
    needing = [part for part in stating if read_key_level(part.access) != "none"]
    if not needing:
        return
    try:
        settings = read_settings(environ)
    except SettingsError:
        # The server reports it, and does not start.
        settings = Settings()
    if settings.keys is None:
        message = (
            "MAPSOS_KEYS is not set, here or in MAPSERVER_CONFIG_FILE: what needs a key is rejected by 503. Set the "
            "store of keys, for this command too, and add a key by mapsos keys add"
        )
        yield _locate(needing[0], codes.KEYS_WITHOUT_STORE, message)
    elif os.path.isabs(settings.keys) and (faults := list(_list_readable(settings.keys))):
        message = f"others can read or write {' and '.join(faults)}. Run chmod go= on it"
        yield _locate(needing[0], codes.STORE_OPEN, message)


def _list_readable(path: str) -> Iterator[str]:
    """Yield the file and its folder, where other users can read the file or write to the folder."""
    for name, bits in ((path, 0o066), (os.path.dirname(path), 0o022)):
        try:
            if os.stat(name).st_mode & bits:
                yield name
        except OSError:
            continue


def _locate(part: Service | ObservationLayer, rule: Rule, message: str) -> Finding:
    if isinstance(part, ObservationLayer):
        return locate("layer", part.keys, _NAME, part, rule, message)
    # One that states a level has the key.
    key = next(key for key in metadata_key("web", _NAME).spellings if key in part.keys)
    file, line = part.keys[key]
    return Finding(file, line, rule, key, message)
