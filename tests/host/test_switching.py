"""What the bridge to a telephone exchange hears of the hub and may ask, and nothing else: a real
broker, a real ingest, and a client with the bridge's credential.
"""

import asyncio
import json

import nats
import pytest
from diadema.store import open_reader
from diadema.switch.hub_link import HubLink
from diadema.wire import switching

from tests.host.test_ingest_service import Play, clock_file
from tests.support.broker_fixtures import IngestProcess, until
from tests.support.informed import LEAD, inform
from tests.support.scripted_station import T0, S, Script

__all__ = ["clock_file"]


async def bridge_client(broker, stack):
    """As the bridge, with what the broker has to say of its errors."""
    errors = []

    async def note(error):
        errors.append(str(error))

    client = await nats.connect(
        broker.url,
        user=switching.USER,
        password=broker.secrets.switch,
        inbox_prefix=switching.INBOX.encode(),
        allow_reconnect=False,
        connect_timeout=60,
        error_cb=note,
    )
    stack.push_async_callback(client.close)
    return client, errors


async def ask(client, subject, **body):
    return json.loads((await client.request(subject, json.dumps(body).encode(), 60)).data)


@pytest.fixture
async def ingest(broker, clock_file, stack):
    broker.data.switch.write_text("{}")
    return await stack.enter_async_context(IngestProcess(broker, clock_file))


async def test_what_stations_did_is_told_once_it_is_stored_and_in_order(broker, ingest, stack):
    client, _ = await bridge_client(broker, stack)
    fed = []

    async def hear(message):
        fed.append(json.loads(message.data))

    await client.subscribe(switching.FEED, cb=hear)
    floor = await ask(client, switching.STATE, name="principal", up=True)
    play = await stack.enter_async_context(Play(broker))
    script = Script().boot().clock().login().ready().offer("1795.4", pbx="1795.1")
    await play.send(script)
    await play.acked(script)

    def heard():
        return [one for batch in fed for one in batch["events"]]

    await until(lambda: heard() and heard()[-1]["k"] == "contact.offered")
    events = heard()
    assert [one["k"] for one in events] == [
        "station.booted", "session.opened", "presence.changed", "presence.changed",
        "contact.offered",
    ]  # fmt: skip
    first = floor["number"] + 1
    assert [one["number"] for one in fed] == [*range(first, first + len(fed))]
    floor = await ask(client, switching.STATE, name="principal", up=True)
    (seat,) = floor["seats"]
    assert (seat["s"], seat["a"], seat["presence"]) == (S, script.agent, "ready")
    assert seat["open"] == [
        {"c": "1795.4", "phase": "offered", "direction": "in", "queue": "ventas", "pbx": "1795.1"}
    ]
    assert floor["number"] == fed[-1]["number"]


async def test_a_bridge_that_begins_anew_is_told_how_each_call_is(broker, ingest, stack):
    """With what no row of the store has, and the last call, which may have ended meanwhile."""
    client, _ = await bridge_client(broker, stack)
    play = await stack.enter_async_context(Play(broker))
    script = Script().boot().clock().login().ready().offer("1795.4", pbx="1795.1")
    call = script.contact
    call("answered", "1795.4", 3000, via="key", ring_ms=3000)

    async def told():
        await play.send(script)
        await play.acked(script)
        floor = await ask(client, switching.STATE, name="principal", up=True)
        (seat,) = floor["seats"]
        return {k: v for k, v in seat["open"][0].items() if k not in ("c", "direction", "queue")}

    talks = {"phase": "talking", "pbx": "1795.1"}
    assert await told() == talks
    call("muted", "1795.4", 1000, via="key")
    call("recording_paused", "1795.4", 1000, via="key")
    call("consulted", "1795.4", 1000, via="key", area="soporte", heard="area")
    more = {"muted": True, "paused": True, "area": "soporte"}
    assert await told() == talks | more | {"phase": "consulting", "heard": "area"}
    call("recording_resumed", "1795.4", 1000, via="key")
    call("transferred", "1795.4", 1000, via="key", kind="consulted", target="soporte",
         completed=True)  # fmt: skip
    call("ended", "1795.4", 0, by="transfer", on_hold=False)
    script.wrapup("started", "1795.4", 0).wrapup("ended", "1795.4", 5000, cause="agent")
    over = await told()
    assert over | {"heard": None} == talks | {
        "phase": "closed", "by": "transfer", "transfer": "consulted", "target": "soporte",
        "paused": False, "heard": None,
    }  # fmt: skip


