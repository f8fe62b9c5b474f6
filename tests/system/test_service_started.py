"""The units of `diadema service install` under a systemd: what is installed starts, is up when
systemd says so, comes back when it is killed, and ends in order.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.manager import SYSTEMD, USERS, Manager, booted

DIADEMA = (sys.executable, "-P", "-m", "diadema")
_JOURNAL = ("journalctl", "-o", "cat", "SYSLOG_IDENTIFIER=python")
SYSTEM_DATA = Path("/var/lib/diadema")


@pytest.fixture
def manager(system_program: Callable[[str, str], str], tmp_path: Path) -> Iterator[Manager]:
    for name in ("unshare", "nsenter", "setpriv"):
        system_program(name, "util-linux")
    system_program("systemctl", "systemd")
    system_program("mount", "mount")
    with booted(tmp_path / "machine") as found:
        trial = found.run(*DIADEMA, "--version", user="ana", check=False)
        if trial.returncode:
            pytest.skip(f"another user of this machine cannot run this checkout: {trial.stderr}")
        yield found


@pytest.fixture(params=["system", "own"])
def service(request: pytest.FixtureRequest, manager: Manager) -> "Service":
    """Of the system, or of a user's own manager."""
    return Service(manager, "" if request.param == "system" else "ana")


class Service:
    def __init__(self, manager: Manager, user: str) -> None:
        self._manager, self._user = manager, user
        self.data = Path(f"/home/{user}/.local/share/diadema") if user else SYSTEM_DATA
        self._ctl = ["systemctl", *(["--user"] if user else [])]
        if user:
            unit = f"manager-of-{user}"
            if manager.run("systemctl", "is-active", unit, check=False).returncode:
                manager.run(
                    "systemd-run", f"--uid={user}", f"--unit={unit}", "-p", "Delegate=yes",
                    "-p", "Type=notify", "-E", f"XDG_RUNTIME_DIR=/run/user/{USERS[user]}",
                    "-E", f"HOME=/home/{user}", SYSTEMD, "--user",
                )  # fmt: skip

    def install(self, *words: str) -> None:
        self.run(*DIADEMA, "service", "install", *words)
        self.ctl("daemon-reload")

    def run(self, *words: str | Path) -> str:
        return self._manager.run(*words, user=self._user).stdout

    def as_owner(self, *words: str | Path) -> str:
        """A command on the data."""
        user = self._user or "diadema"
        return self._manager.run(*DIADEMA, *words, "--data", self.data, user=user).stdout

    def ctl(self, *words: str) -> str:
        return self.run(*self._ctl, *words)

    def starts(self, part: str) -> subprocess.CompletedProcess[str]:
        return self._manager.run(
            *self._ctl, "start", f"diadema-{part}", user=self._user, check=False
        )

    def says(self, part: str, *names: str) -> list[str]:
        asked = [word for name in names for word in ("-p", name)]
        lines = self.ctl("show", f"diadema-{part}", *asked).splitlines()
        found = dict(line.split("=", 1) for line in lines)
        return [found[name] for name in names]

    def until(self, part: str, name: str, value: str) -> None:
        self._manager.until(
            f"{name}={value}\n", *self._ctl, "show", f"diadema-{part}", "-p", name, user=self._user
        )

    def log(self, part: str) -> str:
        return self._manager.run(*self._journal(part)).stdout

    def until_log(self, part: str, wanted: str) -> None:
        self._manager.until(wanted, *self._journal(part))

    def _journal(self, part: str) -> list[str]:
        if self._user:
            return [*_JOURNAL, f"_SYSTEMD_UNIT=manager-of-{self._user}.service"]
        return [*_JOURNAL, f"_SYSTEMD_UNIT=diadema-{part}.service"]


def test_the_hub_is_up_when_it_has_started_and_comes_back_when_it_is_killed(
    service: Service,
) -> None:
    service.install()
    service.ctl("enable", "--now", "diadema-hub")
    assert service.says("hub", "ActiveState", "NRestarts") == ["active", "0"]
    assert '"web"' in service.run("cat", service.data / "hub.json")
    said = service.run(*DIADEMA, "service", "status")
    assert said == "diadema-hub.service: runs, starts at boot\n"

    (pid,) = service.says("hub", "MainPID")
    service.run("kill", "-9", pid)
    service.until("hub", "NRestarts", "1")
    service.until("hub", "ActiveState", "active")
    (again,) = service.says("hub", "MainPID")
    assert again != pid and f'"pid":{again},' in service.run("cat", service.data / "hub.json")

    service.ctl("stop", "diadema-hub")
    assert service.says("hub", "ActiveState", "Result") == ["inactive", "success"]
    assert "hub.json" not in service.run("ls", service.data)


def test_a_hub_that_cannot_start_is_never_said_to_run(service: Service) -> None:
    service.install("--", "--tls-cert", "/etc/hostname", "--tls-key", "/etc/hostname")
    assert service.starts("hub").returncode
    assert service.says("hub", "ActiveState")[0] != "active"
    service.until_log("hub", "diadema: ")
    service.ctl("stop", "diadema-hub")


def test_a_gateway_waits_for_its_cable_and_for_its_hub(service: Service) -> None:
    service.install()
    service.ctl("start", "diadema-hub")
    service.ctl("stop", "diadema-hub")
    service.install("--gateway", "--", "/dev/ttyUSB7")
    service.ctl("start", "diadema-gateway")
    service.until_log("gateway", "cannot open /dev/ttyUSB7: No such file")
    service.until_log("gateway", "waiting for `diadema hub`")
    service.ctl("start", "diadema-hub")
    service.until_log("gateway", "connected to the broker")
    service.ctl("stop", "diadema-hub")
    assert service.says("gateway", "ActiveState", "NRestarts") == ["active", "0"]
    service.ctl("stop", "diadema-gateway")
    assert service.says("gateway", "ActiveState", "Result") == ["inactive", "success"]


def test_a_standby_mirrors_goes_on_when_it_is_killed_and_says_little(service: Service) -> None:
    words = ("account", "add", "jefa", "--role", "admin", "--name", "Jefa")
    service.run(*DIADEMA, *words, "--data", service.data)  # of the system: by root
    service.install("--", "--host", "127.0.0.2")
    service.ctl("start", "diadema-hub")
    file, mirror = service.data / "reserva.json", service.data.with_name("mirror")
    service.as_owner("standby", "allow", "reserva", file)
    service.install(
        "--standby", "--data", str(mirror), "--", "--of", "https://127.0.0.2:8600",
        "--here", "https://127.0.0.3:8600", "--credential", str(file),
    )  # fmt: skip
    service.ctl("start", "diadema-standby")
    service.until_log("standby", "backup of 0 events")
    (pid,) = service.says("standby", "MainPID")
    service.run("kill", "-9", pid)
    service.until("standby", "NRestarts", "1")
    service.until_log("standby", "level with https://127.0.0.2:8600")
    service.ctl("stop", "diadema-standby", "diadema-hub")
    assert service.says("standby", "ActiveState", "Result") == ["inactive", "success"]
    assert "HTTP Request" not in service.log("standby")
