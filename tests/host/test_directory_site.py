"""The directory begins with what the site says, and a site is made of it again."""

import copy
import json
from datetime import date
from zoneinfo import ZoneInfo

import msgspec
import pytest
from diadema.base.paths import DataDir
from diadema.site.description import load, parse
from diadema.site.directory import people_of, publishing
from diadema.site.directory.book import Change
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.problems import Wrong
from diadema.site.directory.publishing import changes_from, open_directory, take_in
from diadema.site.example import EXAMPLE
from diadema.site.file import hashed
from diadema.store import tables
from diadema.store.database import open_database
from diadema.store.station_state import StationState

DAY = date(2026, 12, 1)
LIMA = ZoneInfo("America/Lima")


@pytest.fixture
def data(tmp_path):
    place = DataDir(tmp_path / "data")
    place.make()
    place.site.write_text(EXAMPLE)
    return place


@pytest.fixture
def book(data):
    with open_directory(data, 1) as made:
        yield made


def put(book, kind, /, **given):
    body = KINDS[kind].read(given)
    one = Change(kind=kind, code=KINDS[kind].code(body), body=body)
    book.apply([one], by="Ana", reason="prueba", at_ms=2)


def retire(book, kind, code, day=None):
    one = Change(kind=kind, code=code, body=None, valid_from=day)
    book.apply([one], by="Ana", reason="prueba", at_ms=2)


async def publish(book, data, ask=None):
    return await publishing.publish(book, data, DAY, by="Ana", at_ms=3, ask=ask)


def test_it_says_what_the_site_says(book, data):
    said = parse(hashed(data.site, EXAMPLE.encode()))
    assert publishing.draft(book, data, DAY).site == said
    assert publishing.differences(publishing.draft(book, data, DAY), data) == []


def test_opened_again_it_is_not_begun_again(book, data):
    put(book, "teams", code="Noche")
    with open_directory(data, 5) as again:
        assert again.entry("teams", "Noche").version == 1
        assert len(again.history("agents", "e001")) == 1


async def test_what_changes_is_told_and_put_in_force(book, data):
    put(book, "agents", **book.entry("agents", "e002").body | {"team": "Mañana"})
    retire(book, "reasons", "sshh")
    put(book, "areas", code="retenciones", label="Retenciones")
    found = {one.part: one for one in (await publish(book, data)).differences}
    assert found.keys() == {"agents", "reasons", "areas"}
    assert found["agents"].changed == ["e002"]
    assert (found["reasons"].removed, found["areas"].added) == (["sshh"], ["retenciones"])
    site = load(data.site)
    assert [agent.team for agent in site.agents] == ["Mañana", "Mañana"]
    assert "sshh" not in [reason.code for reason in site.reasons]


async def test_what_the_telephone_exchange_calls_them_is_told_to_no_station(book, data):
    """And what is taken in from the site's file later does not take it away."""
    number = "5550103990"  # no salt has it by chance
    put(book, "areas", **book.entry("areas", "reclamos").body | {"number": number})
    more = {"extension": "PJSIP/101", "phone": "nailed"}
    put(book, "seats", **book.entry("seats", "A-01").body | more)
    await publish(book, data)
    assert number not in data.site.read_text() and "PJSIP" not in data.site.read_text()
    assert take_in(book, data, DAY, by="Ana", at_ms=4) == 0
    assert book.entry("areas", "reclamos").body["number"] == number
    assert book.entry("seats", "A-01").body["extension"] == "PJSIP/101"


async def test_pins_pass_through_untouched_and_are_in_no_entry(book, data):
    verifier = parse(EXAMPLE.encode()).agents[0].pin
    assert verifier not in repr(book.entries("agents", retired=True))
    await publish(book, data)
    assert load(data.site).agents[0].pin == verifier
    # another that was made with `diadema pin --site` is taken over
    described = json.loads(data.site.read_text())
    newer = "1111111111111111:22222222222222222222222222222222"
    described["agents"][1]["pin"] = newer
    data.site.write_text(json.dumps(described))
    await publish(book, data)
    assert [agent.pin for agent in load(data.site).agents] == [verifier, newer]
    # and stays when the file has lost it
    del described["agents"][1]["pin"]
    data.site.write_text(json.dumps(described))
    await publish(book, data)
    assert load(data.site).agents[1].pin == newer


