"""What the review of the figures and the bad input of its issue name and no other test shows."""

import json
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from diadema.ingest.messages import Message, subject_of
from diadema.report.kinds import KINDS
from diadema.report.make import make
from diadema.report.model import Scope, kind_of, plain
from diadema.report.period import around
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.kinds import KINDS as KINDS_OF
from diadema.site.directory.people import Planned
from diadema.words import text

from tests.support import reported_day
from tests.support.queue_logs import QueueLog
from tests.support.scripted_station import SITE, T0, FixedClock, Script
from tests.support.sections import rows
from tests.support.targeted import a_day, bring, centre, put

LIMA = ZoneInfo("America/Lima")
DAY = date(2026, 11, 18)
NOW = T0 + 2 * 86_400_000
FLOOR = Scope()


def stated(report):
    return stated_of(report.section("summary"))


def stated_of(section):
    return {row["figure"]: (row["value"], row["n"]) for row in rows(section)}


def at(hour, minute=0, day=DAY):
    return int(datetime(*day.timetuple()[:3], hour, minute, tzinfo=LIMA).timestamp())


@pytest.fixture
def plan(monkeypatch):
    """Fills the roster that reports and figures read."""
    from diadema.figures import attendance
    from diadema.report import context
    from diadema.report.kinds import adherence

    roster = {}
    plainly = context.read_people

    def known(*given):
        return msgspec.structs.replace(plainly(*given), roster=roster)

    for module in (context, adherence, attendance):
        monkeypatch.setattr(module, "read_people", known)

    def plan(agent, day, begin=8, end=16, tolerance_s=600):
        roster[agent, day] = Planned(
            day=day, shift="M", start_s=at(begin, day=day), end_s=at(end, day=day),
            tolerance_s=tolerance_s,
        )  # fmt: skip

    return plan


def test_lateness_of_two_days_of_which_a_correction_justifies_none(tmp_path, plan):
    """A8: «tardanza sin justificar» said 2:30; with the 20:00 of the 11th it is 22:30."""
    tenth, eleventh = date(2026, 11, 10), date(2026, 11, 11)
    plan("a001", tenth)
    plan("a001", eleventh)
    script = Script().boot().clock(at(8, 12, tenth) * 1000 + 29_990)
    script.mark("in", 10).mark("out", 8 * 3_600_000)
    script.mark("out", 24 * 3_600_000)
    data = reported_day.stored(tmp_path, script)
    from diadema.ingest.core import Ingest
    from diadema.site import description as sites
    from diadema.store import open_writer

    said = {"s": "HUB-x", "e": 1, "n": 1, "b": 0, "u": 0, "t": T0, "by": "ana", "a": "a001",
            "k": "attendance.corrected", "direction": "in", "reason": "olvidó",
            "time": at(8, 30, eleventh) * 1000}  # fmt: skip
    writer = open_writer(data.store)
    ingest = Ingest(writer, sites.load(data.site), FixedClock(NOW))
    ingest.take_file([Message(0, subject_of("HUB-x"), json.dumps(said).encode())])
    writer.close()
    found = stated(make(data, "asistencia", around("month", tenth), FLOOR, NOW))
    assert found["tardanza sobre la tolerancia sin justificar"][0] == 22 * 60 + 30
    assert found["tardanza completa sin justificar"][0] == 12 * 60 + 30 + 30 * 60


def test_each_queues_time_is_held_to_its_own_target(tmp_path):
    """B3: Ventas 1:50 stood beside the site's 6:40, met; its own is 1:00, missed."""
    from diadema.report.writing import is_missed

    log = QueueLog().call(0, "1.1", talk=110, queue="ventas").call(900, "1.2", talk=110)
    data = centre(tmp_path, log)
    for code in ("ventas", "saldos"):
        put(data, "queues", code=code, name=code.title())
    put(data, "targets", metric="aht_s", value=400)
    put(data, "targets", metric="aht_s", queue="ventas", value=60)
    section = make(data, "tmo", around("day", DAY), FLOOR, NOW).section("aht_queues")
    place, goal = section.at("aht_s"), section.at("goal_aht_s")
    told = {row[0]: (row[place], row[goal], is_missed(section, row, place))
            for row in section.rows}  # fmt: skip
    assert told == {"Ventas": (110, 60, True), "Saldos": (110, 400, False)}
    own = make(data, "tmo", around("day", DAY), Scope(of="queue", code="ventas"), NOW)
    row = own.section("summary").rows[0]
    assert (row[1].value, plain(row[2]), row[1].missed) == (110, 60, True)


NO_SUMMARY = ("supervision", "incentivo")  # tables alone


