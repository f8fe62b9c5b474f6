"""`diadema service`: the units that it writes are right and hardened, as systemd's own tool says;
what is not ours, and data, it leaves alone.
"""

import json
import os
import pwd
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from diadema.base.backups import Schedule, changing_backups
from diadema.base.paths import DataDir
from diadema.cli import main
from diadema.hub.units import SYSTEM_DATA, Plan, Units
from typer.testing import CliRunner, Result

ME = pwd.getpwuid(os.getuid()).pw_name
STATE = {
    "is": "ActiveState=active\nUnitFileState=enabled\n",
    "ended": "ActiveState=inactive\nUnitFileState=disabled\n",
    "broken": "ActiveState=failed\nUnitFileState=enabled\n",
}


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """A `systemctl` that says of each unit what it is told to; gives what it was asked so far."""
    folder, asked = tmp_path / "bin", tmp_path / "asked"
    folder.mkdir()
    asked.touch()
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)

    def says(answer: str) -> list[str]:
        text = shlex.quote(STATE.get(answer, ""))
        (folder / "systemctl").write_text(
            f'#!/bin/sh\necho "$*" >> {shlex.quote(str(asked))}\n'
            f"{'exit 1' if answer == 'silent' else f'printf %s {text}'}\n"
        )
        (folder / "systemctl").chmod(0o755)
        return asked.read_text().splitlines()

    says("silent")
    return says