async def test_what_the_directory_does_not_know_stays(book, data):
    described = json.loads(EXAMPLE)
    described["wifi"] = {"ssid": "Centro", "password": "una-clave"}
    data.site.write_text(json.dumps(described))
    await publish(book, data)
    assert load(data.site).wifi.ssid == "Centro"


async def test_another_tree_has_another_version(book, data):
    leaf = book.entry("dispositions", "111").body
    put(book, "dispositions", **leaf | {"label": "Ahorro"})
    await publish(book, data)
    assert load(data.site).tree.version == 2
    await publish(book, data)
    assert load(data.site).tree.version == 2


def test_branches_must_agree(book, data):
    leaf = book.entry("dispositions", "111").body
    put(book, "dispositions", **leaf | {"level1": "Otra"})
    with pytest.raises(Wrong) as error:
        publishing.draft(book, data, DAY)
    problem = error.value.problems[0]
    assert (problem.word, problem.column) == ("branch", "level1")


async def test_who_needs_a_pin_and_has_none_is_told_and_gets_one_that_nobody_knows(book, data):
    put(book, "agents", **book.entry("agents", "e002").body | {"station_code": "1122"})
    assert publishing.draft(book, data, DAY).without_pin == ["e002"]
    assert (await publish(book, data)).without_pin == ["e002"]
    verifier = load(data.site).agents[1].pin
    assert verifier and set(verifier) - set("0:")
    assert (await publish(book, data)).without_pin == []
    assert load(data.site).agents[1].pin == verifier


def test_all_that_stations_would_not_take_is_told_at_once(book, data):
    put(book, "playbooks", motive="9", id="NADA", version="1")
    put(book, "reasons", code="login", label="Logueo")
    put(book, "reasons", code="sshh", label="SS. HH.", private=True, limit_s=60)
    put(book, "teams", code="Noche")
    put(book, "seats", **book.entry("seats", "A-01").body | {"teams": ["Noche"]})
    for number in range(12):
        put(book, "materials", code=f"m{number}", label=f"M{number}")
    with pytest.raises(Wrong) as error:
        publishing.draft(book, data, DAY)
    assert [(one.word, one.kind, one.code) for one in error.value.problems] == [
        ("too_many", "materials", ""),
        ("team_empty", "seats", "A-01"),
        ("reserved", "reasons", "login"),
        ("motive", "playbooks", "9"),
        ("private_limit", "reasons", "sshh"),
    ]
    assert all(one.whole(language) for one in error.value.problems for language in ("es", "en"))


def test_what_only_the_site_knows_is_told_by_its_entry_too(book, data):
    agent = book.entry("agents", "e002").body
    put(book, "agents", **agent | {"day_badges": ["iso14443a:00000000000001 2026-12-01"]})
    with pytest.raises(Wrong) as error:
        publishing.draft(book, data, DAY)
    problem = error.value.problems[0]
    assert (problem.word, problem.kind, problem.column) == ("site", "agents", "day_badges")


def test_without_a_tree_nothing_is_published(book, data):
    for one in book.entries("playbooks"):
        retire(book, "playbooks", one.code)
    for one in book.entries("dispositions"):
        retire(book, "dispositions", one.code)
    with pytest.raises(Wrong, match="the tree of dispositions is empty"):
        publishing.draft(book, data, DAY)


