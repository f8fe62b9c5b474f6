"""The broker gets another CA while its stations are on Wi-Fi: they hold both until each has said
so, one that was away is named and still gets in, and then the old one is worth nothing.
"""

import asyncio
import json

from diadema.base.certificates import Certificates
from diadema.cli.main import app
from diadema.stations.fleet import all_stations
from diadema_sim import people
from diadema_sim.centre import ACCESS_POINT, open_centre
from typer.testing import CliRunner

MONDAY_8_LIMA = 1_770_037_200_000
SPEED = 4.0


async def test_stations_go_over_to_another_ca_and_none_is_left_outside(tmp_path):
    async with open_centre(
        people.desks(2),
        name="Centro de muestra",
        zone="America/Lima",
        tree=people.LIMA_TREE,
        start_utc_ms=MONDAY_8_LIMA,
        mode=SPEED,
        data=tmp_path / "data",
        wifi=True,
    ) as centre:
        await centre.switch_on()
        here, away = centre.world.stations.values()
        tls = Certificates(centre.data.tls)
        old, old_key = tls.ca_der(), (centre.data.tls / "ca.key").read_bytes()

        async def until(condition):
            async with asyncio.timeout(240):
                while not condition({row.station: row for row in all_stations(centre.data, 0)}):
                    await centre.world.sleep(500)

        async def command(*words):
            line = [*words, "--data", str(centre.data.root)]
            done = await asyncio.to_thread(CliRunner().invoke, app, line)
            return done.exit_code, done.stdout + str(done.exception or "")

        for station in (here, away):
            station.cable.pull()
        await until(lambda rows: {tuple(row.ways) for row in rows.values()} == {("wifi",)})
        await away.set_access_points({})
        await until(lambda rows: rows[away.id].link == "lost")
        told = json.loads((await command("keys", "renew-ca", "--json"))[1])
        assert "already" in (await command("keys", "renew-ca"))[1]

        await until(
            lambda rows: (
                rows[here.id].generation == told["generation"] and not rows[here.id].ca_due
            )
        )
        rows = {row.station: row for row in all_stations(centre.data, 0)}
        assert rows[away.id].ca_due and tls.changing
        listed = (await command("fleet", "list"))[1]
        assert f"next CA of the broker not held yet by 1: {rows[away.id].seat}" in listed
        assert rows[here.id].link == "up"
        await centre.agents[0].log_in()

        await away.set_access_points(
            ACCESS_POINT
        )  # with the old one alone: the broker still shows what that signed
        await until(lambda rows: rows[away.id].link == "up")
        await until(lambda _: not tls.changing)
        assert old not in tls.ca_der()
        assert (centre.data.tls / "ca.key").read_bytes() != old_key
        assert "CA of the broker" not in (await command("fleet", "list"))[1]
        await until(
            lambda rows: all(
                (row.ways, row.link, row.faults) == (["wifi"], "up", [])
                and row.generation == row.wanted > told["generation"]
                for row in rows.values()
            )
        )
        for station in (here, away):  # their first connection of a start, with the new one alone
            await station.power_cut()
        await until(lambda rows: all(row.link == "lost" for row in rows.values()))
        for station in (here, away):
            await station.power_on()
        await until(lambda rows: all(row.link == "up" for row in rows.values()))
        assert all(row.faults == [] for row in all_stations(centre.data, 0))
        assert await centre.drain() == 0
