"""A roll-out over twenty stations of the real hub's ingest and broker, two of which cannot run the
new program: it stops where it should, says why, and goes on after a restart.
"""

import asyncio
import json
import sys

import pytest
from diadema.base.certificates import Certificates
from diadema.stations.update import bundle, keys
from diadema.store import open_reader, tables
from sqlalchemy import select

from tests.support.at_the_door import asked
from tests.support.broker_fixtures import IngestProcess, until
from tests.support.light_station import accesses
from tests.support.scripted_station import SITE, Script
from tests.support.trust import trusting
from tests.support.updating_station import UpdatingStation

STATIONS = [f"DIA-0400000000{number:02x}" for number in range(20)]
LOGGED_IN = STATIONS[1]
SICK = {STATIONS[6]: "codec", STATIONS[11]: "badge_reader"}
BODY = bytes(range(256)) * 150  # 80 parts
KEY = keys.PrivateKey(keys.rsa.generate_private_key(public_exponent=65537, key_size=3072))


@pytest.fixture
async def floor(broker, stack):
    def more(s):
        return {"verdict": SICK.get(s), "lose": (40, 41) if s == STATIONS[0] else ()}

    return await opened(broker, stack, STATIONS, more)


async def opened(broker, stack, stations, more):
    """Those stations at their hub; `more(s)`: what each is like."""
    seats = [{"id": s, "seat": f"C-{number:02}"} for number, s in enumerate(stations)]
    broker.data.site.write_text(json.dumps(SITE | {"stations": seats}))
    broker.data.update_key.write_text(KEY.public.text)
    broker.write_hub()
    ingest = await stack.enter_async_context(IngestProcess(broker))
    nats = await broker.client()
    stack.push_async_callback(nats.close)
    tls = trusting(Certificates(broker.data.tls))
    crowd = {}
    for access in await accesses(nats, broker.data, stations):
        script = Script(access.s).boot()
        if access.s == LOGGED_IN:
            script.login()
        crowd[access.s] = UpdatingStation(
            access, tls, script, generation=1, again_s=0.05, **more(access.s)
        )
    running = [asyncio.create_task(station.run()) for station in crowd.values()]

    async def end():
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    stack.push_async_callback(end)
    async with asyncio.timeout(300):
        for station in crowd.values():
            await station.until_held(2)
    return crowd, nats, ingest


def signed(version="0.2.0", key=KEY):
    return bundle.sign(BODY, key, board="sim", version=version, made=1_800_000_000)


async def added(nats, tmp_path, data):
    file = tmp_path / "app.bundle"
    file.write_bytes(data)
    return await asked(nats, "hub.update", do="add", path=str(file))


