"""What is counted of calls, and what is not known of them: the review's scenarios."""

import json
from datetime import date

import pytest
from diadema.exchange.queue_log_import import import_queue_log
from diadema.figures.read import read
from diadema.figures.roll import roll
from diadema.metrics import queue as of_queue
from diadema.metrics.contacts import doubtful
from diadema.report.model import Scope
from diadema.store import Contact
from diadema.store.rows import QueueCall

from tests.host.test_fcr import LATER, S2, Place, begun, rows, stated
from tests.support.queue_logs import QueueLog
from tests.support.scripted_station import SITE, T0, S, Script

DAY = date(2026, 11, 18)
MINUTE = 60_000


@pytest.fixture
def place(tmp_path, clock):
    made = Place(tmp_path / "data", clock)
    yield made
    made.writer.close()


def talk(n, begin, end):
    """Minutes after T0."""
    start, close = T0 + begin * MINUTE, T0 + end * MINUTE
    length = close - start
    return Contact(
        station=S,
        epoch=1,
        sequence=n,
        contact=f"c{n}",
        agent="a001",
        phase="closed",
        outcome="answered",
        start_b=1,
        start_u=0,
        start_utc=start,
        answered_u=0,
        answered_utc=start,
        end_b=1,
        end_u=length,
        end_utc=close,
        close_b=1,
        close_u=length,
        close_utc=close,
        talk_ms=length,
    )


def test_what_is_in_doubt_itself_puts_nothing_in_doubt():
    """B1: A 10:00-11:00, B 10:30-12:00, C 11:30-12:30: B is in no average, so C stays."""
    contacts = [talk(1, 0, 60), talk(2, 30, 120), talk(3, 90, 150)]
    assert doubtful(contacts) == {(S, 1, 2)}
    calls = [
        QueueCall(
            station="PBX-x",
            epoch=1,
            sequence=one.sequence,
            pbx=str(one.sequence),
            queue="q",
            start_utc=one.start_utc,
            agent="a001",
            connected_utc=one.start_utc,
            outcome="answered",
            end_utc=one.end_utc,
        )
        for one in contacts
    ]
    assert [later.sequence for later, _ in of_queue.overlapping(calls)] == [2]


def test_a_chain_of_talks_over_midnight_is_looked_at_from_its_beginning(place):
    """B1: at two desks; the one in doubt began before the day, because of one that ended in it."""
    midnight = T0 + 64_400_000
    one = Script().boot().clock(midnight - 120 * MINUTE).login(0).ready(0)
    one.call("c1", talk=90 * MINUTE)
    one.u = 135 * MINUTE
    one.call("c3", talk=45 * MINUTE)
    other = Script(s=S2).boot().clock(midnight - 60 * MINUTE).login(0).ready(0)
    other.call("c2", talk=90 * MINUTE)
    place.take(one, other)
    later = date(2026, 11, 19)
    both = read(place.data, DAY, later, midnight + 3 * 60 * MINUTE)
    assert both.agent("a001").calls().n == 2
    (only,) = read(place.data, later, later, midnight + 3 * 60 * MINUTE).days
    calls = only.agents["a001"].calls()
    assert (calls.answered, calls.n, calls.aside_impossible) == (1, 1, 0)


AT = T0 // 1000 - 1_795_000_000  # seconds of the invented logs


def taken_in(place, tmp_path, log, clock):
    import_queue_log([log.write(tmp_path / "queue_log")], place.data, clock)
    return place


def five(log):
    for at in range(5):
        log.call(AT + 600 * at, f"1.{at}", wait=10, talk=60, agent="a001", queue="ventas")
    return log


@pytest.mark.parametrize("rolled", [False, True])
def test_a_minute_at_a_station_takes_no_call_of_the_switch_away(place, tmp_path, clock, rolled):
    """A5: five calls by the switch, and then a login of 60 s."""
    taken_in(place, tmp_path, five(QueueLog()), clock)
    if rolled:
        roll(place.data, LATER)
    place.take(Script().boot().clock(T0 + 4_000_000).login(0).ready(0).logout())
    agents = rows(place.report("llamadas"), "calls_agents")
    assert [(row["code"], row["answered"]) for row in agents] == [("a001", 5)]
    assert stated(place.report("tmo"), "TMO")[1] == 5


