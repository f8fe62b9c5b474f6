"""Valid samples of what each parser reads, as the bytes that its function takes."""

import base64
import json

import msgspec
from diadema.hub import nats_jwt
from diadema.site import description, station_config
from diadema.site.example import EXAMPLE
from diadema.stations.flash.preserved import config_file
from diadema.wire import commands
from diadema.wire.frames import cut, encode

from tests.parsers import images
from tests.support.flash_image import header, record, sector
from tests.support.scripted_station import SITE, Script

STATION = "DIA-0200000000a1"
_CALL = {"contact": "c1"}
ASKED = [
    commands.Ring(contact="c1", direction="out", queue="ventas", pbx="17.5"),
    commands.Ring(contact="ñ", queue='"'),
    commands.Withdraw(contact="c1", cause="caller_gave_up"),
    commands.Answer(**_CALL),
    commands.Hold(**_CALL),
    commands.Resume(**_CALL),
    commands.Hangup(contact="c1", by="caller"),
    commands.Consult(contact="c1", area="reclamos"),
    commands.ConsultEnd(contact="c1", result="back"),
    commands.Transfer(contact="c1", target="reclamos", kind="consulted"),
    commands.SetPresence(to="not_ready", reason="refrigerio"),
    commands.SetPresence(to="not_ready", reason="reunion", who="Flor Ñandú"),
    commands.ShowText(m="m1", text="¿Vienes?"),
    commands.Consult(contact="c1", area="reclamos"),
    commands.ConsultEnd(contact="c1", result="dropped"),
    commands.Transfer(contact="c1", target="reclamos", kind="blind"),
    commands.Transfer(contact="c1", target="reclamos", kind="consulted", completed=0),
    commands.Help(of=2**40, state="resolved", by="Ñ" * 16, result="orientado"),
    commands.Fault(of=1, state="rejected", by="Nilton Pacae", cause="sin_falla"),
]
OF_THE_HUB = [commands.Listened(contact="c1", state="on", who="Ñ" * 16)]


def day() -> list[bytes]:
    script = Script(STATION).boot().clock().login().ready()
    return script.call("c1").call("c2", hold=5000).logout().boot("watchdog").bodies


def _down() -> list[bytes]:
    numbered = enumerate([*ASKED, *OF_THE_HUB], 1)
    asked = [json.loads(msgspec.json.encode(one)) | {"i": at} for at, one in numbered]
    own = [
        {"hello": {}},
        {"ack": [7, 2]},
        {"cmd": "time", "i": 30, "utc": 1_795_000_000_000},
        {"cmd": "format_journal", "i": 31, "confirm": STATION},
        {"cmd": "factory_reset", "i": 32, "confirm": STATION},
        {"cmd": "config", "i": 33, "generation": 2, "part": 1, "parts": 1},
        {"cmd": "dance", "i": 34},
    ]
    return [json.dumps(one, separators=(",", ":")).encode() for one in asked + own]


def _pieces() -> list[bytes]:
    """What frames carry down, a line each: whole messages, mixed ones, and one begun anew."""
    long = [b'{"cmd":"%b","i":1}' % (one * 400) for one in (b"a", b"b")]
    first, second = ([frame[1:-10] for frame in cut(*one)] for one in enumerate(long, 7))
    mixed = [one for both in zip(first, second, strict=True) for one in both]
    told = [first + second, mixed, [*first[:2], *first], [*first, first[-1], b"{}", *second[1:]]]
    return [b"\n".join(one) for one in told]


def _sites() -> list[bytes]:
    own = {**SITE, "stations": [{"id": STATION, "seat": "A-01"}]}
    secure = {**own["agents"][0], "badges": ["iso14443a:04A1B2C3", "desfire:04782E21801D80"]}
    small = own | {"agents": [secure], "reasons": [], "broker_names": ["hub.lan"]}
    whole = json.loads(EXAMPLE) | {"stations": own["stations"], "sntp": "10.1.2.3:123"}
    return [json.dumps(one).encode() for one in (own, small, whole)]


def _configs() -> list[bytes]:
    own = {STATION: {"key": "0" * 64, "wifi": {"ssid": "s", "password": "p" * 8}}}
    own[STATION]["broker"] = {
        "host": "hub", "port": 8883, "ca": "AAAA", "user": STATION, "password": "p",
    }  # fmt: skip
    described = description.parse(_sites()[1])
    return [
        station_config.ConfigMaker(described, "5a" * 32, -300, 3, told, card_key="c4" * 16).build(
            STATION
        )
        for told in (None, own)
    ]


