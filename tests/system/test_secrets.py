"""What must stay secret stands, after a run over both links, only where it is kept: in no event,
no log, no console text, nor anywhere else in the data directory.
"""

import asyncio
import base64
import contextlib
import json
from pathlib import Path

from diadema.base import credentials
from diadema.hub import enrolment
from diadema.site.directory.publishing import open_directory
from diadema_sim import people
from diadema_sim.centre import ACCESS_POINT, open_centre

MONDAY_8_LIMA = 1_770_037_200_000
STRANGER = "04FACE0FF1CE99"
KEPT_IN = ("secrets.json", "keys.json", "site_secrets.json", "server.conf")


def forms(secret: str) -> set[bytes]:
    """As it is, as the bytes whose hex it may be, and either inside something in base64."""
    plain = secret.encode()
    told = {plain, plain.upper(), plain.lower()}
    with contextlib.suppress(ValueError):
        told.add(bytes.fromhex(secret))
    for one in list(told):
        for before, odd in ((0, 0), (1, 2), (2, 3)):
            encoded = base64.b64encode(bytes(before) + one).rstrip(b"=")
            told.add(encoded[odd:-1])
    return told


async def test_no_secret_leaves_its_place(tmp_path):
    data = tmp_path / "data"
    desks = people.desks(1)
    me = desks[0].person
    async with open_centre(
        desks,
        name="Centro de muestra",
        zone="America/Lima",
        tree=people.LIMA_TREE,
        start_utc_ms=MONDAY_8_LIMA,
        mode="fast",
        data=data,
        wifi=True,
    ) as centre:
        await centre.switch_on()
        desk = centre.agents[0]
        (station,) = centre.world.stations.values()
        with centre.world.actor():
            async with centre.paced():
                await centre.world.sleep(10_000)  # no handshake takes the time of a badge
                await station.tap(STRANGER)
                await desk.expect("session.denied", 0)
                await desk.log_in()
                await desk.get_ready()
                station.cable.pull()
                await centre.world.sleep(5_000)  # the handshake, in which a list is shown late
                await desk.pause(people.REASONS[0]["code"])
                await station.set_access_points(
                    {name: "another one" for name in ACCESS_POINT}
                )  # refused, and told
                await desk.get_ready()
                station.cable.plug()
                await station.set_access_points(ACCESS_POINT)
        assert await centre.drain() == 0
        access = await asyncio.to_thread(enrolment.enrol, centre.data, station.id)
        renewed = await asyncio.to_thread(enrolment.enrol, centre.data, station.id, renew=True)
        keys = json.loads(centre.data.keys.read_bytes())
        secrets = credentials.load(centre.data)
        with open_directory(centre.data, MONDAY_8_LIMA) as book:
            assert book.entry("agents", me.id)  # it has her badge too
        journaled = [json.dumps(event) for event in centre.journaled().values()]
        hidden = {
            "wifi": people.WIFI["password"],
            "broker": access["password"],
            "renewed": renewed["password"],
            "key": keys[station.id]["key"],
            "key before": keys[station.id]["before"][0],
            "host": secrets.host,
            "gateway": secrets.gateway,
            "api": secrets.api,
            "badge_key": secrets.badge_key,
            "issuer": secrets.issuer,
            "bridge": secrets.bridge,
            "system": secrets.system,
            "card_key": secrets.card_key,
        }
    assert all(hidden.values())
    badges = {"badge": me.badge, "stranger": STRANGER}  # which are kept in no file at all
    places = {"the journal": "\n".join(journaled).encode()}
    for path in data.rglob("*"):
        if path.is_file():
            places[str(path.relative_to(data))] = path.read_bytes()
    found = {
        (what, place)
        for what, secret in (hidden | badges).items()
        for place, text in places.items()
        if what in badges or Path(place).name not in KEPT_IN
        if any(form in text for form in forms(secret))
    }
    assert not found
    logs = {f"logs/{name}.log" for name in ("hub-run", "gateway-run", "ingest", station.id)}
    assert logs <= places.keys()
