"""What `/metrics` says, in the text form of Prometheus. What is not known has no sample: not 0.

`FAMILIES` has each name once; the guide's table is made of it. No sample names a person.
"""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress

from msgspec import Struct
from nats.js.api import StreamInfo
from sqlalchemy.exc import DBAPIError

from diadema.base.backups import last_backup
from diadema.base.certificates import ends_of
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.base.webhooks import hooks
from diadema.maintenance.standbys import Heard
from diadema.report.schedule import last_runs
from diadema.stations.fleet import all_stations
from diadema.store import open_reader
from diadema.web.floor.feed import HubAbsent, HubSilent, NatsAbsent
from diadema.web.web_app import WebApp

_UNREADABLE = (DiademaError, DBAPIError)
_PREFIX = "diadema_web_"
_LOOK_S = 10.0  # between two readings of the store, however often somebody asks


class Family(Struct, frozen=True):
    """`kind`: gauge or counter; `labels`: their names, as the guide has them."""

    kind: str
    unit: str
    meaning: str
    labels: str = ""


FAMILIES = {
    "live": Family("gauge", "0 or 1", "1 while what is shown is live"),
    "nats_up": Family("gauge", "0 or 1", "1 while connected to NATS"),
    "agents": Family("gauge", "agents", "agents by state", "state"),
    "changes_total": Family("counter", "rows", "live rows changed"),
    "rejected_total": Family("counter", "values", "live values refused"),
    "restarts_total": Family("counter", "times", "times the feed began anew"),
    "commands_total": Family("counter", "requests", "requests to the hub"),
    "failures_total": Family("counter", "faults", "faults in what goes on behind"),
    "disk_free_bytes": Family("gauge", "bytes", "free on the disk of the data"),
    "disk_reserve_bytes": Family("gauge", "bytes", "below which all pauses"),
    "disk_low": Family("gauge", "0 or 1", "1 while it pauses for room"),
    "viewers": Family("gauge", "streams", "open floor streams", "scope"),
    "messages_total": Family("counter", "messages", "messages made", "scope"),
    "given_up_total": Family("counter", "viewers", "viewers too slow to keep", "scope"),
    "stream_behind_messages": Family(
        "gauge", "messages", "messages of the broker's stream that are not stored yet"
    ),
    "certificate_end_seconds": Family(
        "gauge", "Unix time", "when a certificate in use ends", "file"
    ),
    "backup_time_seconds": Family("gauge", "Unix time", "when the last backup was made"),
    "backup_bytes": Family("gauge", "bytes", "how large it was"),
    "standby_seen_time_seconds": Family(
        "gauge", "Unix time", "when a standby last asked for messages", "standby"
    ),
    "standby_behind_messages": Family(
        "gauge", "messages", "messages of the stream that a standby does not have yet", "standby"
    ),
    "standby_backup_time_seconds": Family(
        "gauge", "Unix time", "when the last backup that a standby has was made", "standby"
    ),
    "standby_backup_interval_seconds": Family(
        "gauge", "seconds", "how often a standby takes a backup", "standby"
    ),
    "webhook_failing": Family("gauge", "0 or 1", "1 while a webhook takes no alert", "webhook"),
    "recording_pauses": Family(
        "gauge", "recordings", "of the last day, that did not respect a pause"
    ),
    "switch_up": Family("gauge", "0 or 1", "1 while the bridge to the telephone switch works"),
    "switch_calls": Family("gauge", "calls", "calls that it has in hand"),
    "switch_unsent_events": Family(
        "gauge", "events", "of the switch, that the hub has not stored"
    ),
    "report_failed": Family(
        "gauge", "0 or 1", "1 while a schedule's last report failed or was not sent", "schedule"
    ),
    "station_up": Family("gauge", "0 or 1", "1 while a seat's station has a link", "seat"),
    "station_clock_error_seconds": Family(
        "gauge", "seconds", "how far the hour of a seat's station may be off", "seat"
    ),
    "station_journal_ratio": Family(
        "gauge", "0 to 1", "share of its journal that a seat's station last said is in use", "seat"
    ),
}

type Samples = dict[str, float]  # by label, which is empty where a family has none