async def test_the_floor_comes_anew_when_the_bridge_asks_and_nothing_is_heard_twice(
    broker, ingest, stack
):
    heard, floors = [], []

    async def anew(floor):
        floors.append((len(heard), floor))

    async def nothing(*_):
        return ""

    link = HubLink(
        lambda: broker.url, broker.secrets.switch, heard.append, anew,
        lambda: switching.Report(name="principal", up=True), nothing, nothing, nothing,
    )  # fmt: skip
    running = asyncio.create_task(link.run(0.05))
    try:
        await until(lambda: floors)
        play = await stack.enter_async_context(Play(broker))
        script = Script().boot().clock().login()
        for step in ("login", "ready"):
            if step == "ready":
                script.ready()
                link.ask_anew()
            await play.send(script)
            await play.acked(script)
        await until(lambda: len(floors) == 2 and script.agent == floors[1][1].seats[0].agent)
        await until(lambda: link.is_up)
        numbers = [one["n"] for one in heard]
        assert numbers == sorted(set(numbers))
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_nothing_is_told_where_no_exchange_is_set_up(broker, clock_file, stack):
    await stack.enter_async_context(IngestProcess(broker, clock_file))
    client, _ = await bridge_client(broker, stack)
    fed = []

    async def hear(message):
        fed.append(message)

    await client.subscribe(switching.FEED, cb=hear)
    play = await stack.enter_async_context(Play(broker))
    script = Script().boot().clock().login()
    await play.send(script)
    await play.acked(script)
    await client.flush()
    assert not fed
    admin = await broker.client()
    stack.push_async_callback(admin.close)
    assert await ask(admin, "hub.switch.shown") == {"switch": None}


async def test_a_bridge_whose_exchange_was_removed_is_sent_away(broker, ingest, stack):
    """Else calls would go on to ring at stations, whose keys nobody follows any more."""
    client, _ = await bridge_client(broker, stack)
    assert "seats" in await ask(client, switching.STATE, name="principal", up=True)
    broker.data.switch.unlink()

    async def refused():
        return "error" in await ask(client, switching.STATE, name="principal", up=True)

    await until(refused)
    answer = await ask(client, switching.CALL, s=S, cmd="ring", contact="1795.4")
    assert answer["error"] == "forbidden"
    queue = await ask(client, switching.QUEUE, s="PBX-principal", e=1, events=[], live=True)
    assert queue["position"] == 0  # what happened before is still taken


async def test_commands_about_calls_and_no_others(broker, ingest, stack):
    client, _ = await bridge_client(broker, stack)
    play = await stack.enter_async_context(Play(broker))
    script = Script().boot().clock().login().ready()
    await play.send(script)
    await play.acked(script)
    told = json.dumps(_HEAD | _ENTERED)  # so that the switch is among those who tell
    await ask(client, switching.QUEUE, s="PBX-principal", e=7, events=[told])
    answer = await ask(client, switching.CALL, s=S, cmd="ring", contact="1795.4", queue="ventas")
    assert answer["i"] > 0
    assert (await play.command("ring"))["contact"] == "1795.4"
    for other in ("presence", "session", "text", "selftest", "config", "time", "nonsense", None):
        refused = await ask(client, switching.CALL, s=S, cmd=other, to="not_ready", reason="x")
        assert refused["error"] == "forbidden"
    refused = await ask(client, switching.CALL, s="DIA-000000000000", cmd="hold", contact="1")
    assert refused["error"] == "unknown_station"
    for nobody in ("PBX-principal", "HUB-main", "gw-test", ">", ""):
        refused = await ask(client, switching.CALL, s=nobody, cmd="hold", contact="1")
        assert refused["error"] == "unknown_station"
    refused = await ask(client, switching.CALL, s=S, cmd="ring", contact="x\ny")
    assert refused["error"] == "bad_request"


