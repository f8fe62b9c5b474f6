"""`/metrics` of a web over a store: each metric of the table, and none for what is not known."""

import asyncio
import re
from contextlib import closing
from datetime import UTC, datetime

import httpx
from diadema.access import Accounts
from diadema.base import webhooks
from diadema.base.certificates import Certificates
from diadema.base.paths import DataDir
from diadema.maintenance.standbys import Heard, Standbys
from diadema.report import schedule
from diadema.report.model import Scope
from diadema.web.prometheus import FAMILIES
from nats.js.api import StreamConfig

from tests.host.test_report_schedules import order
from tests.support.backups import remember_backup
from tests.support.reported_day import stations
from tests.support.scripted_station import T0
from tests.support.web_stage import TESTER, Hub, Nats, Web

NOT_KNOWN = {
    "backup_time_seconds", "backup_bytes", "certificate_end_seconds", "station_up",
    "station_clock_error_seconds", "station_journal_ratio", "stream_behind_messages",
    "webhook_failing", "report_failed", "standby_seen_time_seconds", "standby_behind_messages",
    "standby_backup_time_seconds", "standby_backup_interval_seconds",
    "switch_up", "switch_calls", "switch_unsent_events",
}  # fmt: skip


async def read(web: Web) -> dict[str, dict[str, float]]:
    """{metric: {its label: value}}"""
    async with httpx.AsyncClient(timeout=300) as client:
        text = (await client.get(f"{web.url}/metrics")).text
    found: dict[str, dict[str, float]] = {}
    for name, label, value in re.findall(
        r"^diadema_web_(\w+)(?:\{(.+)\})? (\S+)$", text, re.MULTILINE
    ):
        found.setdefault(name, {})[label] = float(value)
    assert {*re.findall(r"# TYPE diadema_web_(\w+) ", text)} == found.keys()
    return found


async def test_each_metric_is_there_once_it_is_known(
    own_nats: Nats, own_hub: Hub, tmp_path
) -> None:
    data = DataDir(tmp_path / "data")
    stations(data.root)
    Certificates(data.tls).make(["localhost"])
    remember_backup(data, T0, 12)
    with webhooks.changing(data) as known:
        for name, since in (("avisos", 0), ("otro", T0)):
            known.append(webhooks.Hook(name=name, url="https://a.pe/", failing_ms=since))
    data.switch.write_text("{}")
    shown = {"up": True, "age_s": 0.5, "report": {"calls": 2, "unsent": 3}}
    await own_hub.answers("hub.switch.shown", {"switch": shown})
    for name, failed in (("diario", True), ("semanal", False)):
        schedule.add(data, order(name), "es")
        run = schedule.Run(
            name=name, due_ms=T0 + 86_400_000, span="2026-11-18", kind="llamadas", scope=Scope(),
            tries=1, file=None if failed else "x",
        )  # fmt: skip
        schedule.write_runs(data, [run, *schedule.runs(data)])
    jetstream = own_hub.client.jetstream()
    await jetstream.add_stream(StreamConfig(name="$MQTT_msgs", subjects=["told"]))
    for _ in range(3):
        await jetstream.publish("told", b"")
    with closing(Accounts(data)) as accounts:
        for name in ("reserva", "nueva", "retirada", "central"):
            accounts.tokens.add(TESTER, name, "switch" if name == "central" else "standby")
        noted = Standbys(data, accounts.tokens)
        for name in ("reserva", "retirada", "nueva"):
            was = {"backup_ms": T0, "every_s": 900} if name == "reserva" else {}
            noted.note(name, Heard(seen_ms=T0 + 1000, stored=1, last=1, **was))
        (gone,) = [one.number for one in accounts.tokens.all() if one.name == "retirada"]
        accounts.tokens.revoke(TESTER, gone)
    web = Web(data.root, own_nats.url)
    web.start()
    try:
        async with asyncio.timeout(300):
            while not {"stream_behind_messages", "switch_up"} <= (found := await read(web)).keys():
                pass  # it has not found its hub yet
    finally:
        web.kill()
    assert found["backup_time_seconds"] == {"": T0 / 1000}
    assert found["backup_bytes"] == {"": 12}
    assert found["stream_behind_messages"][""] == 3
    ends = datetime(2099, 12, 31, tzinfo=UTC).timestamp()
    assert found["certificate_end_seconds"] == {'file="ca.pem"': ends, 'file="server.pem"': ends}
    assert found["webhook_failing"] == {'webhook="avisos"': 0, 'webhook="otro"': 1}
    assert found["report_failed"] == {'schedule="diario"': 1, 'schedule="semanal"': 0}
    reserva, nueva = 'standby="reserva"', 'standby="nueva"'
    asked = (T0 + 1000) / 1000
    assert found["standby_seen_time_seconds"] == {reserva: asked, nueva: asked}
    assert found["standby_behind_messages"] == {reserva: 2, nueva: 2}
    assert found["standby_backup_time_seconds"] == {reserva: T0 / 1000}
    assert found["standby_backup_interval_seconds"] == {reserva: 900}
    seats = {'seat="A-01"', 'seat="A-02"'}
    assert found["station_up"].keys() == seats
    assert min(found["station_clock_error_seconds"].values()) > 0
    assert (found["switch_up"], found["switch_calls"]) == ({"": 1}, {"": 2})
    assert found["switch_unsent_events"] == {"": 3}
    missing = FAMILIES.keys() - found.keys()
    assert missing <= {"agents", "station_journal_ratio"}  # nobody is in, no health was told
    assert not found.keys() - FAMILIES.keys()


async def test_a_store_that_cannot_be_read_leaves_the_rest(own_web: Web, own_hub: Hub) -> None:
    (own_web.folder / "store.sqlite3").write_bytes(b"no database" * 1000)
    found = await read(own_web)
    assert {"live", "disk_free_bytes"} <= found.keys()
    assert not found.keys() & {"station_up", "stream_behind_messages"}


async def test_what_is_not_known_is_not_said(own_web: Web, own_hub: Hub) -> None:
    assert not NOT_KNOWN & (await read(own_web)).keys()
