"""The data directory: every file in it is named here, and how much room is left on its disk. And
where the files lie that come with the program.

`hub.json` says where a running hub is reached; it stands there only while everything is up.

Below a reserve nothing is taken in any more, before the disk is full: a broker whose write has
failed takes nothing until it is started again, and people need room to log in and to tidy up.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import msgspec
from msgspec import Struct

from diadema.base.errors import DiademaError, why
from diadema.words import Sentence

_RESERVE_SHARE = 0.05  # of the disk
_RESERVE_LIMIT = 5 << 30  # bytes: five weeks of the stream of 300 working stations
_OF_A_DISK = "lost+found"
_HYSTERESIS = 1.2  # times the reserve, so that it does not go on and off by each file


class Hub(Struct):
    """hub.json. `web` and `nats` are URLs, `mqtt` is (host, port), `children` process ids."""

    pid: int
    children: dict[str, int]
    web: str
    nats: str
    mqtt: tuple[str, int]


class DataDir:
    """The files of one data directory. Making the object touches nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.hub = root / "hub.json"
        self.secrets = root / "secrets.json"
        self.keys = root / "keys.json"
        self.tls = root / "tls"
        self.mosquitto = root / "mosquitto"
        self.lock = root / "lock"
        self.ingest_lock = root / "ingest.lock"
        self.nats = root / "nats"
        self.ports = self.nats / "ports.json"
        self.store = root / "store.sqlite3"
        self.site = root / "site.json"
        self.zone = root / "zone"  # that an import was told, while there is no site
        self.logs = root / "logs"
        self.journals = root / "journals"  # of stations whose flash was to be written anew
        self.images = root / "images"  # that stations are flashed with
        self.boards = root / "boards"  # own files of those whose flash is being written
        self.directory = root / "directory.sqlite3"  # people and places
        self.accounts = root / "accounts.sqlite3"  # who may look, and who did
        self.erased = root / "erased.sqlite3"  # keyed hashes of what was
        self.pending_pin = root / "pending_pin.json"  # a reset that is being noted
        self.rollups = root / "rollups.sqlite3"  # sums of the store; deleting it only costs time
        self.update_key = root / "update_key.pub"  # of who signs programs for stations
        self.updates = root / "updates"  # their bundles, by SHA-256
        self.inspection_key = root / "inspection_key.pem"  # signs records of bench tests
        self.simulated = root / "simulated"  # flash of the site's simulated stations
        self.proofs = root / "proofs"  # what stations measured of themselves
        self.reports = root / "reports"  # of the scheduled runs
        self.backups = root / "backups.json"  # when they are made, and where they lie
        self.mail = root / "mail.json"  # which server takes mail, and for whom
        self.webhooks = root / "webhooks.json"  # to whom alerts are sent
        self.switch = root / "switch.json"  # the telephone exchange, and how to reach it
        self.switch_journal = root / "switch.sqlite3"  # what its bridge has yet to tell the hub
        self.switch_lock = root / "switch.lock"
        self.recordings = (
            root / "recordings.json"
        )  # where the switch's lie, and what they are called
        self.recordings_index = root / "recordings.sqlite3"  # their names, and whose they are
        self.samples = root / "samples"  # secrets of periods, and what draws were made from
        self.evaluation_drafts = root / "drafts.sqlite3"  # what monitors have begun
        self.hearings = root / "hearings.json"  # how much of each that goes on was heard by now
        self.standing = root / "standing.json"  # who serves the site: this one, or another
        self.standbys = root / "standbys.json"  # what those of this hub last said of themselves
        self.standby = root / ".standby"  # what a standby has of its hub until it takes over

    def gateway(self, name: str) -> Path:
        return self.root / f"gateway-{name}.json"

    def log(self, name: str) -> Path:
        """`name` is a station id or the name of a part of the hub."""
        return self.logs / f"{name}.log"

    def check_own(self) -> None:
        """For a hub that begins. Raises DiademaError where other things lie and none of ours: it
        would be taken over, and closed to everybody else. Folders like `images` anybody has.
        """
        named = {one.relative_to(self.root).parts[0] for one in vars(self).values()
                 if one != self.root}  # fmt: skip
        ours = {self.nats.name, *(name for name in named if "." in name)}
        try:
            there = {path.name for path in self.root.iterdir()} if self.root.is_dir() else set()
        except OSError as error:
            raise cannot_look(self.root, error) from error
        found = {name for name in there if name[0] != "." and not name.endswith(".lock")}
        if found - named - {_OF_A_DISK} and not found & ours:
            raise DiademaError(Sentence("errors.base.not_ours", root=self.root))

    def make(self) -> None:
        """Create the directory and its folders. Raises DiademaError when that is not allowed."""
        try:
            self.root.mkdir(parents=True, exist_ok=True, mode=0o700)
            if os.name == "posix" and self.root.stat().st_mode & 0o077:
                self.root.chmod(0o700)  # older ones let everybody in
            self.nats.mkdir(exist_ok=True, mode=0o700)
            self.logs.mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            raise cannot_write(self.root, error) from error

    def read_hub(self) -> Hub | None:
        """The hub that says it runs on this directory; None when none does."""
        try:
            return msgspec.json.decode(self.hub.read_bytes(), type=Hub)
        except (OSError, msgspec.DecodeError):
            return None


def cannot_write(path: Path, error: OSError) -> DiademaError:
    return DiademaError(
        Sentence("errors.base.cannot_write_path_reason_name", path=path, reason=why(error))
    )


def cannot_look(folder: Path, error: OSError) -> DiademaError:
    return DiademaError(
        Sentence("errors.base.cannot_look_folder_reason", folder=folder, reason=why(error))
    )


def tree() -> Path:
    """The folder that has `firmware/`, `boards/`, `hardware/` and the guides: in the package where
    that was installed from a wheel, else the checkout.
    """
    package = Path(__file__).resolve().parents[1]
    inside = package / "tree"
    return inside if inside.is_dir() else package.parents[1]


def default_root() -> Path:
    """The user's data folder."""
    import platformdirs

    return platformdirs.user_data_path("diadema")


def keep_private() -> None:
    """What this process and its children write is their owner's: names, marks, keys."""
    os.umask(0o077)


def write_whole(path: Path, data: bytes, mode: int = 0o600) -> None:
    """Readers see the old content or the new one, never a part; also after a power cut."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(descriptor, mode)  # whatever the umask is
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@dataclass(frozen=True)
class Room:
    """In bytes. `low`: nothing is taken in now."""

    free: int
    reserve: int
    low: bool

    @property
    def said(self) -> str:
        return f"{self.free / 1e6:,.0f} MB are left, {self.reserve / 1e6:,.0f} MB are kept free"


class Disk:
    """Of one folder: low from below the reserve on, until there is a fifth more than it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._low = False

    def look(self) -> Room:
        """Raises DiademaError when the folder is gone."""
        try:
            found = os.statvfs(self._folder)
        except OSError as error:
            raise cannot_look(self._folder, error) from error
        free = found.f_bavail * found.f_frsize
        reserve = min(int(found.f_blocks * found.f_frsize * _RESERVE_SHARE), _RESERVE_LIMIT)
        self._low = free < reserve * (_HYSTERESIS if self._low else 1)
        return Room(free, reserve, self._low)