async def test_no_caller_waits_for_a_station_that_is_away(broker, ingest, stack):
    client, _ = await bridge_client(broker, stack)
    play = await stack.enter_async_context(Play(broker))
    script = Script().boot().clock().login().ready()
    await play.send(script)
    await play.acked(script)
    await play.hello(script, up=False)

    async def refused():
        answer = await ask(client, switching.CALL, s=S, cmd="ring", contact="1", queue="ventas")
        return answer.get("error") == "no_link"

    await until(refused)
    answer = await ask(client, switching.CALL, s=S, cmd="withdraw", contact="1", cause="withdrawn")
    assert answer["i"] > 0, "what ends one waits for it"


@pytest.mark.parametrize(
    "report",
    [
        {"name": "x" * 100_000},
        {"name": "central\x1b[2J"},
        {"version": "x" * 1000},
        {"calls": -1},
        {"calls": 10**30},
        {"unsent": -1},
        {"utc_ms": 2**63},
        {"queues": [{"name": "ventas", "mapped": True}] * 2000},
        {"queues": [{"name": "x" * 1000, "mapped": True}]},
        {"queues": [{"name": "ventas", "mapped": True, "waiting": -1}]},
        {"members": [{"name": "a001", "queue": "ventas"}] * 10_000},
        {"members": [{"name": "a001", "queue": "x" * 1000}]},
        {"members": [{"name": "a001", "queue": "ventas", "reason": "x" * 1000}]},
        {"phones": [{"extension": "x" * 1000, "station": S}]},
        {"phones": [{"extension": "PJSIP/1", "station": S}] * 5000},
        {"troubles": [{"utc_ms": 1, "sentence": ["errors.switch.closed", {}]}] * 10_000},
        {"listeners": [{"spyer": "1795.9"}] * 1000},
        {"listeners": [{"spyer": "x" * 1000}]},
    ],
)
async def test_a_report_that_is_too_much_is_refused(broker, ingest, stack, report):
    client, _ = await bridge_client(broker, stack)
    answer = await ask(client, switching.STATE, **{"name": "central", "up": True} | report)
    assert answer["error"] == "bad_request"


async def test_what_nobody_can_say_is_no_trouble(broker, ingest, stack):
    """Else the page that shows it, and the command, would end with it."""
    client, _ = await bridge_client(broker, stack)
    admin = await broker.client()
    stack.push_async_callback(admin.close)
    deep = []
    for _ in range(200):
        deep = ["errors.switch.unreachable", {"where": deep, "error": 1}]
    said = ["errors.switch.bar", {"reason": "a|b"}]
    odd = [[], ["x"], ["errors.switch.nonsense", {}], ["errors", {}], ["errors.switch.bar", {}],
           ["errors.switch.bar", []], [1, {}], ["errors.switch.bar", {"reason": "x" * 9000}],
           ["errors.switch.bar", {"reason": [[], 1]}], deep]  # fmt: skip
    troubles = [{"utc_ms": 1, "sentence": one} for one in [*odd, said]]
    await ask(client, switching.STATE, name="central", up=True, troubles=troubles)
    shown = (await ask(admin, "hub.switch.shown"))["switch"]["report"]
    assert [one["sentence"] for one in shown["troubles"]] == [said]


_HEAD = {"s": "PBX-principal", "e": 7, "n": 1, "b": 0, "u": 0, "t": 1_795_000_000_000}
_ENTERED = {"k": "queue.entered", "pbx": "1795.1", "queue": "ventas"}