def test_a_call_that_her_station_told_counts_there_alone(place, tmp_path, clock):
    """A5: of the same five her station tells one, by its moment; the other four stay."""
    taken_in(place, tmp_path, five(QueueLog()), clock)
    script = Script().boot().clock(T0).login(0).ready(0)
    place.take(script.call("c1", talk=61_000, ring=8000).logout())
    calls = read(place.data, DAY, DAY, LATER).agent("a001").calls()
    assert (calls.answered, calls.by_switch, calls.talk_s) == (5, 4, 61 + 4 * 60)


def test_calls_of_the_next_day_outlive_a_session_that_ends_in_it(place, tmp_path, clock):
    """A5: a session until one minute past midnight."""
    midnight = T0 + 64_400_000
    at = AT + 64_400
    log = QueueLog().call(at + 3600, "1.1", agent="a001").call(at + 7200, "1.2", agent="a001")
    taken_in(place, tmp_path, log, clock)
    script = Script().boot().clock(midnight - 60_000).login(0).ready(0)
    script.u += 120_000
    place.take(script.logout())
    (day,) = read(place.data, date(2026, 11, 19), date(2026, 11, 19), LATER).days
    assert day.agents["a001"].calls().answered == 2


def rung(log, at, pbx, agent, ms=20_000):
    return log.line(AT + at, pbx, "ventas", agent, "RINGNOANSWER", ms)


def test_callers_served_and_rings_answered_are_two_figures(place, tmp_path, clock):
    """A10: three callers, two served; a002 lets two rings go by, a001 one, and takes two calls."""
    log = QueueLog().enter(AT, "1.1", queue="ventas")
    rung(log, 20, "1.1", "a002")
    log.connect(AT + 30, "1.1", 30, agent="a001", queue="ventas", ring=4)
    log.complete(AT + 90, "1.1", 30, 60, agent="a001", queue="ventas")
    log.enter(AT + 100, "1.2", queue="ventas")
    rung(log, 120, "1.2", "a002")
    rung(log, 140, "1.2", "a001")
    log.line(AT + 150, "1.2", "ventas", "NONE", "ABANDON", 1, 1, 50)
    log.call(AT + 200, "1.3", agent="a001", queue="ventas")
    report = taken_in(place, tmp_path, log, clock).report("llamadas")
    assert stated(report, "nivel de atención") == (66.7, 3)
    assert stated(report, "contestación del asesor") == (40.0, 5)
    agents = {row["code"]: row for row in rows(report, "rings_agents")}
    cells = [
        (row["offered"], row["missed"], row["rung_out"], row["pickup_rate"], row["missed_ring_s"])
        for row in (agents["a001"], agents["a002"])
    ]
    assert cells == [(3, 1, 1, 66.7, 20), (2, 2, 2, 0.0, 40)]
    assert agents["a001"]["ring_mean_s"] == 3  # 4 s and 2 s
    assert all(row["difference"] == 0 for row in rows(report, "check"))


@pytest.mark.parametrize("kept", [False, True])
def test_what_a_log_without_rings_cannot_tell_is_not_known(place, tmp_path, clock, kept):
    """A10: no RINGNOANSWER anywhere: neither 100 % nor 0 missed, until the log tells of one."""
    taken_in(place, tmp_path, five(QueueLog()), clock)
    (row,) = rows(place.report("llamadas"), "calls_agents")
    assert (row["answered"], row["unrung"]) == (5, 5)
    assert [row[key] for key in ("offered", "missed", "excused", "pickup_rate")] == [None] * 4
    report = place.report("llamadas")
    section = report.section("calls_agents")
    assert section.total[section.at("offered")] is section.total[section.at("missed")] is None
    assert stated(report, "contestación del asesor") == (None, None)
    if kept:
        roll(place.data, LATER)
    rung(log := five(QueueLog()), 90_000, "1.9", "a002")
    taken_in(place, tmp_path, log, clock)
    (row,) = rows(place.report("llamadas"), "calls_agents")
    assert [row[key] for key in ("offered", "missed", "pickup_rate")] == [5, 0, 100.0]


def test_what_the_switch_cannot_know_of_a_call_is_not_nothing(place, tmp_path, clock):
    """B12: hold and wrap-up of a centre without stations; its TMO is talk alone."""
    report = taken_in(place, tmp_path, five(QueueLog()), clock).report("tmo")
    (row,) = rows(report, "aht_agents")
    keys = ("hold_s", "wrap_s", "consult_s", "hold_mean_s", "wrap_mean_s", "consult_mean_s")
    assert [row[key] for key in keys] == [None] * 6
    assert (row["n"], row["switch_n"], row["aht_s"], row["aht_p90_s"]) == (5, 5, 60, 60)
    assert stated(report, "espera media") == (None, 0)