def _image() -> bytes:
    first = sector(header(1), record("S", 0, b"[]"), record("E", 1, _event(1)), record("A", 1))
    second = sector(header(2, first=2, acked=1), record("S", 1, b"[]"), record("E", 2, _event(2)))
    return first + second + b"\xff" * 2 * len(first)


def _event(boot: int) -> bytes:
    return b'{"b":%d,"u":5,"t":null,"k":"station.fault","part":"a","code":"b"}' % boot


def _packets() -> list[bytes]:
    def published(body: bytes) -> bytes:
        return b"\x30" + bytes([len(body) + 3]) + b"\x00\x01t" + body

    return [
        published(b'{"ack":[1,2]}') + b"\x40\x02\x00\x01\xd0\x00" + published(b"{}"),
        b"\x40\x02\x00\x02" + b"\x30\x85\x01\x00\x01t" + b"x" * 130,
    ]


def _improv() -> list[bytes]:
    """Commands, an answer, one cut off, and frames among them."""
    asked = [b"\x02\x00", b"\x03\x00", b"\x04\x00", b"\x01\x0f\x04Piso\x09clave1234"]
    heads = [b"IMPROV\x01\x03%c%b" % (len(one), one) for one in asked]
    whole = [head + bytes([sum(head) & 0xFF]) for head in heads]
    answer = b"IMPROV\x01\x04\x02\x01\x00\xe5\n"
    return [*whole, b"\x1c".join([whole[0] + whole[3][:12], day()[0], whole[1] + answer])]


def _broker() -> list[bytes]:
    head = b"$MQTT.msgs.diadema.v1.%b.ev 1 " % STATION.encode()
    reply = b"$JS.ACK.s.c.1.%d.%d.1.0 "
    first = b"MSG " + head + reply % (5, 1) + b"2\r\n{}\r\n"
    second = b"HMSG " + head + reply % (6, 2) + b"16 18\r\nNATS/1.0\r\nA:b\r\n\r\n{}\r\n"
    status = b"HMSG _INBOX.x 1 31 31\r\nNATS/1.0 408 Request Timeout\r\n\r\n\r\n"
    return [b"INFO {}\r\n" + first + b"PING\r\n" + second + status, b"-ERR 'x'\r\n"]


def seeds() -> dict[str, list[bytes]]:
    """By the name of the function: `host.event`, `station.down`."""
    asked = [msgspec.json.encode(one) for one in ASKED]
    hello = b'{"s":"%b","up":true,"e":7,"first":1,"last":9,"b":1,"gw":"a"}' % STATION.encode()
    whole = images.data_of(_image())
    spoilt = images.data_of(_image(), mend=False)
    lines = [b"\x1c".join([b"boot", body, b"cut " + encode(body)[:9]]) for body in day()[:4]]
    events = [b"\n".join(day()), b"1" + hello, b'4{"up":false}', *day()]
    issuer = nats_jwt.Issuer(bytes(32))
    token = issuer.sign("user", "subject", "audience", {"sub": {"allow": [">"]}}).encode()
    row = b'{"a":"a001","name":"Rosa","state":"ready","since":1,"contacts":2,"tmo":null}'
    configs = _configs()
    files = [config_file(text) for text in configs]
    return {
        "host.serial_frames": lines,
        "host.gateway_frames": [b'{"hello":%b}' % hello, *day()],
        "host.event": day(),
        "host.stream_messages": events,
        "host.site": _sites(),
        "host.command": asked,
        "host.token": [token],
        "host.live_rows": [row, b'{"site":"Centro","zone":"America/Lima","generation":3}'],
        "host.flash_image": [whole, spoilt],
        "host.broker_stream": _broker(),
        "station.serial_frames": lines,
        "station.pieces": _pieces(),
        "station.improv_packets": _improv(),
        "station.mqtt_packets": _packets(),
        "station.config": configs,
        "station.config_file": files,
        "station.down": [b"\n".join(_down()), *_down()],
        "station.forged": [b'{"ack":[7,2],"h":"0123456789abcdef"}', b"\n".join(_down())],
        "station.sealing": [base64.b16encode(b"12345678")],
        "station.host_command": asked,
        "station.host_site": _sites(),
        "station.boot_scan": [whole, spoilt],
        "station.boot": [whole, spoilt],
    }