@pytest.fixture(params=[True, False], ids=["system", "own"])
def as_root(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(os, "geteuid", lambda: 0 if request.param else 1000)
    return bool(request.param)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    return tmp_path / "units of año"


@pytest.fixture
def service(units: Path, systemctl: Callable[[str], list[str]]) -> Callable[..., Result]:
    def call(*words: str | Path) -> Result:
        verb, *rest = map(str, words)
        return CliRunner().invoke(main.app, ["service", verb, "--units", str(units), *rest])

    return call


@pytest.fixture
def installed(
    service: Callable[..., Result], as_root: bool, tmp_path: Path, units: Path
) -> Callable[..., Path]:
    """Install the unit of the hub, a gateway or a standby; gives its file."""

    def call(*words: str) -> Path:
        (part,) = {"gateway", "standby"} & {word.strip("-") for word in words} or {"hub"}
        user = ["--user", ME] if as_root else []
        done = service("install", "--data", tmp_path / "datos 100% «año»", *user, *words)
        assert done.exit_code == 0, done.output
        return units / f"diadema-{part}.service"

    return call


WORDS = {
    "hub": ("--", "--host", "0.0.0.0", "--port", "443"),
    "gateway": ("--gateway", "--", "/dev/ttyUSB0", "/dev/ttyUSB1", "--name", "sala"),
    "standby": (
        "--standby", "--", "--of", "https://a:8600", "--here", "https://b:8600",
        "--credential", __file__,
    ),
}  # fmt: skip


@pytest.mark.parametrize("part", WORDS)
def test_systemd_takes_the_unit_and_finds_little_exposed(
    part: str,
    installed: Callable[..., Path],
    as_root: bool,
    system_program: Callable[[str, str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    analyze = [system_program("systemd-analyze", "systemd"), *([] if as_root else ["--user"])]
    unit = installed(*WORDS[part])
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))

    def analyzed(*words: str, of: Path) -> None:
        done = subprocess.run(
            [*analyze, "--no-pager", *words, str(of)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "diadema" not in done.stderr, done.stderr  # a line of it that was not understood

    analyzed("verify", of=unit)
    weighed = tmp_path / unit.name
    # whom a user's manager runs has no capability; the tool does not know that, and counts all
    nobody_else = "" if as_root else "\nUser=somebody\nCapabilityBoundingSet=\n"
    weighed.write_text(unit.read_text().replace("\n[Install]", f"{nobody_else}\n[Install]"))
    analyzed("security", "--offline=true", "--threshold=30", of=weighed)


def test_what_it_starts_is_this_install_with_whole_paths(
    installed: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("página.pem", "página.key"):
        Path(name).touch()
    words = ("--tls-cert", "página.pem", "--tls-key", "página.key", "--proxy", "10.0.0.1")
    unit = installed("--", "--host", "::", *words, "--proxy", "10.0.0.2", "--require-proof")
    line = next(one for one in unit.read_text().splitlines() if one.startswith("ExecStart"))
    command = shlex.split(line.removeprefix("ExecStart=:").replace("%%", "%"))
    assert command == [
        sys.executable, "-P", "-m", "diadema", "hub", "--host", "::",
        "--tls-cert", str(tmp_path / "página.pem"), "--tls-key", str(tmp_path / "página.key"),
        "--proxy", "10.0.0.1", "--proxy", "10.0.0.2", "--require-proof",
        "--data", str(tmp_path / "datos 100% «año»"),
    ]  # fmt: skip
    assert (tmp_path / "datos 100% «año»").stat().st_mode & 0o777 == 0o700
    assert unit.stat().st_mode & 0o777 == 0o644


def test_a_hub_may_write_where_its_backups_go(
    installed: Callable[..., Path], tmp_path: Path
) -> None:
    data = DataDir(tmp_path / "datos 100% «año»")
    data.make()
    copies = Schedule(folder="/srv/copias de 100 %", at="03:00", number=1, days=1, since_ms=0)
    with changing_backups(data) as known:
        known.schedule = copies
    line = '\nReadWritePaths="-/srv/copias de 100 %%"\n'
    assert line in installed().read_text()
    assert line not in installed("--gateway", "--", "/dev/ttyACM0").read_text()


def test_a_gateway_may_open_serial_ports_and_a_hub_no_device(
    installed: Callable[..., Path], as_root: bool
) -> None:
    hub = installed().read_text()
    gateway = installed("--gateway", "--", "/dev/ttyACM0").read_text()
    assert ("PrivateDevices=yes" in hub, "DeviceAllow" in hub) == (as_root, False)
    assert ("DeviceAllow=char-ttyUSB rw" in gateway) == as_root
    assert "PrivateDevices" not in gateway and "After=" in gateway
    assert '"/dev/ttyACM0"' in gateway


def test_a_gateway_waits_for_the_drivers_of_its_cables(
    installed: Callable[..., Path], as_root: bool
) -> None:
    """`DeviceAllow` knows a kind of device only once its driver is loaded."""
    lines = installed("--gateway", "--", "/dev/ttyACM0").read_text().splitlines()
    for word in ("Wants", "After"):
        (line,) = [one for one in lines if one.startswith(f"{word}=")]
        for driver in ("usbserial", "cdc_acm"):
            assert (f"modprobe@{driver}.service" in line) == as_root
    assert "modprobe" not in installed().read_text()


def test_systemd_is_told_when_all_of_the_hub_is_up(tmp_path: Path) -> None:
    assert "\nType=notify\nTimeoutStartSec=infinity\n" in Plan("hub", (), tmp_path).text()
    assert "\nType=exec\n" in Plan("standby", (), tmp_path).text()
    command = [sys.executable, "-m", "diadema", "hub", "--port", "0", "--mqtt-port", "0"]
    data = DataDir(tmp_path / "data")
    for name in (str(tmp_path / "notify"), f"@{tmp_path.name}-{os.getpid()}"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(name.replace("@", "\0"))
            manager.settimeout(300)
            with subprocess.Popen(
                [*command, "--data", str(data.root)], env=os.environ | {"NOTIFY_SOCKET": name},
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            ) as hub:  # fmt: skip
                try:
                    assert manager.recv(100) == b"READY=1"
                    known = data.read_hub()
                    assert known is not None and known.pid == hub.pid
                finally:
                    hub.terminate()


def test_a_low_port_is_given_the_one_capability_for_it() -> None:
    def capabilities(*ports: int) -> list[str]:
        text = Plan("hub", (), SYSTEM_DATA, "diadema", ports=ports).text()
        return [line.partition("=")[2] for line in text.splitlines() if "Capabilit" in line]

    assert capabilities(8600, 0) == ["", ""]
    assert capabilities(443, 8883) == ["CAP_NET_BIND_SERVICE"] * 2


def test_without_data_systemd_makes_the_folder(
    service: Callable[..., Result], units: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert service("install", "--user", ME).exit_code == 0
    text = (units / "diadema-hub.service").read_text()
    assert "\nStateDirectory=diadema\n" in text and "ReadWritePaths" not in text
    assert f'"--data" "{SYSTEM_DATA}"' in text


def test_it_says_what_to_do_next(
    service: Callable[..., Result], as_root: bool, tmp_path: Path
) -> None:
    user = ["--user", ME] if as_root else []
    said = service("install", "--data", tmp_path / "data", *user).output.splitlines()
    manager = "systemctl" if as_root else "systemctl --user"
    at = said.index(f"{manager} daemon-reload")
    assert said[at + 1] == f"{manager} enable --now diadema-hub.service"
    rest = "\n".join(said[at + 2 :])
    assert (f"sudo -u {ME} diadema" in rest, "enable-linger" in rest) == (as_root, not as_root)


def test_what_its_own_tmp_would_hide_is_named(
    service: Callable[..., Result], as_root: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "opt"
    monkeypatch.setattr("diadema.hub.units.TEMPORARY", (tmp_path / "tmp",))
    words = ["--lang", "es", "service", "install", "--units", str(tmp_path / "units")]
    words += ["--user", ME] if as_root else []

    def said(data: Path, program: Path | None = None) -> str:
        if program is not None:
            monkeypatch.setattr("diadema.hub.units.__file__", str(program / "hub" / "units.py"))
        done = CliRunner().invoke(main.app, [*words, "--data", str(data)], catch_exceptions=False)
        assert done.exit_code == 0
        return done.stdout

    assert "PrivateTmp" not in said(elsewhere)
    assert f"No vería {tmp_path / 'tmp' / 'data'}" in said(tmp_path / "tmp" / "data")
    (tmp_path / "link").symlink_to(tmp_path / "tmp")
    assert f"No vería {tmp_path / 'link' / 'data'}" in said(tmp_path / "link" / "data")
    told = said(elsewhere, tmp_path / "tmp" / "venv")
    assert "No vería" in told and "venv" in told and "/opt/diadema" in told


def test_what_is_at_home_can_be_read_also_through_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setattr(sys, "executable", "/usr/bin/python3")
    monkeypatch.setattr("diadema.hub.units.__file__", "/opt/diadema/units.py")
    (tmp_path / "datos").symlink_to("/home/ana/datos")
    for data, state in ((tmp_path / "datos", "read-only"), (SYSTEM_DATA, "yes")):
        assert f"\nProtectHome={state}\n" in Plan("hub", (), data, "diadema").text()


def refusal(done: Result) -> str:
    assert done.exit_code
    return str(done.exception) + done.output


def test_what_cannot_work_is_refused_before_anything_is_written(
    service: Callable[..., Result], units: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "nobody-of-this-name" in refusal(service("install", "--user", "nobody-of-this-name"))
    assert "No such option" in refusal(service("install", "--user", ME, "--", "--portt", "1"))
    assert "PORT" in refusal(service("install", "--user", ME, "--gateway"))
    missing = ("--gateway", "--", "/dev/ttyUSB0", "--access", str(tmp_path / "gone"))
    assert "gone" in refusal(service("install", "--user", ME, *missing))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "root" in refusal(service("install", "--user", ME))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "systemctl" in refusal(service("install"))
    assert not units.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root starts programs as somebody else")
def test_a_user_who_cannot_read_its_files_is_named(
    service: Callable[..., Result], units: Path, tmp_path: Path
) -> None:
    own = tmp_path / "key.pem"
    own.touch(mode=0o600)
    said = refusal(service("install", "--user", "nobody", "--", "--tls-key", str(own)))
    assert "nobody" in said and "ermission" in said
    assert not units.exists()


def test_a_unit_of_somebody_else_stays(
    service: Callable[..., Result], units: Path, as_root: bool, tmp_path: Path
) -> None:
    units.mkdir()
    file = units / "diadema-hub.service"
    file.write_text("[Service]\nExecStart=/bin/true\n")
    user = ["--user", ME] if as_root else []
    assert str(file) in refusal(service("install", "--data", tmp_path / "data", *user))
    assert "it stays as it is" in service("status").output
    assert "it stays as it is" in service("remove").output
    assert file.read_text() == "[Service]\nExecStart=/bin/true\n"
    assert not (tmp_path / "data").exists()


def test_status_says_in_words_what_systemd_has(
    service: Callable[..., Result],
    installed: Callable[..., Path],
    systemctl: Callable[[str], list[str]],
) -> None:
    def said(answer: str) -> tuple[int, str]:
        systemctl(answer)
        done = service("status")
        return done.exit_code, done.output

    assert said("is") == (0, "There is no unit of Diadema.\n")
    unit = installed()
    assert said("is") == (0, "diadema-hub.service: runs, starts at boot\n")
    assert said("ended") == (0, "diadema-hub.service: stopped, does not start at boot\n")
    assert said("broken")[0] == 1
    assert "systemd does not say" in said("silent")[1]
    assert json.loads(service("status", "--json").output) == [
        {"unit": unit.name, "file": str(unit), "ours": True, "active": None, "enabled": None}
    ]
    unit.write_text(unit.read_text().replace(sys.executable, "/gone/python 100%%"))
    code, text = said("is")
    assert code == 1 and "is gone: /gone/python 100%" in text


def test_remove_ends_it_and_takes_ours_and_no_data(
    service: Callable[..., Result],
    installed: Callable[..., Path],
    systemctl: Callable[[str], list[str]],
    as_root: bool,
    tmp_path: Path,
) -> None:
    hub, gateway = installed(), installed("--gateway", "--", "/dev/ttyUSB0")
    wanted = hub.parent / "multi-user.target.wants" / hub.name
    wanted.parent.mkdir()
    wanted.symlink_to(hub)
    (hub.parent / "other.service").touch()
    kept = tmp_path / "datos 100% «año»" / "store.sqlite3"
    kept.touch()
    systemctl("is")
    assert "still runs" in refusal(service("remove"))
    assert hub.exists() and gateway.exists()
    systemctl("ended")
    done = service("remove")
    assert done.exit_code == 0, done.output
    assert [path.name for path in hub.parent.rglob("*.service")] == ["other.service"]
    assert kept.exists() and "The data stay" in done.output
    own = "" if as_root else "--user "
    for word in ("stop", "disable"):
        for unit in (hub, gateway):
            assert f"{own}{word} {unit.name}" in systemctl("ended")
    assert service("remove").output == "There is no unit of Diadema.\n"


def test_the_folders_are_those_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert Units(system=True).folder == Path("/etc/systemd/system")
    assert Units(system=False).folder == tmp_path / "systemd" / "user"