async def test_the_hub_is_told(book, data):
    asked = []

    async def ask(subject, body):
        asked.append((subject, body))
        return {"generation": 7, "of": ["HUB-x", 1, 1]}

    done = await publish(book, data, ask)
    assert done.generation == 7 and asked[0] == ("hub.site", {})
    told = [body["catalogue"] for subject, body in asked if subject == "hub.record"]
    assert len(told) == done.recorded == len(publishing.CATALOGUES)
    asked.clear()
    put(book, "teams", code="Noche")
    retire(book, "materials", "vincha")
    await publish(book, data, ask)
    assert [body.get("catalogue") for _, body in asked] == [None, "materials"]


async def test_each_day_of_the_roster_is_told_once(book, data):
    asked = []

    async def ask(subject, body):
        asked.append(body)
        return {"generation": 7}

    put(book, "shifts", code="m", name="Mañana", start="08:00", end="16:00",
        pauses="10:00-10:15 break")  # fmt: skip
    put(book, "roster", day="2026-11-30", agent="e001", shift="m")
    put(book, "roster", day="2026-12-01", agent="e001", shift="m")
    await publish(book, data, ask)
    begin = 1_796_130_000_000  # 2026-12-01T08:00 in Lima
    told = [day for body in asked if body.get("k") == "schedules" for day in body["days"]]
    assert told == [
        {
            "a": "e001", "day": "2026-12-01", "version": 1, "shift": "m", "absence": None,
            "start": begin, "end": begin + 8 * 3_600_000,
            "pauses": [(begin + 7_200_000, begin + 8_100_000, "break")],
        }
    ]  # fmt: skip
    asked.clear()
    put(book, "roster", day="2026-11-30", agent="e001", absence="permission")
    retire(book, "roster", "2026-12-01/e001")
    await publish(book, data, ask)
    told = [day for body in asked if body.get("k") == "schedules" for day in body["days"]]
    assert [(day["day"], day["version"], day["absence"]) for day in told] == [
        ("2026-11-30", 2, "permission"), ("2026-12-01", 2, None),
    ]  # fmt: skip


def test_what_was_changed_by_hand_is_taken_in(book, data):
    put(book, "employers", code="x", name="Empresa Inventada", ruc="20100070970")
    agent = book.entry("agents", "e001").body
    put(book, "agents", **agent | {"employer": "x", "document_kind": "DNI",
                                   "document": "01234567"})  # fmt: skip
    described = json.loads(EXAMPLE)
    described["agents"][0]["name"] = "Otro Nombre"
    del described["agents"][1]
    data.site.write_text(json.dumps(described))
    assert take_in(book, data, DAY, by="Ana", at_ms=4) == 2
    newest = book.entry("agents", "e001")
    assert newest.body["name"] == "Otro Nombre" and newest.body["employer"] == "x"
    assert newest.valid_from == DAY
    assert book.entry("agents", "e002").body is None
    assert [*changes_from(book, load(data.site), DAY)] == []


async def test_publishing_knows_when_it_would_undo_what_was_done_by_hand(book, data):
    assert not publishing.changed_by_hand(book, data)
    await publish(book, data)
    assert not publishing.changed_by_hand(book, data)
    described = json.loads(data.site.read_text())
    described["agents"][0]["pin"] = "1111111111111111:22222222222222222222222222222222"
    data.site.write_text(json.dumps(described))
    assert not publishing.changed_by_hand(book, data), "as the hub does when a PIN is chosen"
    described["agents"][0]["name"] = "Otro Nombre"
    data.site.write_text(json.dumps(described))
    assert publishing.changed_by_hand(book, data)
    take_in(book, data, DAY, by="Ana", at_ms=4)
    assert publishing.differences(publishing.draft(book, data, DAY), data) == []


def test_nobody_else_may_read_the_file(book, data):
    assert data.directory.stat().st_mode & 0o777 == 0o600