def test_transfers_by_kind_and_where_to(place, tmp_path, clock):
    """A11: the switch's own transfers count too; of a station's the area is known."""
    site = SITE | {
        "areas": [
            {"code": "reclamos", "label": "Reclamos", "consulted": True},
            {"code": "afp", "label": "AFP", "external": True},
        ]
    }
    place.data.site.write_text(json.dumps(site))
    log = five(QueueLog())
    for at, (verb, data) in enumerate(
        (("BLINDTRANSFER", ("2001", "ctx", 10, 50, 1)),
         ("ATTENDEDTRANSFER", ("BRIDGE", "x", 10, 50, 1)))
    ):  # fmt: skip
        start = AT + 5000 + 300 * at
        log.enter(start, f"2.{at}", queue="ventas")
        log.connect(start + 10, f"2.{at}", 10, agent="a002", queue="ventas")
        log.line(start + 60, f"2.{at}", "ventas", "a002", verb, *data)
    script = begun()
    for c, area in (("c1", "reclamos"), ("c2", "afp")):
        script.offer(c, 1_000_000).contact("answered", c, 3000, via="key", ring_ms=3000)
        script.contact(
            "transferred", c, 9000, via="key", kind="blind", target=area, completed=True
        )
        script.contact("ended", c, 0, by="transfer", on_hold=False)
        script.wrapup("started", c, 0).wrapup("ended", c, 3000, cause="agent")
    place.take(script)
    report = taken_in(place, tmp_path, log, clock).report("llamadas")
    told = {
        (row["transfer_kind"], row["area"], row["transfer_where"]): row["count"]
        for row in rows(report, "transfers")
    }
    assert told == {
        ("ciega", "Reclamos", "interna"): 1, ("ciega", "AFP", "externa"): 1,
        ("ciega", "—", "no se sabe"): 1, ("consultada", "—", "no se sabe"): 1,
    }  # fmt: skip
    assert stated(report, "% transferidas") == (44.4, 9)
    assert stated(report, "% transferidas a áreas internas") == (11.1, 9)
    assert stated(report, "% transferidas a externos") == (11.1, 9)


def test_her_own_code_later_is_no_correction_by_another(place):
    """A13: she gives SIN_TIPIFICAR its code herself; another call's code a supervisor corrects."""
    script = begun()
    for c, author in (("c1", "a001"), ("c2", "nelly")):
        script.call(c, code="SIN_TIPIFICAR")
        of = [script.s, script.e, script.n - 1]
        script.contact("retypified", c, code="111", version=1, author=author, of=of)
    report = place.take(script).report("tipificacion")
    assert stated(report, "corregidas por otro") == (1, 2)
    assert stated(report, "tipificadas") == (2, 2)


def test_calls_without_an_hour_are_told_and_counted(place):
    """A18: a first boot without a clock and five calls in it; then one with."""
    script = Script().boot().login(0).ready(0)
    for c in range(5):
        script.call(f"c{c}")
    script.logout().boot().clock().login(0).ready(0).call("c9")
    report = place.take(script).report("llamadas")
    assert stated(report, "atenciones")[0] == 1
    lines = {row["side"]: row for row in rows(report, "check")}
    late = lines["sin hora todavía, entrantes"]
    assert (late["received"], late["answered"], late["difference"]) == (5, 5, 0)
    assert any("5 llamadas no tienen hora" in note for note in report.section("summary").notes)
    assert any("5 llamadas" in note for note in place.report("tmo").section("summary").notes)
    other = place.report("llamadas", scope=Scope(of="agent", code="a002"))
    assert not any("hora todavía" in row["side"] for row in rows(other, "check"))


def test_a_ring_that_was_not_hers_to_take_is_not_against_her(place):
    """A17: one call taken, one each that a fault, the switch and the caller ended."""
    script = begun().call("c0")
    for at, cause in enumerate(("technical", "caller_gave_up", "withdrawn")):
        script.offer(f"m{at}", 60_000).contact("missed", f"m{at}", 9000, cause=cause, ring_ms=9000)
    report = place.take(script).report("llamadas")
    assert stated(report, "contestación del asesor") == (100.0, 1)
    (row,) = rows(report, "rings_agents")
    assert (row["offered"], row["answered"], row["missed"], row["excused"]) == (4, 1, 0, 3)
    assert json.loads(place.ingest.floor.rows["a001"])["missed"] == 0
    assert rows(report, "check")[0]["difference"] == 0