async def command(broker, *arguments, code=0):
    """What `diadema update` prints."""
    line = [sys.executable, "-m", "diadema", "update", *map(str, arguments)]
    done = await asyncio.create_subprocess_exec(
        *line, "--data", str(broker.data.root),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    printed, _ = await done.communicate()
    assert done.returncode == code, printed
    return printed.decode()


async def rollout(nats, **wanted):
    """The newest one, once it is as wanted."""
    told = (await asked(nats, "hub.update", do="status"))["rollouts"][-1]
    return told if all(told[name] == value for name, value in wanted.items()) else None


def phases(told):
    found = {}
    for seat in told["seats"]:
        found.setdefault(seat["phase"], set()).add(seat["s"])
    return found


async def test_it_stops_at_two_failures_and_goes_on_when_it_is_told(
    floor, broker, tmp_path, stack
):
    crowd, nats, ingest = floor
    assert "There was no roll-out yet" in await command(broker, "status")
    assert "no roll-out 7: there was none yet" in await command(broker, "status", 7, code=2)
    bundle_ = await added(nats, tmp_path, signed())
    plan = {"sha256": bundle_["sha256"], "stages": ["2", "25%", "all"], "stop_after": 2}
    shown = await command(broker, "start", tmp_path / "app.bundle", "--stop-after", 2,
                          "--quiet", 0)  # fmt: skip
    assert "stages 2, then 25%, then all" in shown
    told = await until(lambda: rollout(nats, status="stopped"))
    assert (told["why"], told["stage"]) == ("failures", 2)
    failed = {seat["s"]: seat["reason"] for seat in told["seats"] if seat["phase"] == "failed"}
    assert failed == {s: f"rolled_back: {reason}" for s, reason in SICK.items()}
    assert told["at"] in SICK and told["seat"].startswith("C-")
    assert LOGGED_IN in phases(told)["waiting"]
    assert crowd[LOGGED_IN].parts_heard == 0  # who works is not disturbed
    assert crowd[STATIONS[0]].taken == signed()  # two of its parts were lost on their way

    await ingest.stop(kill=True)  # what was decided outlasts it
    await ingest.start()
    assert (await rollout(nats))["status"] == "stopped"
    refused = await asked(nats, "hub.update", do="resume", number=1)
    assert "--retry" in refused["detail"]
    assert "Roll-out 1:" in await command(broker, "status", 1)
    for form in ([], ["--json"]):
        refused = await command(broker, "status", 7, *form, code=2)
        assert "no roll-out 7: `diadema update status` shows 1 to 1" in refused
    shown = await command(broker, "status")
    assert "too many failed" in shown and "somebody works" in shown and "rolled back: " in shown
    await asked(nats, "hub.update", do="resume", number=1, stop_after=3)
    crowd[LOGGED_IN].script.logout()
    while crowd[LOGGED_IN].last < crowd[LOGGED_IN].script.n:
        crowd[LOGGED_IN].press()
    told = await until(lambda: rollout(nats, status="done"))
    assert phases(told) == {"failed": set(SICK), "good": set(STATIONS) - set(SICK)}
    assert all(one.taken == signed() for one in crowd.values())

    store = open_reader(broker.data.store)
    stack.callback(store.close)
    with store.engine.connect() as tx:
        rows = tx.execute(select(tables.updates).where(tables.updates.c.phase == "good")).all()
    assert {row.s for row in rows} == set(STATIONS) - set(SICK)
    assert {row.version for row in rows} == {"0.2.0"}

    again = {**plan, "stages": ["all"]}
    await asked(nats, "hub.update", do="start", plan=again)
    told = await until(lambda: rollout(nats, number=2))
    assert {seat["s"] for seat in told["seats"]} == set(SICK)  # the others have it
    await asked(nats, "hub.update", do="stop", number=2)
    await asked(nats, "hub.update", do="start", plan=again)
    refused = await asked(nats, "hub.update", do="resume", number=2)
    assert "roll-out 3 of 0.2.0 still runs" in refused["detail"]


async def test_who_needs_another_image_is_passed_over_and_a_bundle_for_another_build_refused(
    floor, broker, tmp_path
):
    crowd, nats, _ = floor
    seats = {s: f"C-{number:02}" for number, s in enumerate(STATIONS)}
    old, right, lost = STATIONS[2:5]
    for s, build, psram in ((old, "OTA", 0), (right, "SPIRAM", 4 << 20), (lost, "SPIRAM", 0)):
        crowd[s].script.boot(build=f"ESP32_GENERIC-{build}", psram=psram)
        crowd[s].press()
        crowd[s].cut()
    async with asyncio.timeout(40):
        for s in (old, right, lost):
            await crowd[s].until_held(crowd[s].last)

    def micropython(version, **more):
        told = {"what": "micropython", "chip": 0, "mpy": "6.3", **more}
        return bundle.sign(BODY, KEY, board="sim", version=version, made=1_800_000_000, **told)

    untold = await added(nats, tmp_path, micropython("1.29.0"))
    assert "does not say of which build" in untold["detail"]
    only = ["--only", seats[old], "--only", seats[right], "--only", seats[lost]]
    for name, build in (("ota", "ESP32_GENERIC-OTA"), ("right", "ESP32_GENERIC-SPIRAM")):
        psram = "none" if name == "ota" else "quad"
        (tmp_path / name).write_bytes(micropython("1.29.0", build=build, psram=psram))
    refused = await command(broker, "start", tmp_path / "ota", *only, code=2)
    assert f"{seats[right]} runs ESP32_GENERIC-SPIRAM, and this is ESP32_GENERIC-OTA" in refused, (
        refused
    )
    refused = await command(broker, "start", tmp_path / "right", *only[:2], code=2)
    assert f"{seats[old]} needs another image first, `diadema fleet show {seats[old]}`" in refused

    (tmp_path / "app").write_bytes(signed())
    await command(broker, "start", tmp_path / "app", "--first", "all", "--quiet", 0, *only)
    told = await until(lambda: rollout(nats, status="done"))
    assert phases(told) == {"passed": {old, lost}, "good": {right}}
    reasons = {seat["s"]: seat["reason"] for seat in told["seats"]}
    assert (reasons[old], reasons[lost]) == ("old_image", "no_psram")
    assert f"passed over, which is no failure: {seats[old]}, {seats[lost]}" in (
        await command(broker, "status")
    )


async def test_a_bundle_that_stations_would_not_take_is_refused(floor, broker, tmp_path):
    crowd, nats, ingest = floor
    stranger = keys.PrivateKey(keys.rsa.generate_private_key(65537, 3072))
    refused = await added(nats, tmp_path, signed(key=stranger))
    assert "another key" in refused["detail"]
    refused = await added(nats, tmp_path, signed()[:-1])
    assert "copy the bundle again" in refused["detail"]
    missing = await asked(nats, "hub.update", do="start", plan={"sha256": "0" * 64, "stages": []})
    assert "add it again" in missing["detail"]

    added_ = await added(nats, tmp_path, signed())
    plan = {"sha256": added_["sha256"], "stages": ["all"], "only": [LOGGED_IN]}
    await asked(nats, "hub.update", do="start", plan=plan)  # it waits: somebody works there
    await ingest.stop(kill=True)
    (broker.data.updates / f"{added_['sha256']}.bundle").unlink()
    await ingest.start()
    crowd[LOGGED_IN].script.logout()
    while crowd[LOGGED_IN].last < crowd[LOGGED_IN].script.n:
        crowd[LOGGED_IN].press()
    told = await until(lambda: rollout(nats, status="stopped"))
    assert told["why"] == "no_bundle"
    assert "its bundle is not there" in await command(broker, "status")


async def test_a_plug_pulled_in_each_trial_leaves_forty_good(broker, tmp_path, stack):
    stations = [f"DIA-0400000001{number:02x}" for number in range(40)]
    crowd, nats, _ = await opened(broker, stack, stations, lambda s: {"cuts": 1})
    added_ = await added(nats, tmp_path, signed())
    plan = {"sha256": added_["sha256"], "stages": ["2", "25%", "all"], "stop_after": 1}
    await asked(nats, "hub.update", do="start", plan=plan)
    told = await until(lambda: rollout(nats, status="done"))
    assert phases(told) == {"good": set(stations)}
    assert not any(station.cuts for station in crowd.values())