@pytest.mark.parametrize(
    "event",
    [
        {"k": "session.opened", "a": "a001", "method": "badge"},
        {"k": "attendance.marked", "a": "a001", "direction": "in", "method": "badge"},
        {"k": "presence.changed", "a": "a001", "to": "not_ready", "cause": "agent", "prev_ms": 1},
        {"k": "contact.answered", "a": "a001", "c": "1795.4", "via": "key", "ring_ms": 3000},
        {"k": "site.published"},
        {"k": "nonsense"},
        {"k": 7},
        _ENTERED | {"s": S},
        _ENTERED | {"s": "PBX-otra"},
        _ENTERED | {"queue": "x" * 4000},
        [],
    ],
)
async def test_what_it_tells_is_of_queues_and_recordings_and_of_nobody(
    broker, ingest, stack, event
):
    """A credential of the bridge's that was stolen forges no attendance."""
    client, _ = await bridge_client(broker, stack)
    text = json.dumps(_HEAD | event if isinstance(event, dict) else event)
    body = {"s": "PBX-principal", "e": 7, "live": True, "events": [text]}
    answer = await ask(client, switching.QUEUE, **body)
    assert answer["error"] == "bad_request"
    with open_reader(broker.data.store) as reader:
        assert not [*reader.sessions()] and not reader.status()["dead_letters"]
    body["events"] = [json.dumps(_HEAD | _ENTERED)]
    assert (await ask(client, switching.QUEUE, **body))["position"] == 1


async def test_there_is_an_end_to_what_it_tells_at_once(broker, ingest, stack):
    client, _ = await bridge_client(broker, stack)
    text = json.dumps(_HEAD | _ENTERED)
    answer = await ask(client, switching.QUEUE, s="PBX-principal", e=7, events=[text] * 5001)
    assert answer["error"] == "bad_request"


@pytest.mark.parametrize(
    "subject",
    ["hub.command", "hub.act", "hub.site", "hub.enrol", "hub.status", "hub.switch.shown",
     "hub.update", "$JS.API.STREAM.LIST", "diadema.v1.DIA-0123456789ab.cmd",
     "$MQTT.msgs.diadema.v1.DIA-0123456789ab.ev", "$SYS.REQ.USER.AUTH", "switch.events",
     "hub.listen", "switch.listen"],
)  # fmt: skip
async def test_it_may_say_nothing_else(broker, stack, subject):
    client, errors = await bridge_client(broker, stack)
    await client.publish(subject, b"{}")
    await client.flush()
    error = await until(lambda: next(iter(errors), None))
    assert "publish" in error.lower()


@pytest.mark.parametrize(
    "subject",
    ["diadema.v1.*.ev", ">", "hub.call", "hub.>", "_INBOX.>", "$KV.live.>", "$MQTT.msgs.>"],
)
async def test_it_may_hear_nothing_else(broker, stack, subject):
    client, errors = await bridge_client(broker, stack)
    await client.subscribe(subject)
    await client.flush()
    error = await until(lambda: next(iter(errors), None))
    assert "subscription" in error.lower()


# -- live listening


@pytest.fixture
async def informed(broker, clock_file, stack):
    """An ingest that knows a lead of quality, and that callers and the agent were informed."""
    broker.data.switch.write_text("{}")
    inform(broker.data, T0 - 60_000, ["a001"])
    return await stack.enter_async_context(IngestProcess(broker, clock_file))


