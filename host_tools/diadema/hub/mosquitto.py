"""Mosquitto as the stations' MQTT listener: all that it needs, in the folder `mosquitto` of the
data.

It lets each station in with its own credential to its own topics, and carries them to NATS, which
then listens on loopback only. The ingest writes here; `mosquitto -c …/mosquitto.conf` runs it.
Weaker than NATS' own listener: a PUBACK is not durable (the acknowledgement from end to end covers
it), and any subscription is granted, though only what the ACL allows is delivered.
"""

import base64
import hashlib
import hmac
import ipaddress
import logging
import os
import pwd
import signal
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from diadema.base.certificates import Certificates
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir, cannot_write, write_whole
from diadema.base.processes import command_line
from diadema.hub.broker import BRIDGE, LOOPBACK, Ports, read_ports
from diadema.words import Sentence

CLIENT = "diadema-mosquitto"  # NATS refuses client ids with a dot
STATE_TOPIC = f"diadema/v1/{BRIDGE}/st"  # "1" while the bridge is up; its last will is "0"
_ITERATIONS = 1000  # a password has 256 random bits: more would only slow each connection
_ACL = """\
pattern write diadema/v1/%u/ev
pattern write diadema/v1/%u/st/wifi
pattern read diadema/v1/%u/ack
pattern read diadema/v1/%u/cmd
"""

log = logging.getLogger("diadema.ingest")


class MqttListener(Struct):
    """Where mosquitto listens; an empty `host` is every address."""

    port: int
    host: str = ""

    @property
    def near(self) -> str:
        """Where this machine itself finds it."""
        return LOOPBACK if self.host in ("", "0.0.0.0") else self.host


def read_listener(data: DataDir) -> MqttListener | None:
    """None while stations connect to NATS itself."""
    try:
        return msgspec.json.decode((data.mosquitto / "door.json").read_bytes(), type=MqttListener)
    except (OSError, msgspec.DecodeError):
        return None


class Mosquitto:
    """`folder` and its files. Making the object touches nothing."""

    def __init__(self, data: DataDir, bridge_password: str) -> None:
        self._data = data
        self._password = bridge_password
        self.folder = data.mosquitto
        self.conf = self.folder / "mosquitto.conf"
        self._acl = self.folder / "acl"
        self._passwords = self.folder / "passwords"
        self._ca = self.folder / "ca.pem"
        self._pid = self.folder / "mosquitto.pid"

    def open(self, listener: MqttListener) -> None:
        """Stations are told this listener. `refresh` must follow. Raises DiademaError."""
        ports = self._ports()
        if not _is_loopback(ports.mqtt_host):
            raise DiademaError(
                Sentence(
                    "errors.hub.nats_itself_listens_mqtt_host_start", mqtt_host=ports.mqtt_host
                )
            )
        if not 0 < listener.port < 65536:
            raise DiademaError(Sentence("errors.hub.port_no_port", port=listener.port))
        if listener.port == ports.mqtt:
            raise DiademaError(Sentence("errors.hub.port_port_nats_own_give", port=listener.port))
        if listener.host:
            try:
                ipaddress.ip_address(listener.host)
            except ValueError as error:
                raise DiademaError(
                    Sentence("errors.hub.host_no_address_machine", host=listener.host)
                ) from error
        try:
            self.folder.mkdir(exist_ok=True, mode=0o700)
            self.folder.chmod(0o700)
            write_whole(self.folder / "door.json", msgspec.json.encode(listener), 0o600)
        except OSError as error:
            raise cannot_write(self.folder, error) from error

    def close(self) -> None:
        """Stations are told NATS' own listener again. A mosquitto that runs goes on."""
        for name in ("door.json", "mosquitto.conf", "acl", "passwords", "ca.pem"):
            (self.folder / name).unlink(missing_ok=True)

    def refresh(self, passwords: Mapping[str, str]) -> None:
        """Write what changed, and have a running mosquitto take it. Raises OSError.

        It ends connections whose password is not right any more.
        """
        listener = read_listener(self._data)
        if listener is None:
            return
        lines = [f"{s}:{hashed(s, password)}\n" for s, password in sorted(passwords.items())]
        running = self._running()
        _put(self._ca, Certificates(self._data.tls).ca_pem().decode())  # read at each connection
        if _put(self.conf, self._configuration(listener)) and running:
            log.warning("mosquitto must be started again: its door or NATS' port has changed")
        changed = _put(self._acl, _ACL)
        if (_put(self._passwords, "".join(lines)) or changed) and running:
            os.kill(running, signal.SIGHUP)

    def reload(self) -> None:
        """Have a running mosquitto read passwords and certificate again."""
        if running := self._running():
            os.kill(running, signal.SIGHUP)

    def _configuration(self, listener: MqttListener) -> str:
        tls, ports = Certificates(self._data.tls), self._ports()
        return f"""\
# written by `diadema mosquitto`
user {pwd.getpwuid(os.geteuid()).pw_name}
pid_file {self._pid}
log_dest stderr
persistence false
sys_interval 0
set_tcp_nodelay true
max_packet_size 4096
message_size_limit 1024
max_inflight_messages 500
max_queued_messages 20000

listener {listener.port}{f" {listener.host}" if listener.host else ""}
max_qos 1
certfile {tls.server}
keyfile {tls.server_key}
allow_anonymous false
use_username_as_clientid true
password_file {self._passwords}
acl_file {self._acl}

connection diadema
address {ports.near}:{ports.mqtt}
bridge_cafile {self._ca}
remote_clientid {CLIENT}
remote_username {BRIDGE}
remote_password {self._password}
try_private false
bridge_attempt_unsubscribe false
cleansession true
notifications true
notification_topic {STATE_TOPIC}
keepalive_interval 10
restart_timeout 1 5
topic diadema/v1/+/ev out 1
topic diadema/v1/+/st/wifi out 1
topic diadema/v1/+/ack in 0
topic diadema/v1/+/cmd in 0
"""

    def _ports(self) -> Ports:
        ports = read_ports(self._data)
        if ports is None:
            raise DiademaError(Sentence("errors.hub.no_hub_ever_ran_on", root=self._data.root))
        return ports

    def _running(self) -> int:
        """The process id of the mosquitto that runs on this folder; 0: none does."""
        try:
            pid = int(self._pid.read_text())
        except (OSError, ValueError):
            return 0
        return pid if "mosquitto" in command_line(pid) else 0


def hashed(s: str, password: str) -> str:
    """Mosquitto's PBKDF2-SHA512. The salt is made of the password, so that an unchanged one gives
    an unchanged file; that tells nothing of 256 random bits.
    """
    salt = hmac.digest(password.encode(), s.encode(), hashlib.sha256)[:12]
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    salted, hashed = (base64.b64encode(data).decode() for data in (salt, digest))
    return f"$7${_ITERATIONS}${salted}${hashed}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _put(path: Path, text: str) -> bool:
    """Whether it was not there, or another."""
    data = text.encode()
    try:
        if path.read_bytes() == data:
            return False
    except FileNotFoundError:
        pass
    write_whole(path, data, 0o600)
    return True
