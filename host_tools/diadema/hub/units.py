"""The units by which systemd runs a hub, a gateway or a standby: written for this install, and
taken away.

A system's unit runs as a user of its own and may write to its data alone. In a user's own manager
nothing may be asked for that takes privileges: where the kernel gives none, it would not start.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from diadema.base.errors import DiademaError, why
from diadema.base.paths import write_whole
from diadema.words import Sentence

type Part = Literal["hub", "gateway", "standby"]

PARTS: tuple[Part, ...] = ("hub", "gateway", "standby")
SYSTEM = Path("/etc/systemd/system")
SYSTEM_DATA = Path("/var/lib/diadema")
_MARK = "# Written by `diadema service install`, which writes it anew; `remove` takes it away."
TEMPORARY = (Path("/tmp"), Path("/var/tmp"))  # of which PrivateTmp gives a unit its own
_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
_FIRST_FREE_PORT = 1024  # below it a capability is asked for
_HARDENED = """\
UMask=0077
Environment=PYTHONUNBUFFERED=1
LimitNOFILE=65536
NoNewPrivileges=yes
LockPersonality=yes
PrivateTmp=yes
ProtectControlGroups=yes
ProtectKernelTunables=yes
ProtectSystem=strict
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
"""
# these take capabilities away, which takes some
_HARDENED_SYSTEM = """\
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectProc=invisible
RemoveIPC=yes
"""
_SERIAL_PORTS = """\
DevicePolicy=closed
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyACM rw
SupplementaryGroups=dialout
"""
# a device whose driver is not there when the unit starts would be refused for as long as it runs
_DRIVERS = ("modprobe@usbserial.service", "modprobe@cdc_acm.service")
_TRIAL = "import sys, diadema\nfor name in sys.argv[1:]: open(name).close()"


@dataclass(frozen=True)
class Plan:
    """`words` follow `diadema PART`; `reads`: files that they name; `ports`: that it listens at;
    `user`: None in a user's own manager; `copies`: the folder of its backups.
    """

    part: Part
    words: Sequence[str]
    data: Path
    user: str | None = None
    reads: Sequence[Path] = ()
    ports: Sequence[int] = ()
    copies: Path | None = None

    def text(self) -> str:
        """The unit file."""
        command = (sys.executable, "-P", "-m", "diadema", self.part, *self.words)
        wants, after = ["network-online.target"], ["time-sync.target"]
        if self.part == "gateway":
            after.append(name_of("hub"))
            wants += _DRIVERS if self.user else ()
        # the others have no moment at which they are up: they wait for theirs
        kind = "notify\nTimeoutStartSec=infinity" if self.part == "hub" else "exec"
        return (
            f"{_MARK}\n[Unit]\nDescription=Diadema {self.part}\n"
            f"Wants={' '.join(wants)}\nAfter={' '.join([*wants, *after])}\n\n"
            f"[Service]\nType={kind}\n"
            f"ExecStart=:{_quoted([*command, '--data', str(self.data)])}\n"
            f"Restart=on-failure\nRestartSec=5\nKillMode=mixed\nTimeoutStopSec=60\n"
            f"{_HARDENED}{self._places()}{self._of_system() if self.user else ''}\n"
            f"[Install]\nWantedBy={'multi-user' if self.user else 'default'}.target\n"
        )

    def hidden(self) -> list[Path]:
        """What it needs and would not find: a unit has an empty /tmp of its own."""
        return [path for path in self._used() if _lies_in(path, TEMPORARY)]

    def _used(self) -> list[Path]:
        copies = [self.copies] if self.copies is not None else []
        program = [Path(sys.executable), Path(sys.base_prefix), Path(__file__)]
        return [self.data, *program, *self.reads, *copies]

    def _places(self) -> str:
        at_home = any(_lies_in(path, _HOMES) for path in self._used())
        lines = f"ProtectHome={'read-only' if at_home or not self.user else 'yes'}\n"
        if self.copies is not None:  # its disk may be away
            lines += f"ReadWritePaths={_quoted([f'-{self.copies}'])}\n"
        if self.user and self.data == SYSTEM_DATA:
            return f"{lines}StateDirectory={self.data.name}\nStateDirectoryMode=0700\n"
        return f"{lines}ReadWritePaths={_quoted([str(self.data)])}\n"

    def _of_system(self) -> str:
        low = any(0 < port < _FIRST_FREE_PORT for port in self.ports)
        capability = "CAP_NET_BIND_SERVICE" if low else ""
        devices = _SERIAL_PORTS if self.part == "gateway" else "PrivateDevices=yes\n"
        return (
            f"User={self.user}\nAmbientCapabilities={capability}\n"
            f"CapabilityBoundingSet={capability}\n{_HARDENED_SYSTEM}{devices}"
        )


class Units:
    """Those of this machine, or those of whoever runs this."""

    def __init__(self, *, system: bool, folder: Path | None = None) -> None:
        self.system = system
        self.folder = folder or (SYSTEM if system else _own_folder())

    def install(self, plan: Plan) -> Path:
        """Write the unit; gives its file. Raises DiademaError where another's lies there, or where
        its user could not run it.
        """
        if shutil.which("systemctl") is None:
            raise DiademaError(Sentence("errors.hub.no_systemd"))
        path = self.file(plan.part)
        if path.exists() and not self.ours(plan.part):
            raise DiademaError(Sentence("errors.hub.unit_not_ours", path=path))
        if plan.user:
            _try_as(plan.user, plan.reads)
        if not (plan.user and plan.data == SYSTEM_DATA):  # which systemd makes
            _make_data(plan.data, plan.user)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, plan.text().encode(), 0o644)
        except OSError as error:
            raise DiademaError(
                Sentence("errors.base.cannot_write_path_reason_name", path=path, reason=why(error))
            ) from error
        return path

    def file(self, part: Part) -> Path:
        return self.folder / name_of(part)

    def ours(self, part: Part) -> bool:
        try:
            return self.file(part).read_text(encoding="utf-8").startswith(_MARK)
        except (OSError, ValueError):
            return False

    def program(self, part: Part) -> Path:
        """What our unit starts."""
        lines = self.file(part).read_text(encoding="utf-8").splitlines()
        command = next(line for line in lines if line.startswith("ExecStart=:"))
        return Path(shlex.split(command.partition(":")[2])[0].replace("%%", "%"))

    def remove(self, part: Part) -> None:
        """End it, and take our unit away; data stay. Raises DiademaError where it does not end."""
        self._systemctl("stop", name_of(part))
        if self.state(part)[0] in ("active", "activating", "deactivating", "reloading"):
            raise DiademaError(Sentence("errors.hub.unit_runs_on", unit=name_of(part)))
        self._systemctl("disable", name_of(part))
        for path in (*self.folder.glob(f"*.wants/{name_of(part)}"), self.file(part)):
            path.unlink(missing_ok=True)
        self._systemctl("daemon-reload")

    def state(self, part: Part) -> tuple[str, str]:
        """ActiveState and UnitFileState as systemd has them; empty where none answers."""
        said = self._systemctl("show", name_of(part), "-p", "ActiveState", "-p", "UnitFileState")
        found = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
        return found.get("ActiveState", ""), found.get("UnitFileState", "")

    def command(self, *words: str) -> list[str]:
        """The command line of `systemctl` for these."""
        return ["systemctl", *([] if self.system else ["--user"]), *words]

    def _systemctl(self, *words: str) -> str:
        try:
            done = subprocess.run(
                self.command(*words), capture_output=True, text=True, check=False
            )
        except OSError:
            return ""
        return done.stdout if done.returncode == 0 else ""


def _lies_in(path: Path, folders: Iterable[Path]) -> bool:
    """By its name, or where a link leads."""
    return any(one.is_relative_to(top) for one in (path, path.resolve()) for top in folders)


def name_of(part: Part) -> str:
    return f"diadema-{part}.service"


def _own_folder() -> Path:
    set_to = os.environ.get("XDG_CONFIG_HOME")
    return (Path(set_to) if set_to else Path.home() / ".config") / "systemd" / "user"


def _quoted(words: Iterable[str]) -> str:
    """As systemd reads words of a line; `:` before a command leaves `$` alone."""
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") for word in words)
    return " ".join(f'"{word}"' for word in escaped)


def _try_as(user: str, reads: Sequence[Path]) -> None:
    """Raises DiademaError where that user cannot run this program or read those files."""
    import pwd

    try:
        account = pwd.getpwnam(user)
    except KeyError:
        raise DiademaError(
            Sentence("errors.hub.no_such_user", user=user, folder=SYSTEM_DATA)
        ) from None
    command = [sys.executable, "-P", "-c", _TRIAL, *map(str, reads)]
    try:
        done = subprocess.run(
            command, user=account.pw_uid, group=account.pw_gid, extra_groups=[], cwd="/",
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        reason = done.stderr.strip().rpartition("\n")[2] if done.returncode else ""
    except OSError as error:
        reason = str(why(error))
    if reason:
        raise DiademaError(
            Sentence(
                "errors.hub.user_cannot_run", user=user, program=sys.executable, reason=reason
            )
        )


def _make_data(data: Path, user: str | None) -> None:
    try:
        if not data.exists():
            data.mkdir(parents=True, mode=0o700)
            if user:
                shutil.chown(data, user)
    except OSError as error:
        raise DiademaError(
            Sentence("errors.base.cannot_write_path_reason_name", path=data, reason=why(error))
        ) from error
