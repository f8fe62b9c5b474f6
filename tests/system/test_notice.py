"""A notice from the page to the station and back: sent, signed by the agent's own badge, and only
then may the calls that begin be heard. Nothing is left out but the browser.
"""

import asyncio
import json
from datetime import datetime

import httpx
from diadema.access.authenticator import csrf
from diadema.access.roles import THE_HUB, Person
from diadema.cli.main import app
from diadema.quality.hearing import Barred, Grounds, Permit, Wanted, may_hear, published_of
from diadema.quality.informing import notice_of
from diadema.site.context import zone_of
from diadema.site.directory import queries
from diadema.site.directory.people_of import people as people_on
from diadema.site.directory.publishing import open_directory
from diadema.store import open_reader
from diadema.store.quality import notices, signatures
from diadema.store.register import messages
from diadema.store.rows import Contact
from typer.testing import CliRunner

from tests.support.screen_words import find
from tests.support.targeted import put
from tests.system.test_supervisor import at_work, shows

TEXT = "Sus llamadas se graban y se escuchan"
LUZ = Person(id="luz", name="Luz Paz", role="quality_lead")


def heard(data, agent, start_ms):
    """What the one decision says of a call of that moment."""
    zone = zone_of(data)
    day = datetime.fromtimestamp(start_ms / 1000, zone).date()
    with open_reader(data.store) as reader, reader.engine.connect() as tx:
        grounds = Grounds(
            people=people_on(data, day, day), zone=zone, now_ms=start_ms + 1000,
            published=published_of(notices(tx)), signatures=signatures(tx, agent=agent),
        )  # fmt: skip
    call = Contact(station="DIA-1", epoch=1, sequence=1, contact="c", agent=agent,
                   start_utc=start_ms)  # fmt: skip
    return may_hear(LUZ, call, Wanted(source="recording", purpose="coaching"), grounds)


async def test_a_notice_is_signed_at_the_station_and_then_calls_may_be_heard(tmp_path):
    async with at_work(tmp_path) as (desk, supervisor, _):
        centre, agent = supervisor.centre, desk.desk.person.id
        now_ms = centre.world.now_ms
        with open_directory(centre.data, now_ms()):  # it begins with the people of the site
            pass
        put(centre.data, "notices", code="llama", name="A quien llama", side="caller",
            text="Esta llamada se graba")  # fmt: skip
        put(centre.data, "notices", code="asesor", name="Al asesor", side="agent", text=TEXT)
        done = await asyncio.to_thread(queries.freeze, centre.data, "notices", now_ms(), "luz")
        assert sorted(one.code for one in done) == ["asesor", "llama"]
        centre.accounts.book.add(THE_HUB, "luz", "Luz Paz", "quality_lead", password="clave-1234")
        secret = centre.accounts.sessions.begin("luz", "127.0.0.1")
        cookies = {"diadema_session": secret, "diadema_csrf": csrf(secret)}
        headers = {"x-csrf-token": csrf(secret), "origin": centre.web}
        url = f"{centre.web}/api/v1/quality/notices"
        async with httpx.AsyncClient(cookies=cookies, headers=headers, timeout=300) as http:
            assert heard(centre.data, agent, now_ms()) == Barred("not_informed")
            since = desk.seen
            async with asyncio.timeout(300):  # the web reads what was published in a moment
                while True:
                    told = await http.post(f"{url}/asesor/messages", json={"agents": [agent]})
                    if told.status_code != 404:
                        break
                    await asyncio.sleep(0.1)
            assert told.status_code == 202, told.text
            assert told.json() == {"count": 1, "refused": []}
            await desk.expect("message.shown", since)
            await shows(desk, "Sus llamadas")
            before = now_ms()
            while not find(await desk.station.screen(), "Confor"):  # a badge read twice is one
                await desk.station.tap(desk.desk.person.badge, 600)
                await asyncio.sleep(2)
            await desk.keys([3])
            said = await desk.expect("message.acknowledged", since, answer="agree", how="badge")
            assert notice_of(said.event["m"]) == ("asesor", 1)
            async with asyncio.timeout(300):
                while True:
                    its = (await http.get(url)).json()["notices"]
                    agents = [a for one in its if one["code"] == "asesor" for a in one["agents"]]
                    mine = {one["a"]: one for one in agents}.get(agent, {"state": None})
                    if mine["state"] == "informed":
                        break
                    await asyncio.sleep(0.1)
        assert (mine["how"], mine["version"]) == ("badge", 1)
        with open_reader(centre.data.store) as reader, reader.engine.connect() as tx:
            (signed,) = signatures(tx)
            (message,) = messages(tx)
        assert (signed.of_s, signed.of_e, signed.of_n) == (
            desk.station.id, said.epoch, said.sequence,
        )  # fmt: skip
        assert message.answer == "agree" and message.sent.by == "luz"
        assert heard(centre.data, agent, before) == Barred("not_informed"), "not afterwards"
        assert isinstance(heard(centre.data, agent, now_ms() + 1000), Permit)
        other = centre.agents[1].desk.person.id
        file = tmp_path / "firmas.csv"
        file.write_text(f"Asesor;Fecha;Número de documento\n{other};2026-01-05;RH-9\n")
        for count in (1, 0):
            words = ["quality", "notices", "sign", "asesor", str(file), "--by", "ANA", "--json"]
            words += ["--data", str(centre.data.root)]
            done = await asyncio.to_thread(CliRunner().invoke, app, words)
            assert json.loads(done.stdout)["added"] == count, done.output
        assert isinstance(heard(centre.data, other, now_ms()), Permit)
