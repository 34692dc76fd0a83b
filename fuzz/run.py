"""Run a fuzz target for some minutes: ``python -m fuzz.run queries --minutes 10``.

It needs atheris (``pip install atheris``, or the extra ``fuzz``). What it finds is written to the working folder, and
the process ends with a failure; the last lines tell how many inputs were tried.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

TARGETS = ("queries", "bodies", "filters", "rest", "mapfiles")


def main() -> None:
    """Run the target that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    import atheris

    with atheris.instrument_imports(include=["mapsos"], enable_loader_override=False):
        target = importlib.import_module(f"fuzz.{options.target}")
        for seed in target.SEEDS:
            target.check(seed)
    with tempfile.TemporaryDirectory(prefix="mapsos-fuzz-") as folder:
        corpus = Path(folder, "corpus")
        corpus.mkdir()
        for number, seed in enumerate(target.SEEDS):
            (corpus / str(number)).write_bytes(seed)
        words = Path(folder, "words")
        words.write_text("".join(f'"{_escape(word)}"\n' for word in target.WORDS))
        time = f"-max_total_time={round(options.minutes * 60)}"
        limits = [time, "-max_len=8192", "-timeout=60", "-rss_limit_mb=4096"]
        atheris.Setup([sys.argv[0], str(corpus), f"-dict={words}", "-print_final_stats=1", *limits], target.check)
        atheris.Fuzz()


def _escape(word: str) -> str:
    return "".join(
        f"\\x{byte:02x}" if chr(byte) in '"\\' or not 32 <= byte < 127 else chr(byte) for byte in word.encode()
    )


if __name__ == "__main__":
    main()