async def test_a_listening_from_the_question_to_the_register(broker, informed, stack):
    """The question, the bridge's telephone, the station's sign, the pause that ends it."""
    client, _ = await bridge_client(broker, stack)
    admin = await broker.client()
    stack.push_async_callback(admin.close)
    listeners, asked = [], []

    async def listen(message):
        asked.append(wanted := json.loads(message.data))
        if wanted.get("mode"):
            state = {"spyer": "esc-1", "listening": wanted["listening"], "by": "PJSIP/900"}
            listeners.append(state | {"call": wanted["call"], "since_utc_ms": T0 + 10_000})
        else:
            listeners[0]["until_utc_ms"] = T0 + 14_000
        await message.respond(b"{}")

    await client.subscribe(switching.LISTEN, cb=listen)

    async def report():
        await ask(client, switching.STATE, name="principal", up=True, listeners=listeners)

    await report()
    play = await stack.enter_async_context(Play(broker))
    script = Script().boot().clock().login().ready().offer("1795.4", pbx="1795.1")
    script.contact("answered", "1795.4", 3000, via="key", ring_ms=3000)
    await play.send(script)
    await play.acked(script)
    wanted = {"by": LEAD, "who": "Luz Paz", "a": "a001", "mode": "whisper", "purpose": "help"}
    refused = await ask(admin, "hub.listen", do="begin", **wanted | {"by": "nobody"})
    assert (refused["error"], refused["status"]) == ("no_account", 403)
    await report()  # a bridge that was not heard for 8 s is none
    listening = (await ask(admin, "hub.listen", do="begin", **wanted))["listening"]
    assert asked == [{"listening": listening, "call": "1795.4", "by": LEAD, "mode": "whisper"}]
    await report()
    told = await play.command("listened")
    assert (told["contact"], told["state"], told["who"]) == ("1795.4", "on", "Luz Paz")
    script.contact("listened", "1795.4", 0, i=told["i"], state="on", who=told["who"])
    script.contact("recording_paused", "1795.4", 1000, via="key")
    await play.send(script, first=script.n - 1)
    (one,) = (await ask(admin, "hub.listen"))["listening"]
    assert (one["by"], one["a"], one["announced"]) == (LEAD, "a001", True)
    await until(lambda: len(asked) >= 2)

    async def over():
        await report()
        return not (await ask(admin, "hub.listen"))["listening"]

    await until(over)
    with open_reader(broker.data.store) as reader:
        kinds = [one.event for one in reader.events_of("HUB-main")]
    assert [one["k"] for one in kinds] == [
        "listening.refused", "listening.started", "listening.ended",
    ]  # fmt: skip
    assert (kinds[2]["cause"], kinds[2]["heard_ms"]) == ("recording_paused", 4000)
    gone = await ask(admin, "hub.listen", do="end", listening=listening, by=LEAD)
    assert gone["error"] == "no_such_listening"


async def test_a_bridge_that_does_not_answer_rings_nowhere(broker, informed, stack):
    client, _ = await bridge_client(broker, stack)
    admin = await broker.client()
    stack.push_async_callback(admin.close)
    wanted = {"by": LEAD, "a": "a001", "mode": "silent", "purpose": "help"}
    answer = await ask(admin, "hub.listen", do="begin", **wanted)
    assert (answer["error"], answer["status"]) == ("no_switch", 503)
    await ask(client, switching.STATE, name="principal", up=True)
    play = await stack.enter_async_context(Play(broker))
    script = Script().boot().clock().login().ready().offer("1795.4", pbx="1795.1")
    script.contact("answered", "1795.4", 3000, via="key", ring_ms=3000)
    await play.send(script)
    await play.acked(script)
    await ask(client, switching.STATE, name="principal", up=True)
    answer = await ask(admin, "hub.listen", do="begin", **wanted)
    assert (answer["error"], answer["status"]) == ("no_bridge", 503)
    assert not (await ask(admin, "hub.listen"))["listening"]


async def test_a_bridge_that_is_silent_is_no_bridge(broker, ingest, stack):
    client, _ = await bridge_client(broker, stack)
    admin = await broker.client()
    stack.push_async_callback(admin.close)
    shown = (await ask(admin, "hub.switch.shown"))["switch"]
    assert (shown["up"], shown["report"], shown["age_s"]) == (False, None, None)
    await ask(client, switching.STATE, name="principal", up=True, version="22.1.0")
    shown = (await ask(admin, "hub.switch.shown"))["switch"]
    assert (shown["up"], shown["report"]["version"]) == (True, "22.1.0")

    async def is_down():
        return not (await ask(admin, "hub.switch.shown"))["switch"]["up"]

    await until(is_down)