def test_an_unanswered_call_out_that_was_asked_for_a_code_counts_with_or_without(place):
    """B6: two answered with a code, one out that nobody took, typified; then one that was not."""
    script = begun().call("c1").call("c2")
    for c, code in (("c3", "112"), ("c4", "SIN_TIPIFICAR")):
        script.contact("dialed", c, via="key", direction="out")
        script.contact("ended", c, 20_000, by="agent", on_hold=False, dial_result="no_answer")
        how = "agent" if code == "112" else "timeout"
        script.contact("typified", c, 2000, code=code, version=1, how=how)
        if code == "112":
            place.take(script)
            assert stated(place.report("llamadas"), "tipificadas") == (3, 3)
            assert stated(place.report("tipificacion"), "tipificadas") == (3, 3)
    place.take(script)
    for kind in ("llamadas", "tipificacion"):
        assert stated(place.report(kind), "tipificadas") == (3, 4), kind


def test_calls_that_nobody_is_named_for_stand_in_a_line_of_their_own(place, tmp_path, clock):
    """B7: the switch connected six, one of them to an agent without a name."""
    log = five(QueueLog()).call(AT + 9000, "3.1", agent="NONE", queue="ventas")
    report = taken_in(place, tmp_path, log, clock).report("llamadas")
    named = [(row["agent"], row["answered"]) for row in rows(report, "calls_agents")]
    assert named == [("(sin asesor)", 1), ("Rosa Quispe Huamán", 5)]
    assert stated(report, "atenciones")[0] == 6
    tmo = place.report("tmo")
    assert [(row["agent"], row["n"], row["aside"]) for row in rows(tmo, "aht_agents")] == [
        ("(sin asesor)", 0, 1),
        ("Rosa Quispe Huamán", 5, 0),
    ]
    assert any("1 sin asesor" in note for note in tmo.section("aht_agents").notes)
    mine = place.report("llamadas", scope=Scope(of="team", code="Mañana"))
    assert stated(mine, "atenciones")[0] == 5


def test_a_call_that_comes_back_to_the_queue_is_one_call(place, tmp_path, clock):
    """B8: handed over to another queue and taken there again: two stays, one call."""
    log = five(QueueLog()).enter(AT + 5000, "7.1", queue="ventas")
    log.connect(AT + 5010, "7.1", 10, agent="a001", queue="ventas")
    log.line(AT + 5060, "7.1", "ventas", "a001", "BLINDTRANSFER", "2001", "ctx", 10, 50, 1)
    log.call(AT + 5061, "7.1", agent="a002", queue="saldos")
    report = taken_in(place, tmp_path, log, clock).report("llamadas")
    assert stated(report, "llamadas distintas según la central") == (6, 7)
    assert stated(report, "atenciones")[0] == 7
    assert stated(report, "llamadas atendidas") == (6, 7)


def test_callers_of_a_centre_without_stations_are_known_by_the_switch(place, tmp_path, clock):
    """B9: three calls of two callers, attended; the one who hung up is not among them."""
    log = QueueLog()
    for at, caller in enumerate(("099000001", "099000002", "099000001")):
        log.call(AT + 600 * at, f"1.{at}", agent="a001", caller=caller)
    log.abandon(AT + 5000, "1.8")
    report = taken_in(place, tmp_path, log, clock).report()
    assert stated(report, "usuarios distintos") == (2, 3)
    assert stated(report, "con referencia") == (3, 3)
    assert any("2 de 3 atenciones" in one for one in report.section("summary").notes)


def test_talk_of_the_switch_is_as_it_measured_it(place, tmp_path, clock):
    """C: its calltime, not its lines' seconds apart."""
    log = QueueLog().enter(AT, "1.1").connect(AT + 10, "1.1", 10, agent="a001")
    log.line(AT + 71, "1.1", "saldos", "a001", "COMPLETECALLER", 10, 60, 1)
    taken_in(place, tmp_path, log, clock)
    assert read(place.data, DAY, DAY, LATER).agent("a001").calls().talk_s == 60


