"""Every way to a recording's sound or waveform, for every role and every reason why not: those who
are meant to hear it get it, and nobody else gets any of it, nor a name by the way.
"""

import asyncio
import json
import logging

import pytest
import pytest_asyncio
from diadema.cli import main
from diadema.recordings import decoding
from diadema.site.directory.book import Directory
from diadema.site.directory.freezing import publish_quality
from diadema.web.recordings import hearings
from msgspec import Struct, field
from typer.main import get_command
from typer.testing import CliRunner

from tests.host.web.test_access import found_routes
from tests.support.broker_fixtures import until
from tests.support.recorded_calls import CALLER, NOW, Centre, hum, spoken
from tests.support.scripted_station import T0
from tests.support.sound_stage import HEAR, sound_stage, tell
from tests.support.sound_ways import reaches_sound
from tests.support.targeted import put
from tests.support.web_stage import TESTER

pytestmark = pytest.mark.asyncio(loop_scope="module")
DAY_MS = 86_400_000
PUBLISHED_MS = T0 + 100_000  # after the first call, before the others
STARTS = {"before_notice": 60_000, "plain": 200_000, "unsigned": 300_000}
# one of each kind: the one's own work, a supervisor's, the lead's, and nobody's yet
PURPOSES = ("evaluation", "coaching", "dispute", "case")
SUPERVISING = ("coaching",)
CASES = {"plain": "a" * 12, "before_notice": "b" * 12, "unsigned": "c" * 12}  # opened to one
LEADING = (*SUPERVISING, "dispute")
ASSIGNED = ("ana", "teo", "eva")
# of roles that may hear some
WITH_EARS = ("sofia", "tomas", "nadie", "ana", "noe", "teo", "luz", "hugo", "hilda")


class Way(Struct):
    """What a route gives: `begins` a hearing, of the call or the assignment in its address;
    `serves` sound or a waveform of one that goes on; `ends` one, and gives none; `copies`: a file
    to hand over is made, which `hands` gives to whoever made it; `counts` some, and gives none;
    `closes` a case, and what is heard by it.
    """

    does: str
    body: dict[str, str] = field(default_factory=dict)


