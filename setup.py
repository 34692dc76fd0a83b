"""Packaging: `pip install .` gives the `mapsos` command. GDAL and Fiona come from the distribution, not from here."""

import re
import sys
from pathlib import Path

from setuptools import Extension, find_packages, setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent
VERSION = re.search(r'__version__ = "([^"]+)"', (HERE / "mapsos" / "__init__.py").read_text("utf-8"))[1]
README = HERE / "README.md"
LANGUAGES = Path("mapsos", "pages", "languages")


class BuildWithWording(build_py):
    """Compiles the catalogues of the pages' languages: into the wheel, or beside them for an editable installation."""

    def run(self) -> None:
        super().run()
        # A build runs without the project's folder on the path.
        sys.path.insert(0, str(HERE))
        from mapsos.pages.catalogues import compile_catalogues

        compile_catalogues(HERE / LANGUAGES, HERE / LANGUAGES if self.editable_mode else self.build_lib / LANGUAGES)


setup(
    name="mapsos",
    version=VERSION,
    description="A Sensor Observation Service (OGC SOS 1.0.0) that is configured by a MapServer mapfile",
    long_description=README.read_text("utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    author="the mapsos authors",
    license="MIT",
    license_files=["LICENSE"],
    keywords=["SOS", "Sensor Observation Service", "OGC", "MapServer", "sensors", "observations", "GIS"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Environment :: Web Environment",
        "Intended Audience :: Science/Research",
        "Intended Audience :: System Administrators",
        "Operating System :: POSIX :: Linux",
        "Programming Language :: C",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.13",
        "Topic :: Internet :: WWW/HTTP :: WSGI :: Application",
        "Topic :: Scientific/Engineering :: GIS",
        "Typing :: Typed",
    ],
    packages=find_packages(include=["mapsos", "mapsos.*"]),
    # Optional: what it does, Python can do too, more slowly. One build serves every Python from 3.11 on.
    ext_modules=[
        Extension(
            "mapsos.columns._loops",
            ["mapsos/columns/_loops.c"],
            # Its rounding counts on each product being rounded by itself.
            extra_compile_args=["-O2", "-ffp-contract=off"],
            optional=True,
            py_limited_api=True,
        )
    ],
    cmdclass={"build_py": BuildWithWording},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
    package_data={
        "mapsos": ["py.typed"],
        "mapsos.columns": ["_loops.pyi"],
        "mapsos.pages": ["languages/*.po", "static/*", "templates/*"],
    },
    data_files=[("share/man/man1", ["docs/mapsos.1"])],
    python_requires=">=3.11",
    install_requires=[
        "httptools>=0.6.3",
        "jinja2",
        "langcodes",
        "lxml",
        "mappyfile",
        # The distribution's NumPy is older than what pyarrow's wheels need; a newer one beside its GDAL is intended.
        "numpy>=2",
        "prometheus-client>=0.16",
        # Without its own libpq: it loads the one of the distribution, which GDAL uses too.
        "psycopg>=3.1",
        "pyarrow>=18",
        "pyproj",
        "shapely>=2",
        "uplot-python",
        # mapsos serve (mapsos/servers/asynchronous/patient_protocol.py) overrides methods of its protocol and reads the
        # state of a connection: these may change with any 0.x version.
        "uvicorn>=0.54,<0.55",
        "werkzeug>=3",
        "xstatic-leaflet",
        "zstandard",
    ],
    extras_require={
        "test": [
            "axe-playwright-python",
            "babel",
            "build",
            "gunicorn",
            "hypothesis",
            "jsonschema",
            "lxml-stubs",
            "mypy",
            "openapi-spec-validator",
            "owslib",
            "playwright",
            "pytest",
            "pytest-cov>=7",
            "pytest-xdist",
            "ruff",
            "schemathesis",
            "setuptools>=64",
            "xmlschema",
        ],
        "fuzz": ["atheris"],
        "data": ["statsmodels", "vega_datasets"],
    },
    entry_points={"console_scripts": ["mapsos = mapsos.__main__:main"]},
)
