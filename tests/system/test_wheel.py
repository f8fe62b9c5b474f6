"""The wheel alone: installed into a venv that knows no checkout, in a long folder with spaces and
accents, it does what a checkout does.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from pwd import getpwuid
from sysconfig import get_path

import pytest

from tests.support.mock_boards import Board
from tests.support.stock_image import stock_image

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 300

type Call = Callable[..., str]


def variables(home: Path) -> dict[str, str]:
    """Of somebody who has never had a checkout, but for the nats-server of its packages."""
    return dict(os.environ) | {
        "PYTHONPATH": "",
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "PATH": os.pathsep.join((get_path("scripts"), os.environ["PATH"])),
    }


def long_folder(within: Path, characters: int) -> Path:
    """A new one whose whole path has so many, with spaces and accents."""
    words = "Estación de la señorita Muñoz, sección «ñandú» y «pingüino» "
    name = (words * 9)[: characters - len(str(within)) - 2] + "é"
    (within / name).mkdir()
    return within / name


def run(*command: str | Path, cwd: Path, **more: str) -> str:
    env = os.environ | {"PYTHONPATH": ""} | more
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, timeout=LIMIT_S,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the venv `v` is, with our wheel; all else comes from the packages of this one."""
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "--target", "wheel", "-d", dist, cwd=ROOT)
    folder = long_folder(tmp_path_factory.mktemp("i"), 180)
    run(sys.executable, "-m", "venv", "--without-pip", "v", cwd=folder)
    python = folder / "v" / "bin" / "python"
    wheels = [*dist.glob("*.whl")]
    assert len(wheels) == 1
    run(
        sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps",
        "--python", python, wheels[0], cwd=folder,
    )  # fmt: skip
    site = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))",
                    cwd=folder).strip())  # fmt: skip
    # a line here is no folder of .pth files: the one of an editable install is not read
    (site / "packages.pth").write_text(get_path("purelib") + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def diadema(folder: Path, tmp_path: Path) -> Call:
    """Run the command that was installed, in its folder; gives what it printed."""

    def call(*words: str | Path, **more: str) -> str:
        own = variables(tmp_path)
        return run(folder / "v" / "bin" / "diadema", *words, cwd=folder, **own | more)

    return call


def test_it_is_imported_from_the_wheel_and_finds_all_there(folder: Path) -> None:
    seen = run(
        folder / "v" / "bin" / "python", "-c",
        "import diadema, diadema_sim, sys; from diadema.base.paths import tree; "
        "print(diadema.__file__, diadema_sim.__file__, tree(), *sys.path, sep='\\n')",
        cwd=folder,
    ).splitlines()  # fmt: skip
    assert len(str(folder)) == 180 and len(os.fsencode(folder)) > 180
    assert all(line.startswith(str(folder / "v")) for line in seen[:3])
    assert not {str(ROOT), str(ROOT / "host_tools")} & set(seen[3:])
    tree = Path(seen[2])
    for beside in ("firmware", "boards", "hardware"):
        for path in (ROOT / beside).rglob("*.*"):
            within = path.relative_to(ROOT)
            if "__pycache__" not in within.parts and within.parts[:2] != ("hardware", "build"):
                assert (tree / within).is_file() == path.is_file(), within
    for guide in ("README.md", "host_tools/README.md"):
        assert (tree / guide).read_text("utf-8") == (ROOT / guide).read_text("utf-8")


def test_the_commands_of_a_technician_work(diadema: Call, tmp_path: Path) -> None:
    assert diadema("--version").splitlines()[1].startswith("firmware ")
    assert "lyrat_v4_3" in diadema("board", "list")
    diadema("board", "check", "--all")
    assert json.loads(diadema("site", "example"))["agents"]
    (tmp_path / "stock.bin").write_bytes(stock_image())
    built = tmp_path / "station.bin"
    diadema("image", "build", "--board", "lyrat_v4_3",
            "--micropython", tmp_path / "stock.bin", "-o", built)  # fmt: skip
    with Board(1) as board:
        told = json.loads(diadema("flash", "--image", built, "--port", board.port, "--json"))
        assert [(one["station"], one["verified"]) for one in told["boards"]] == [
            (board.station, True)
        ]


def test_a_demo_ends_with_each_event_stored_once_and_is_restored_from_its_backup(
    diadema: Call, folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "señal de hoy"  # the stations' own folders in it must not be too deep
    words = ("--stations", "1", "--seconds", "2", "--port", "0", "--no-browser", "--json")
    summary = json.loads(diadema("demo", *words, "--data", data))
    assert summary["events_journaled"] and (summary["lost"], summary["doubled"]) == (0, 0)
    (folder / "frase").write_text("cinco palabras que nadie adivina")
    (folder / "frase").chmod(0o600)
    copy, by = folder / "lunes.backup", ("--passphrase-file", folder / "frase", "--json")
    made = json.loads(diadema("backup", copy, "--data", data, *by))
    assert json.loads(diadema("backup", "check", copy, *by))["faults"] == []
    told = json.loads(diadema("restore", copy, "--data", folder / "nueva", *by))
    assert told["manifest"]["position"] == made["position"] >= summary["events_journaled"]


def test_a_desk_opens_and_ends(folder: Path, tmp_path: Path) -> None:
    command = [folder / "v" / "bin" / "diadema", "desk", "--port", "0", "--no-browser", "--json"]
    with subprocess.Popen(
        command, cwd=folder, env=variables(tmp_path), stdout=subprocess.PIPE, text=True
    ) as desk:
        assert desk.stdout
        about = json.loads(desk.stdout.readline())
        desk.terminate()
        assert (about["board"], desk.wait(LIMIT_S)) == ("sim", 0)


def test_a_service_is_of_this_install(
    diadema: Call, tmp_path: Path, system_program: Callable[[str, str], str]
) -> None:
    analyze = system_program("systemd-analyze", "systemd")
    user = ["--user", getpwuid(os.getuid()).pw_name] if os.geteuid() == 0 else []
    diadema("service", "install", *user, "--units", tmp_path, "--data", tmp_path / "data")
    manager = [] if user else ["--user"]
    unit = tmp_path / "diadema-hub.service"
    run(analyze, *manager, "verify", unit, cwd=tmp_path, XDG_RUNTIME_DIR=str(tmp_path))
    assert f"{tmp_path}" in unit.read_text("utf-8") and "/v/bin/python" in unit.read_text("utf-8")
    assert "is gone" not in diadema("service", "status", "--units", tmp_path)


@pytest.mark.parametrize(("campaign", "only"), [("journal", "3"), ("update", "10")])
def test_torture_runs(diadema: Call, tmp_path: Path, campaign: str, only: str) -> None:
    scratch = long_folder(tmp_path, 150)
    summary = json.loads(
        diadema("torture", "--campaign", campaign, "--only", only, "--share", "0.01", "--json",
                TMPDIR=str(scratch))
    )  # fmt: skip
    assert (summary["failures"], summary["lost"], summary["doubled"]) == ([], 0, 0)
    assert summary["cut_points"]
    assert not [*scratch.glob("diadema-*")]


def test_folders_that_are_too_deep_are_said(folder: Path, tmp_path: Path) -> None:
    scratch = long_folder(tmp_path, 215)
    python = folder / "v" / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "diadema", "torture", "--campaign", "journal", "--share", "0.01"],
        cwd=folder, env=os.environ | {"TMPDIR": str(scratch)},
        capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 2 and "TMPDIR" in done.stderr, done.stderr
    assert not [*scratch.iterdir()]
