"""mapsos: a Sensor Observation Service (OGC SOS 1.0.0) that is configured by a MapServer mapfile."""

import os

__version__ = "0.9.0"

# Arrow reads this when it is first imported. Its own allocator keeps what was freed: 28 MB more for any answer, for no
# gain in time.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