_COPY = {"purpose": "arco", "receiver": "Ana Ríos", "reason": "pidió su copia"}
WAYS = {
    f"POST {HEAR}": Way("begins"),  # the tests' own, by which anybody may ask for anything
    "GET /api/v1/listenings/{listening}/peaks": Way("serves"),
    "GET /api/v1/listenings/{listening}/sound": Way("serves"),
    "POST /api/v1/listenings/{listening}/end": Way("ends"),
    "POST /api/v1/quality/assignments/{q}/hearing": Way("begins"),
    "POST /api/v1/quality/pairs/{q}/hearing": Way("begins"),
    "POST /api/v1/quality/cases/{case}/hearing": Way("begins"),
    "POST /api/v1/quality/cases/{case}/close": Way("closes"),
    "POST /api/v1/quality/evaluations/{evaluation}/hearing": Way("begins"),
    "POST /api/v1/calls/{s}/{e}/{n}/listening": Way("begins", {"purpose": "coaching"}),
    "POST /api/v1/calls/{s}/{e}/{n}/copies": Way("copies", _COPY),
    "GET /api/v1/calls/copies/{s}/{e}/{n}": Way("hands"),
    "GET /api/v1/calls/terms": Way("counts"),
}
# commands that have recordings decoded, none of which gives any of it
PROBING = {"recordings scan", "recordings check"}
# who may hear which call for what; nothing else gives anything
HEARD = {
    *(("sofia", "plain", purpose) for purpose in SUPERVISING),
    *(("luz", "plain", purpose) for purpose in LEADING),
    ("ana", "plain", "evaluation"),
    ("ana", "assigned to ana", "evaluation"),
    ("hugo", "plain", "case"),
    *(("luz", f"assigned to {who}", purpose) for who in ASSIGNED for purpose in LEADING),
}


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Of a machine that does much else."""
    monkeypatch.setattr(decoding, "_WALL_S", 300)
    monkeypatch.setattr(hearings, "UNTOLD_S", 3600)


async def published(data):
    """The scorecard by which calls were evaluated."""
    put(data, "scorecards", code="atencion", name="Atención")
    put(data, "scorecard_sections", scorecard="atencion", code="trato", name="Trato")
    put(data, "scorecard_items", scorecard="atencion", section="trato", code="saluda",
        text="Saluda", weight=1)  # fmt: skip
    with Directory(data.directory) as book:
        await publish_quality(book, "scorecards", by="luz", at_ms=2, ask=unheard)


async def unheard(subject, body):
    return {}


def evaluated(monitor, call, agent, name):
    """By somebody who is no longer there."""
    by_rule = {"draw": None, "stratum": None, "rank": None, "pool": None, "reason": "long"}
    task = monitor.assigned(call, agent, to="zoe", version=1, **by_rule)
    monitor.submitted(
        task, call, agent, evaluation=name, version=1, basis="targeted", answers="1", raw=1000,
        score=1000, failed="none", critical=[None] * 3, notes=0, by="zoe",
    )  # fmt: skip


def recorded(folder):
    centre = Centre(folder)
    stations = {"plain": centre.station(), "unsigned": centre.station("a002")}
    for seconds, (name, start) in enumerate(STARTS.items(), 20):  # no copies of each other
        station, pbx = stations.get(name, stations["plain"]), f"{1_795_000_000 + start}.1"
        centre.call(station, start, seconds, pbx, c=name)
        centre.recorded(pbx, start, start + seconds * 1000)
        agent = "102" if name == "unsigned" else "101"
        centre.file(spoken(seconds, hum()), start, pbx, agent)
    centre.store()
    centre.evaluations = {}
    centre.keys = {name: centre.key(name, int(name == "unsigned")) for name in STARTS}

    def assign(monitor):
        key, due = centre.keys["plain"], NOW + 400 * DAY_MS
        for name in ASSIGNED:
            centre.keys[f"assigned to {name}"] = monitor.assigned(key, to=name, due=due)
        for name in ("before_notice", "unsigned"):
            agent = "a002" if name == "unsigned" else "a001"
            monitor.assigned(centre.keys[name], agent, to="ana", due=due)
        for name, case in CASES.items():
            agent = "a002" if name == "unsigned" else "a001"
            monitor.opened(centre.keys[name], agent, case=case, until=NOW + 100 * DAY_MS)
        for at, name in enumerate(STARTS):
            agent = "a002" if name == "unsigned" else "a001"
            centre.evaluations[name] = f"{at:012}"
            evaluated(monitor, centre.keys[name], agent, centre.evaluations[name])

    tell(centre.data, assign)
    return centre


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory):
    centre = recorded(tmp_path_factory.mktemp("access"))
    async with sound_stage(centre, informed_ms=PUBLISHED_MS, informed=["a001"]) as stage:
        put(stage.data, "conflicts", account="teo", agent="a001")
        await published(stage.data)
        stage.people = {
            "sofia": stage.account("sofia", "supervisor", teams=["Mañana"]),
            "tomas": stage.account("tomas", "supervisor", teams=["Tarde"]),
            "nadie": stage.account("nadie", "supervisor"),  # of no team
            "ana": stage.account("ana", "monitor"),
            "noe": stage.account("noe", "monitor"),  # has no assignment
            "teo": stage.account("teo", "monitor"),  # has a conflict
            "luz": stage.enter("luz"),
            "rosa": stage.account("rosa", "agent", agent="a001"),  # herself
            "luis": stage.account("luis", "agent", agent="a002"),
            "hugo": stage.account("hugo", "hr"),
            "hilda": stage.account("hilda", "hr", teams=["Tarde"]),
            "tec": stage.account("tec", "technician"),
            "area": stage.account("area", "area"),
            "ada": stage.account("ada", "admin"),
            "nobody": {},
            "hub": {"Authorization": f"Bearer {stage.broker.secrets.api}"},
        }
        for role in ("supervisor", "monitor", "hr", "admin", "switch", "standby"):
            token = stage.web_app.accounts.tokens.add(TESTER, f"de-{role}", role)
            stage.people[f"token {role}"] = {"Authorization": f"Bearer {token}"}
        await stage.linked(len(STARTS))
        yield stage


async def test_each_route_and_command_that_could_give_sound_is_known(stage):
    """A new one needs its line here, and then is walked."""
    found = ways_of(stage)
    assert found >= {one for one in WAYS if "listenings" in one or HEAR in one}
    assert found <= set(WAYS), "say in WAYS what the route gives"
    assert found <= set(found_routes(stage.app._app._app))
    commands = {
        name for name, command in _commands(get_command(main.app))
        if reaches_sound(command.callback)
    }  # fmt: skip
    assert commands == PROBING, "a command gives no sound to anybody"


def ways_of(stage):
    return {
        one
        for route in stage.app._app._app.routes
        for one, endpoint in _endpoints(route)
        if reaches_sound(endpoint)
    }


def _endpoints(route, prefix=""):
    if (router := getattr(route, "original_router", None)) is not None:
        for one in router.routes:
            yield from _endpoints(one, prefix)
    elif hasattr(route, "endpoint"):
        for method in (getattr(route, "methods", None) or {"WS"}) - {"HEAD"}:
            yield f"{method} {prefix}{route.path}", route.endpoint
    else:
        for one in getattr(getattr(route, "app", None), "routes", ()):
            yield from _endpoints(one, prefix + route.path)


def _commands(command, name=""):
    for word, below in getattr(command, "commands", {}).items():
        yield from _commands(below, f"{name} {word}".strip())
    if not hasattr(command, "commands"):
        yield name, command


@pytest.mark.parametrize("word", PROBING)
async def test_a_command_that_reads_recordings_gives_none_of_them(stage, word, monkeypatch):
    def never(*_):
        raise AssertionError("nobody hears anything by a command")

    for what in ("sound", "peaks"):
        monkeypatch.setattr(decoding.Decoders, what, never)
    for _ in range(60):
        answer = CliRunner().invoke(main.app, [*word.split(), "--data", str(stage.data.root)])
        if "diadema hub" not in answer.output:
            break
        await asyncio.sleep(1)  # the hub is looking at the folders
    assert answer.exit_code == 0, answer.output
    assert len(answer.output) < 2000
    check_silent_about(stage, answer.output, but=(str(stage.centre.root),))


async def granted(stage, calls, purposes=PURPOSES):
    """Everybody asks for the first, and whoever may hear anything for all."""
    found = set()
    for who, headers in stage.people.items():
        for call in calls if who in WITH_EARS else calls[:1]:
            for purpose in purposes:
                answer = await stage.begin(headers, stage.centre.keys[call], purpose)
                if answer.status_code == 200:
                    await check_heard(stage, headers, answer.json())
                    found.add((who, call, purpose))
                else:
                    assert 400 <= answer.status_code < 500, answer.text
                    assert set(answer.json()) <= {"detail", "errors"}
                    check_silent_about(stage, answer.text)
    return found


async def check_heard(stage, headers, told):
    """There is sound, for this session alone, until it ends."""
    addresses = told["peaks"], told["sound"]
    for address in addresses:
        answer = await stage.get(headers, address, range="bytes=0-99")
        assert answer.status_code in (200, 206)
    await stage.end(headers, told["listening"])
    for address in addresses:
        assert (await stage.get(headers, address, range="bytes=0-99")).status_code == 404


def check_silent_about(stage, text, but=()):
    for word in (CALLER, "Rosa Quispe", "Luis Pari", "q-9", ".wav", str(stage.centre.root)):
        assert word in but or word not in text, word


async def test_who_is_meant_to_hears_it_and_nobody_else_hears_anything(stage):
    calls = ["plain", *(name for name in stage.centre.keys if name != "plain")]
    assert await granted(stage, calls) == HEARD
    reasons = {}
    for one in stage.said("listening.refused"):
        reasons.setdefault(one["by"], set()).add(one["reason"])
    assert reasons["teo"] >= {"conflict", "purpose"}
    assert reasons["tomas"] >= {"other_team"} and reasons["nadie"] >= {"other_team"}
    assert reasons["noe"] >= {"not_assigned"}
    assert reasons["luz"] >= {"no_notice", "not_informed", "purpose"}
    assert reasons["ana"] >= {"no_notice", "not_informed", "not_assigned", "purpose"}
    assert reasons["hugo"] >= {"no_notice", "not_informed", "purpose", "not_assigned"}
    assert reasons["hilda"] == {"other_team", "purpose"}
    for who in ("rosa", "luis", "tec", "area", "ada"):
        assert reasons[who] == {"no_right"}


async def test_what_one_hears_nobody_else_gets_by_its_address(stage):
    answer = await stage.begin(stage.people["ana"], stage.centre.keys["plain"], "evaluation")
    listening = answer.json()["listening"]
    others = {who: its for who, its in stage.people.items() if who != "ana"}
    others |= {"ana elsewhere": stage.enter("ana")}
    for name, way in WAYS.items():
        if way.does not in ("serves", "ends"):
            continue
        method, path = name.split()
        for who, headers in others.items():
            async with stage.client(headers) as client:
                answer = await client.request(
                    method, path.format(listening=listening), headers={"range": "bytes=0-99"},
                    json={} if method == "POST" else None,
                )  # fmt: skip
            assert answer.status_code in (401, 403, 404), f"{who} {name}: {answer.status_code}"
            assert "detail" in answer.json(), f"{who} {name}"
    address = answer.request.url.path.rpartition("/")[0]
    answer = await stage.get(stage.people["ana"], f"{address}/sound", range="bytes=0-99")
    assert (answer.status_code, len(answer.content)) == (206, 100)


async def test_by_each_page_s_own_route_only_they_hear_it(stage):
    """Those of this table that the web has, with every call and assignment, for everybody."""
    meant, by_case, heard = {(who, call) for who, call, _ in HEARD}, set(), {}
    for name in sorted(ways_of(stage) - {f"POST {HEAR}"}):
        way, (method, path) = WAYS[name], name.split()
        if way.does not in ("begins", "copies"):
            continue
        for who, headers in stage.people.items():
            for call, (s, e, n) in stage.centre.keys.items():
                if ("{q}" in path) != call.startswith("assigned"):
                    continue
                async with stage.client(headers) as client:
                    its = {
                        "evaluation": stage.centre.evaluations.get(call, "0" * 12),
                        "case": CASES.get(call, "0" * 12),
                    }
                    answer = await client.request(
                        method, path.format(q=f"{e}-{n}", s=s, e=e, n=n, **its), json=way.body
                    )
                if answer.status_code >= 300:
                    continue
                heard.setdefault(path, set()).add((who, call))
                assert (who, call) in meant, f"{who} {name} {call}"
                by_case |= {who} if "{case}" in path else set()
                if way.does == "copies":
                    assert who == "luz"
                    await check_handed_over(stage, answer.json()["file"])
    assert by_case == {"hugo"}
    assert heard["/api/v1/quality/evaluations/{evaluation}/hearing"] == {("luz", "plain")}


async def check_handed_over(stage, address):
    """To whoever made it, and nobody else."""
    for who, headers in stage.people.items():
        answer = await stage.get(headers, address)
        assert (answer.status_code == 200) == (who == "luz"), who


async def test_after_its_time_nobody_hears_it(stage):
    stage.clock.set(NOW + 181 * DAY_MS, 1)
    try:
        assert await granted(stage, ["plain"]) == set()
        reasons = {one["reason"] for one in stage.said("listening.refused")}
        assert reasons >= {"expired", "no_case"}
    finally:
        stage.clock.set(NOW, 1)


async def test_who_supervises_the_team_evaluates_nobody_in_it(stage):
    """A monitor who supervises by the directory, with an assignment that came too soon."""
    headers = stage.account("eva", "monitor")
    put(stage.data, "supervisors", account="eva", teams="Mañana")
    call = stage.centre.keys["assigned to eva"]

    async def is_refused():
        answer = await stage.begin(headers, call, "evaluation")
        return answer.status_code == 403 and "supervisa" in answer.json()["detail"]

    await until(is_refused)


async def test_nothing_of_it_is_in_the_logs(stage, caplog):
    with caplog.at_level(logging.DEBUG):
        await granted(stage, ["plain", "unsigned"], ("coaching", "evaluation"))
    said = caplog.text + stage.logs()
    for word in (CALLER, ".wav", str(stage.centre.root)):
        assert word not in said
    with stage.centre.index() as index:
        names = [one.found.name for one in index.files()]
    events = json.dumps(stage.said("recording.linked", "listening.started", "listening.refused"))
    assert names and not any(name in said + events for name in names)