@pytest.mark.parametrize(
    "kind", [name for name, its in KINDS.items() if not its.document and name not in NO_SUMMARY]
)
def test_each_share_and_mean_has_its_n(tmp_path, kind, plan):
    """Section C: «each figure has its n»; ocupación, utilización and shrinkage had none."""
    data = reported_day.stations(tmp_path)
    bring(data, a_day("ventas"))
    for k in range(2):
        plan(f"a00{k + 1}", DAY)
    report = make(data, kind, around("day", DAY), FLOOR, NOW)
    section = report.section("summary")
    value, n = section.at("value"), section.at("n")
    lacking = [
        row[0] for row in section.rows
        if kind_of(section.columns[value], row[value]) == "percent" and row[n] is None
        and plain(row[value]) is not None
    ]  # fmt: skip
    assert lacking == []
    if kind in ("intradia", "tmo"):
        assert stated_of(section)["ocupación"][1] == 2


def change(data, kind, code, since=None, **fields):
    """Its names at the switch from that day on; without one they always were."""
    body = KINDS_OF[kind].read({"code": code} | NAMED[code] | fields)
    one = Change(kind=kind, code=code, body=body, valid_from=since)
    with Directory(data.directory) as book:
        book.apply([one], by="Ana", reason="prueba", at_ms=2)


KEPT = ("name", "short", "alias")
NAMED = {one["id"]: {name: one[name] for name in KEPT} for one in SITE["agents"]}
NAMED["soporte"] = {"name": "Soporte"}
NAMED["ventas"] = {"name": "Ventas"}
NAMED["IT"] = {"name": "Informática"}


@pytest.fixture
def served(tmp_path):
    """A call by each of two names of an agent and of a queue, on one day."""
    log = QueueLog().call(0, "1.1", agent="SIP/201", queue="IT")
    data = centre(tmp_path, log.call(9000, "1.2", agent="SIP/202", queue="SOP"))
    change(data, "agents", "a001", switch_aliases=["SIP/201"])
    change(data, "queues", "soporte", switch_names=["IT"])

    def told():
        calls = make(data, "llamadas", around("day", DAY), FLOOR, NOW).section("calls_agents")
        queues = make(data, "servicio", around("day", DAY), FLOOR, NOW).section("service_queues")
        return (
            {row["code"]: row["answered"] for row in rows(calls)},
            {row["queue"]: row["received"] for row in rows(queues)},
        )

    return data, told


def test_who_changes_alias_in_the_middle_of_a_day_keeps_what_came_before(served):
    """Bad input: from the 18th on she is SIP/202; of the morning's SIP/201 nobody was left."""
    data, told = served
    assert told() == ({"a001": 1, "SIP/202": 1}, {"Soporte": 1, "SOP": 1})
    change(data, "agents", "a001", DAY, switch_aliases=["SIP/202"])
    change(data, "queues", "soporte", DAY, switch_names=["SOP"])
    assert told() == ({"a001": 2}, {"Soporte": 2})


def test_a_name_that_was_given_by_mistake_is_taken_back(served):
    """Without a day the new version always was."""
    data, told = served
    change(data, "agents", "a001", switch_aliases=["SIP/202"])
    change(data, "queues", "soporte", switch_names=["SOP"])
    assert told() == ({"a001": 1, "SIP/201": 1}, {"Soporte": 1, "IT": 1})


def test_a_name_that_another_has_now_is_hers(served):
    data, told = served
    change(data, "agents", "a001", DAY, switch_aliases=["SIP/202"])
    change(data, "agents", "a002", switch_aliases=["SIP/201"])
    assert told()[0] == {"a001": 1, "a002": 1}


def of_days(data, *days):
    """What each agent answered and what each queue received, by day."""
    calls, queues = [], []
    for day in days:
        agents = make(data, "llamadas", around("day", day), FLOOR, NOW).section("calls_agents")
        service = make(data, "servicio", around("day", day), FLOOR, NOW).section("service_queues")
        calls.append({row["code"]: row["answered"] for row in rows(agents)})
        queues.append({row["queue"]: row["received"] for row in rows(service)})
    return calls, queues


@pytest.fixture
def three_days(tmp_path):
    """A call by the same names of an agent and of a queue, on each of three days."""
    log = QueueLog()
    for n in range(3):
        log.call(86_400 * n, f"1.{n}", agent="SIP/201-0000001a", queue="IT")
    data = centre(tmp_path, log)
    change(data, "queues", "soporte")
    change(data, "queues", "ventas")
    return data, [DAY + timedelta(n) for n in range(3)]


def test_a_name_that_passes_on_leaves_its_days_with_whom_it_was(three_days):
    """From the 19th on another has it; the 18th stays hers, as the form says."""
    data, days = three_days
    change(data, "agents", "a001", switch_aliases=["SIP/201"])
    change(data, "queues", "soporte", switch_names=["IT"])
    assert of_days(data, *days) == ([{"a001": 1}] * 3, [{"Soporte": 1}] * 3)
    change(data, "agents", "a001", days[1], switch_aliases=["SIP/209"])
    change(data, "agents", "a002", days[1], switch_aliases=["SIP/201"])
    change(data, "queues", "soporte", days[1], switch_names=["SOP-2"])
    change(data, "queues", "ventas", days[1], switch_names=["IT"])
    agents, queues = of_days(data, *days)
    assert agents == [{"a001": 1}, {"a002": 1}, {"a002": 1}]
    assert queues == [{"Soporte": 1}, {"Ventas": 1}, {"Ventas": 1}]
    own = make(data, "llamadas", around("month", DAY), Scope(of="agent", code="a001"), NOW)
    assert [row["answered"] for row in rows(own.section("calls_agents"))] == [1]
    late = QueueLog().call(3600, "2.0", agent="SIP/201", queue="IT")
    bring(data, late.call(90_000, "2.1", agent="Agent/201", queue="IT"))
    agents, queues = of_days(data, *days)
    assert agents == [{"a001": 2}, {"a002": 2}, {"a002": 1}]
    assert queues == [{"Soporte": 2}, {"Ventas": 2}, {"Ventas": 1}]
    for field in ("switch_aliases", "switch_names"):
        assert "los días anteriores" in text(f"people.hint.{field}", "es")


