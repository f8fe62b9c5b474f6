"""A systemd of its own, as on a machine that has just booted: in its own namespaces and cgroup, on
a copy of this machine's files that is gone afterwards. What is done in it touches nothing outside.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

SYSTEMD = Path("/lib/systemd/systemd")
USERS = {"diadema": 61_990, "ana": 61_991}
_NAMESPACES = ("mount", "pid", "uts", "ipc", "net", "cgroup")
_UMASK = 0o022  # a machine's own: a command that ran in this process may have left a stricter one
_LIMIT_S = 300.0
_LOOK_S = 0.1

# $1: an empty folder. It says `booted` before systemd begins: what fails earlier is not ours
_BOOT = r"""
set -e
mount --make-rprivate /
mount -t tmpfs scratch "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs -o mode=755 dev dev
mount -t tmpfs -o mode=755 run run
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount -t tmpfs -o mode=1777 shm dev/shm
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mknod -m 666 dev/null c 1 3
mknod -m 666 dev/zero c 1 5
mknod -m 666 dev/full c 1 7
mknod -m 666 dev/random c 1 8
mknod -m 666 dev/urandom c 1 9
mknod -m 666 dev/tty c 5 0
: > etc/machine-id
rm -rf etc/systemd/system/*.wants
printf '[Unit]\nRequires=systemd-journald.service\n' > etc/systemd/system/trial.target
mkdir old
pivot_root . old
umount -l /old
echo booted
exec env -i container=trial "PATH=$PATH" "$0" --system --unit=trial.target --log-target=journal
"""


class Manager:
    """Words are run in it, as root or as one of USERS."""

    def __init__(self, pid: int) -> None:
        self._enter = ["nsenter", f"--target={pid}", *(f"--{one}" for one in _NAMESPACES)]

    def run(
        self, *words: str | Path, user: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        told = [f"HOME={'/home/' + user if user else '/root'}", f"PATH={os.environ['PATH']}"]
        as_user = []
        if user:
            told.append(f"XDG_RUNTIME_DIR=/run/user/{USERS[user]}")
            as_user = ["setpriv", f"--reuid={USERS[user]}", f"--regid={USERS[user]}",
                       "--clear-groups"]  # fmt: skip
        done = subprocess.run(
            [*self._enter, "--root", "--wdns=/", *as_user, "env", "-i", *told, *map(str, words)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, umask=_UMASK,
        )  # fmt: skip
        assert not check or done.returncode == 0, (words, done.stdout, done.stderr)
        return done

    def until(self, wanted: str, *words: str | Path, user: str = "") -> str:
        """Until those words say so; gives all that they said."""
        end = time.monotonic() + _LIMIT_S
        while wanted not in (said := self.run(*words, user=user, check=False).stdout):
            assert time.monotonic() < end, (words, said)
            time.sleep(_LOOK_S)
        return said


@contextlib.contextmanager
def booted(folder: Path) -> Iterator[Manager]:
    """Skips where this machine lets nobody start one."""
    if os.getuid() != 0:
        pytest.skip("only root may start another system manager")
    group = _cgroup()
    try:
        group.mkdir()
        group.chmod(0o755)
    except OSError as error:
        pytest.skip(f"no system manager can be started on this machine: {error}")
    folder.mkdir()
    folder.chmod(0o755)
    unshare = [
        "setpriv",
        "--pdeathsig=KILL",
        "unshare",
        "--fork",
        "--kill-child",
        *(f"--{one}" for one in _NAMESPACES),
    ]
    inside = [*unshare, "sh", "-c", _BOOT, str(SYSTEMD), str(folder)]
    outside = ["sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(group), *inside]
    with subprocess.Popen(
        outside,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        umask=_UMASK,
    ) as machine:
        assert machine.stdout and machine.stderr
        try:
            if machine.stdout.readline() != b"booted\n":
                said = machine.stderr.read().decode().strip()
                pytest.skip(f"no system manager can be started on this machine: {said}")
            (pid,) = Path(f"/proc/{machine.pid}/task/{machine.pid}/children").read_text().split()
            manager = Manager(int(pid))
            manager.until("active\n", "systemctl", "is-active", "systemd-journald")
            for name, number in USERS.items():
                _add_user(manager, name, number)
            yield manager
        finally:
            machine.send_signal(signal.SIGKILL)  # and with it all that it started
            machine.wait()
            _remove(group)


def _cgroup() -> Path:
    """A new one below our own."""
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    roots = [line.split()[4] for line in mounts if " - cgroup2 " in line]
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    ours = [line[3:] for line in lines if line.startswith("0::")]
    if not (roots and ours):
        pytest.skip("no system manager can be started on this machine: it has no cgroup2")
    return Path(roots[0]) / ours[0].lstrip("/") / f"diadema-trial-{os.getpid()}"


def _remove(group: Path) -> None:
    end = time.monotonic() + _LIMIT_S
    while (group / "cgroup.events").exists():
        if "populated 0" in (group / "cgroup.events").read_text():
            for path in sorted(group.rglob("*/"), reverse=True):
                path.rmdir()
            group.rmdir()
            return
        assert time.monotonic() < end
        time.sleep(_LOOK_S)


def _add_user(manager: Manager, name: str, number: int) -> None:
    manager.run(
        "sh", "-c",
        f"echo {name}:x:{number}:{number}::/home/{name}:/bin/sh >> /etc/passwd; "
        f"echo {name}:x:{number}: >> /etc/group; "
        f"install -d -m 700 -o {number} -g {number} /home/{name} /run/user/{number}",
    )  # fmt: skip
