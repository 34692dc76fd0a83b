"""Fuzz targets: what strangers send, thrown at the parts of the program that read it first.

Each module of this folder has ``SEEDS``, inputs to start from, ``WORDS``, a dictionary, and ``check``, which takes
bytes and fails where something is promised that does not hold. `fuzz.run` runs one of them with atheris; the tests
run the seeds and a few variations of them.
"""