def test_a_name_that_is_given_back(three_days):
    data, days = three_days
    for since, its, others in ((None, "SIP/201", ""), (days[1], "", "SIP/201"),
                               (days[2], "SIP/201", "")):  # fmt: skip
        told = [("a001", "soporte", its), ("a002", "ventas", others)]
        for agent, queue, name in sorted(told, key=lambda one: one[2]):  # he gives it up first
            change(data, "agents", agent, since, switch_aliases=[name] if name else [])
            change(data, "queues", queue, since, switch_names=["IT"] if name else [])
    agents, queues = of_days(data, *days)
    assert agents == [{"a001": 1}, {"a002": 1}, {"a001": 1}]
    assert queues == [{"Soporte": 1}, {"Ventas": 1}, {"Soporte": 1}]


def test_a_first_name_counts_for_the_days_before_it_too(three_days):
    """Issue: «also for what was imported before the mapping was made»."""
    data, days = three_days
    assert of_days(data, DAY) == ([{"SIP/201-0000001a": 1}], [{"IT": 1}])
    change(data, "agents", "a001", days[2], switch_aliases=["SIP/201"])
    change(data, "queues", "soporte", days[2], switch_names=["IT"])
    assert of_days(data, *days) == ([{"a001": 1}] * 3, [{"Soporte": 1}] * 3)


def test_a_name_that_is_taken_away_is_nobodys_from_the_next_day_on(three_days):
    """The day itself is hers: of its morning nobody else was left. So it is of who leaves."""
    data, days = three_days
    change(data, "agents", "a001", switch_aliases=["SIP/201"])
    change(data, "queues", "soporte", switch_names=["IT"])
    with Directory(data.directory) as book:
        gone = [Change(kind=kind, code=code, body=None, valid_from=days[1])
                for kind, code in (("agents", "a001"), ("queues", "soporte"))]  # fmt: skip
        book.apply(gone, by="Ana", reason="prueba", at_ms=3)
    agents, queues = of_days(data, *days)
    assert agents == [{"a001": 1}, {"a001": 1}, {"SIP/201-0000001a": 1}]
    assert [[*one.values()] for one in queues] == [[1]] * 3 and "IT" in queues[2]


def test_a_name_that_passes_on_in_another_spelling(three_days):
    """`SIP/201` and `201` are one name: the first days are not the new one's."""
    data, days = three_days
    change(data, "agents", "a001", switch_aliases=["201"])
    change(data, "agents", "a001", days[1], switch_aliases=[])
    change(data, "agents", "a002", days[2], switch_aliases=["SIP/201"])
    assert of_days(data, *days)[0] == [{"a001": 1}, {"a001": 1}, {"a002": 1}]


def test_a_queues_own_code_is_its_name_until_another_has_it(three_days):
    data, days = three_days
    change(data, "queues", "IT")
    with Directory(data.directory) as book:
        gone = Change(kind="queues", code="IT", body=None, valid_from=days[1])
        book.apply([gone], by="Ana", reason="prueba", at_ms=3)
    change(data, "queues", "soporte", days[1], switch_names=["IT"])
    _, queues = of_days(data, *days)
    assert [[*one] for one in queues[1:]] == [["Soporte"]] * 2 and "Soporte" not in queues[0]


def test_a_month_before_its_end_has_no_absences_to_come(tmp_path, plan):
    """Bad input: on the 18th at noon nobody is absent of the 19th to the 30th."""
    script = Script().boot().clock((at(8) - 2) * 1000).mark("in").login(mark=True).ready(0)
    script.presence("ready", "not_ready", "refrigerio", after=3_600_000)
    data = reported_day.stored(tmp_path, script, now=at(12) * 1000)
    for k in range(16, 31):
        plan("a001", date(2026, 11, k))
    now = at(12) * 1000
    found = stated(make(data, "asistencia", around("month", DAY), FLOOR, now))
    assert found["sin marca con turno"] == (2, 3)  # the 16th and the 17th of three that began
    found = stated(make(data, "adherencia", around("month", DAY), FLOOR, now))
    assert found["ausentismo no previsto"] == (80.0, 3)  # 16 hours of the 20 until noon
    assert found["adherencia"][1] == 1
    day_after = around("day", DAY + timedelta(days=1))
    assert stated(make(data, "adherencia", day_after, FLOOR, now))["shrinkage"] == (None, 0)