def test_people_of_a_day(book, data):
    put(book, "employers", code="x", name="Empresa Inventada", ruc="20100070970")
    put(book, "queues", code="q1", name="Consultas", switch_names="600 | Q-CONS")
    put(book, "shifts", code="n", name="Noche", start="22:00", end="06:00", tolerance_min=5,
        pauses="23:30-23:45 break | 01:00-01:45 refrigerio")  # fmt: skip
    put(book, "roster", day="2026-11-30", agent="e001", shift="n")
    put(book, "roster", day="2026-12-01", agent="e002", absence="vacation")
    put(book, "targets", metric="service_level", value=80, threshold_s=20)
    put(book, "targets", metric="aht_s", queue="q1", value=280)
    put(book, "supervisors", account="sofia", teams="Mañana | Tarde")
    agent = book.entry("agents", "e001").body
    put(book, "agents", **agent | {"employer": "x", "switch_aliases": "SIP/101"})
    retire(book, "agents", "e002", DAY)
    people = people_of.people(data, date(2026, 11, 30), DAY)
    assert people.workers["e002"].active is False and people.name("e002").startswith("Ejemplo Dos")
    assert people.employers["x"] == ("Empresa Inventada", "20100070970")
    assert people.aliases == {"SIP/101": [(0, "e001")]}
    assert people.switch_queues == {"600": [(0, "q1")], "Q-CONS": [(0, "q1")]}
    assert people.target("aht_s", "q1") == 280 and people.target("service_level", "q1") == 80
    assert people.thresholds == {"": 20}
    assert people.supervised == {"sofia": ["Mañana", "Tarde"]}
    assert people.codes["312"] == ["Ventas", "Oferta", "No insista"]
    assert people.negative_codes == {"312"}
    night = people.planned("e001", date(2026, 11, 30))
    begin = 1_796_094_000  # 2026-11-30T22:00 in Lima
    assert (night.start_s, night.end_s, night.tolerance_s) == (begin, begin + 8 * 3600, 300)
    assert night.pauses == [
        (begin + 5400, begin + 6300, "break"),
        (begin + 10_800, begin + 13_500, "refrigerio"),
    ]
    assert people.planned("e002", DAY).absence == "vacation"
    assert people.planned("e001", DAY) is None


def test_without_a_directory_it_is_as_the_site_says(data):
    people = people_of.people(data)
    assert people.teams == {"Mañana": "Mañana", "Tarde": "Tarde"}
    assert not data.directory.exists()


def test_who_has_which_generation(book, data):
    current, stations = publishing.generations(data)
    assert current == 0
    assert [(one.seat, one.generation) for one in stations] == [("A-01", 0), ("A-02", 0)]
    engine = open_database(data.store, write=True)
    with engine.begin() as tx:
        state = msgspec.msgpack.encode(StationState(generation=3))
        row = {"s": "DIA-000000000002", "state": state, "hello": b"", "next_i": 1}
        tx.execute(tables.stations.insert(), row)
        for generation in (3, 4):
            row = {"generation": generation, "hash": str(generation), "utc": 1, "pin": "none"}
            tx.execute(tables.generations.insert(), row)
    engine.dispose()
    current, stations = publishing.generations(data)
    assert (current, [one.generation for one in stations]) == (4, [0, 3])


def test_a_thousand_agents_by_teams(data):
    described = copy.deepcopy(json.loads(EXAMPLE))
    described["agents"] = [
        {"id": f"x{n}", "name": f"Inventada {n}", "short": f"I{n}", "alias": f"I{n}",
         "team": f"T{n % 10}"}
        for n in range(1000)
    ]  # fmt: skip
    for at, station in enumerate(described["stations"]):
        station["teams"] = [f"T{at}"]
    data.site.write_text(json.dumps(described))
    with open_directory(data, 1) as book:
        assert len(publishing.draft(book, data, DAY).site.agents) == 1000
        seat = book.entry("seats", "A-01").body
        put(book, "seats", **{**seat, "teams": ["T0", "T1"]})
        with pytest.raises(Wrong) as error:
            publishing.draft(book, data, DAY)
    problem = error.value.problems[0]
    assert (problem.kind, problem.code, problem.column) == ("seats", "A-01", "teams")