def test_who_hears_the_caller_in_a_consult_talks(place):
    """B5: a minute's consult, two minutes back with the caller (alternated), a minute's consult,
    three of a conference: the TMO's conversation is the load's.
    """
    script = begun().offer("c1").contact("answered", "c1", 3000, via="key", ring_ms=3000)
    for after, heard in ((60_000, "area"), (60_000, "caller"), (120_000, "area")):
        script.contact("consulted", "c1", after, via="key", area="reclamos", heard=heard)
    told = {"via": "key", "kind": "conference", "target": "reclamos", "completed": True}
    script.contact("transferred", "c1", 60_000, **told)
    script.contact("ended", "c1", 180_000, by="caller", on_hold=False)
    script.wrapup("started", "c1", 0).wrapup("ended", "c1", 5000, cause="agent").logout()
    report = place.take(script).report("tmo")
    (aht,), (load,) = rows(report, "aht_agents"), rows(report, "load_agents")
    assert (aht["talk_s"], aht["hold_s"], aht["consult_s"]) == (360, 120, 120)
    assert (load["talking"], load["consulting"], load["held"]) == (360, 120, 0)
    assert load["logged_s"] > 480


@pytest.mark.parametrize(("rule", "impossible"), [("allow", 0), ("move", 1)])
def test_two_desks_at_once_are_possible_where_the_site_allows_them(place, rule, impossible):
    """C: sessions that lie one over the other, with `multi_login: allow`."""
    place.data.site.write_text(json.dumps(SITE | {"multi_login": rule}))
    for s, at in (("DIA-0123456789ab", T0), (S2, T0 + 600_000)):
        script = Script(s=s).boot().clock(at).login(0).ready(0)
        script.u += 1_800_000
        place.take(script.logout())
    report = place.report("asistencia")
    assert stated(report, "imposibles")[0] == impossible


def test_a_call_whose_telephone_was_not_there_is_beside_the_answered(place, tmp_path, clock):
    """The caller waits on and is served by another: one call, one «atendida», no talk of the
    first, and the switch's word on the ring is no second miss.
    """
    log = QueueLog().enter(AT + 2, "1.1", queue="ventas")
    log.line(AT + 14, "1.1", "ventas", "a001", "RINGNOANSWER", 11_000)
    log.connect(AT + 20, "1.1", 18, agent="a002", queue="ventas")
    log.complete(AT + 80, "1.1", 18, 60, agent="a002", queue="ventas")
    taken_in(place, tmp_path, log, clock)
    script = Script().boot().clock(T0).login(0).ready(0)
    script.contact("offered", "c1", 3000, via="host", direction="in", queue="ventas", pbx="1.1")
    script.contact("answered", "c1", 3000, via="key", ring_ms=3000)
    script.contact("ended", "c1", 8000, by="technical", on_hold=False)
    script.presence("ready", "not_ready", "fault", by="system", after=0)
    other = Script(s=S2, agent="a002").boot().clock(T0).login(0).ready(0)
    other.u = 15_000
    other.contact("offered", "c2", 0, via="host", direction="in", queue="ventas", pbx="1.1")
    other.contact("answered", "c2", 5000, via="key", ring_ms=5000)
    other.contact("ended", "c2", 60_000, by="caller", on_hold=False).wrapup("started", "c2", 0)
    other.contact("typified", "c2", 10_000, code="111", version=1, how="agent")
    place.take(script, other.wrapup("ended", "c2", 0, cause="typified"))
    report = place.report("llamadas")
    agents = {row["code"]: row for row in rows(report, "rings_agents")}
    failed = agents["a001"]
    assert (failed["offered"], failed["answered"], failed["excused"], failed["failed"]) == (
        1, 0, 1, 1,
    )  # fmt: skip
    assert (failed["missed"], failed["pickup_rate"]) == (0, None)
    assert (agents["a002"]["answered"], agents["a002"]["failed"]) == (1, 0)
    assert stated(report, "sin teléfono") == (1, None)
    assert stated(report, "atenciones") == (1, None)
    assert rows(report, "causes")[0] == {"cause": "técnica", "count": 1}
    assert all(row["difference"] == 0 for row in rows(report, "check"))
    assert stated(place.report("tmo"), "TMO") == (70, 1)
    whole = read(place.data, DAY, DAY, LATER)
    assert (whole.total().load.talking, whole.agent("a001").load.reasons["fault"]) == (60, 8)
    assert whole.queue("ventas").answered == 1