class Exporter:
    """Made once; the store is read behind, and what was read last is given until then."""

    def __init__(self, web_app: WebApp) -> None:
        self._web_app = web_app
        self._read: dict[str, Samples] = {}
        self._read_at = float("-inf")

    async def text(self) -> str:
        if time.monotonic() - self._read_at >= _LOOK_S:
            self._read_at = time.monotonic()
            self._read = await asyncio.to_thread(self._of_data)
        found = {**self._own(), **self._read}
        stream = await self._web_app.feed.stream()
        if stream is not None and (behind := await self._behind(stream)) is not None:
            found["stream_behind_messages"] = {"": behind}
        found |= await self._switch()
        with suppress(*_UNREADABLE):
            heard = await asyncio.to_thread(self._web_app.standbys.heard)
            found |= _standbys(heard, stream)
        return _written(found)

    async def _switch(self) -> dict[str, Samples]:
        """Nothing where no telephone switch is set up, or the hub does not say."""
        if not self._web_app.data.switch.exists():
            return {}
        with suppress(HubAbsent, HubSilent, NatsAbsent):
            shown = (await self._web_app.feed.request("hub.switch.shown", {})).get("switch")
            if shown is None:
                return {}
            found: dict[str, Samples] = {"switch_up": {"": float(shown["up"])}}
            if (report := shown["report"]) is not None:
                found["switch_calls"] = {"": report["calls"]}
                found["switch_unsent_events"] = {"": report["unsent"]}
            return found
        return {}

    def _own(self) -> dict[str, Samples]:
        web = self._web_app
        scopes = {_label("scope", name): count for name, count in web.channels.counts.items()}
        found: dict[str, Samples] = {
            "live": {"": float(web.feed.down_since() is None)},
            "nats_up": {"": float(web.feed.connected)},
            "agents": {_label("state", s): n for s, n in sorted(web.floor.by_state().items())},
            "changes_total": {"": web.floor.changes},
            "rejected_total": {"": web.floor.rejected},
            "restarts_total": {"": web.feed.restarts},
            "commands_total": {"": web.commands},
            "failures_total": {"": web.background.failures},
            "viewers": {label: len(one.viewers) for label, one in scopes.items()},
            "messages_total": {label: one.messages for label, one in scopes.items()},
            "recording_pauses": {"": sum(int(one.what or 0) for one in web.unheeded.alerts())},
            "given_up_total": {label: one.given_up for label, one in scopes.items()},
        }
        if (room := web.room()) is not None:
            found["disk_free_bytes"] = {"": room.free}
            found["disk_reserve_bytes"] = {"": room.reserve}
            found["disk_low"] = {"": float(room.low)}
        return found

    def _of_data(self) -> dict[str, Samples]:
        data = self._web_app.data
        found = {"certificate_end_seconds": self._certificates()}
        if (backup := last_backup(data)) is not None:
            found["backup_time_seconds"] = {"": backup.made_ms / 1000}
            found["backup_bytes"] = {"": backup.bytes}
        with suppress(DiademaError):
            ours = hooks(data)
            found["webhook_failing"] = {
                _label("webhook", one.name): float(one.failing_ms > 0) for one in ours
            }
        with suppress(DiademaError):
            found["report_failed"] = {
                _label("schedule", one.name): float(run.file is None or bool(run.unsent))
                for one, run in last_runs(data)
            }
        with suppress(*_UNREADABLE):  # the other figures are said all the same
            found |= _stations(data, self._web_app.pace.now_ms())
        return found

    def _certificates(self) -> Samples:
        """Those in use: what the pages show may be somebody else's, and lie elsewhere."""
        tls, shown = self._web_app.data.tls, self._web_app.settings.certificate
        files = [tls / name for name in ("ca.pem", "server.pem")]
        if shown is not None:
            files += [shown, *([tls / "pages-ca.pem"] if shown.parent == tls else [])]
        return {_label("file", file.name): end.timestamp() for file, end in ends_of(files).items()}

    async def _behind(self, stream: StreamInfo) -> int | None:
        """Of another stream than the store knows all is still to come."""
        with suppress(*_UNREADABLE):
            created, stored = await asyncio.to_thread(_taken, self._web_app.data)
            if created != str(stream.created):
                stored = stream.state.first_seq - 1
            return max(0, int(stream.state.last_seq) - stored)
        return None


def _taken(data: DataDir) -> tuple[str, int]:
    with open_reader(data.store) as reader:
        return reader.taken()


def _stations(data: DataDir, now_ms: int) -> dict[str, Samples]:
    seated = {_label("seat", row.seat): row for row in all_stations(data, now_ms) if row.seat}
    return {
        "station_up": {label: float(row.link != "lost") for label, row in seated.items()},
        "station_clock_error_seconds": {
            label: row.clock_ms / 1000 for label, row in seated.items() if row.clock_ms is not None
        },
        "station_journal_ratio": {
            label: row.journal / 100 for label, row in seated.items() if row.journal is not None
        },
    }


def _standbys(heard: Mapping[str, Heard], stream: StreamInfo | None) -> dict[str, Samples]:
    last = None if stream is None else int(stream.state.last_seq)
    labels = {_label("standby", name): one for name, one in heard.items()}
    behind = {label: one.behind(last) for label, one in labels.items()}
    return {
        "standby_seen_time_seconds": {label: one.seen_ms / 1000 for label, one in labels.items()},
        "standby_behind_messages": {
            label: count for label, count in behind.items() if count is not None
        },
        "standby_backup_time_seconds": {
            label: one.backup_ms / 1000 for label, one in labels.items() if one.backup_ms
        },
        "standby_backup_interval_seconds": {
            label: one.every_s for label, one in labels.items() if one.every_s
        },
    }


def _label(name: str, value: str) -> str:
    for plain, escaped in (("\\", r"\\"), ('"', r"\""), ("\n", r"\n")):
        value = value.replace(plain, escaped)
    return f'{{{name}="{value}"}}'


def _written(found: Mapping[str, Samples]) -> str:
    lines: list[str] = []
    for name, family in FAMILIES.items():
        if samples := found.get(name):
            lines.append(f"# HELP {_PREFIX}{name} {family.meaning}")
            lines.append(f"# TYPE {_PREFIX}{name} {family.kind}")
            lines.extend(f"{_PREFIX}{name}{label} {n}" for label, n in samples.items())
    return "\n".join(lines) + "\n"
