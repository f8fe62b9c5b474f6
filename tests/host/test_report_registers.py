"""Reports of what people declare: protocol steps, references, supervisors' acts, attendance."""

import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from diadema.base.paths import DataDir
from diadema.hub.actions import Actions
from diadema.hub.commanding import Commands
from diadema.report import context
from diadema.report.formats import as_json
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.site.directory.people import Planned, Worker

from tests.support.scripted_station import SITE, T0, Script
from tests.support.sections import rows

LIMA = ZoneInfo("America/Lima")
DAY = datetime.fromtimestamp(T0 / 1000, LIMA).date()
STEPS = [{"step": "greeting"}, {"step": "need"}, {"step": "closing"}]
DESCRIBED = SITE | {
    "campaigns": [{"code": "cob", "label": "Cobranza", "steps": STEPS}],
    "negative_codes": ["112"],
}


@pytest.fixture
def data(tmp_path, writer):
    (tmp_path / "site.json").write_text(json.dumps(DESCRIBED))
    return DataDir(tmp_path)


@pytest.fixture
def take(ingest):
    def take(script):
        ingest.take(script.messages(), "stream", "server")

    return take


def begun():
    return Script().boot().clock().mark("in").login(mark=True).ready()


def call(script, c, reference=None, code="111", talk=60_000):
    script.offer(c, campaign="cob", reference=reference) if reference else script.offer(
        c, campaign="cob"
    )
    script.contact("answered", c, 3000, via="key", ring_ms=3000)

    def after():
        script.contact("ended", c, talk, by="caller", on_hold=False).wrapup("started", c, 0)
        script.contact("typified", c, 5000, code=code, version=1, how="agent")
        script.wrapup("ended", c, 0, cause="typified")

    return after


def tick(script, c, step, after=5000):
    script.contact("step", c, after, step=step, result="done", how="key")


def test_steps_are_a_share_of_the_campaigns_calls_and_blocks_stand_apart(data, take):
    script = begun()
    end = call(script, "c1")
    tick(script, "c1", "greeting")
    tick(script, "c1", "need", 500)
    end()
    end = call(script, "c2")
    tick(script, "c2", "greeting")
    end()
    take(script)
    report = make(data, "protocolo", around("day", DAY), Scope(), T0 + 3_600_000)
    found = {row["step"]: row for row in rows(report.section("steps"))}
    names = ("possible", "ticked", "block")
    assert {step: tuple(row[name] for name in names) for step, row in found.items()} == {
        "saludo": (2, 2, 1), "necesidad": (2, 1, 1), "cierre": (2, 0, 0),
    }  # fmt: skip
    assert found["saludo"]["one_by_one_share"] == 50.0
    (agent,) = rows(report.section("steps_agents"))
    assert (agent["possible"], agent["ticked_share"]) == (6, 50.0)


def test_users_are_counted_once_and_what_came_of_their_calls(data, take):
    script = begun()
    for k, (reference, code) in enumerate(
        [("h1", "111"), ("h1", "111"), ("h2", "112"), (None, "111")]
    ):
        call(script, f"c{k}", reference, code)()
    take(script)
    now = T0 + 10 * 86_400_000
    report = make(data, "consolidado", around("day", DAY), Scope(), now)
    summary = {row["figure"]: (row["value"], row["n"]) for row in rows(report.section("summary"))}
    assert summary["atenciones"] == (4, None) and summary["con referencia"] == (3, 4)
    assert summary["usuarios distintos"] == (2, 3)
    assert summary["FCR"] == (66.7, 3), "h1 came again for the same motive"
    flags = {row["flag"]: row["count"] for row in rows(report.section("flags"))}
    assert (flags["negativa"], flags["sin marca"]) == (1, 3)
    early = make(data, "consolidado", around("day", DAY), Scope(), T0 + 3_600_000)
    assert "dentro de la ventana: 3" in early.section("summary").notes[1]
    part = make(data, "consolidado", around("day", DAY), Scope(of="agent", code="a001"), now)
    assert "FCR" not in {row["figure"] for row in rows(part.section("summary"))}


def test_the_register_of_supervision_tells_who_what_why_and_what_came_of_it(data, ingest, reader):
    script = begun()
    ingest.take([script.hello_message(), *script.messages()], "stream", "server")
    acts = Actions(ingest, Commands(ingest, None), reader, None)
    by = {"by": "elena", "who": "Elena Soto"}
    acts.act({"action": "note", "a": "a001", "kind": "orientacion", "note": "=saludo", **by})
    acts.act({"action": "presence", "a": "a001", "reason": "refrigerio", **by})
    report = make(data, "supervision", around("day", DAY), Scope(), T0 + 3_600_000)
    first, second = rows(report.section("register"))
    assert (first["by"], first["agent"], first["action"]) == (
        "Elena Soto", "Rosa Quispe Huamán", "orientación"
    )  # fmt: skip
    assert (first["note"], first["outcome"]) == ("=saludo", None)
    assert (second["action"], second["reason"]) == ("cambio de estado", "Refrigerio")
    assert second["outcome"] == "en camino"
    assert {row["action"]: row["count"] for row in rows(report.section("actions"))} == {
        "orientación": 1, "cambio de estado": 1,
    }  # fmt: skip
    other = make(data, "supervision", around("day", DAY), Scope(of="agent", code="a002"), T0)
    assert other.section("register").rows == []


def test_attendance_has_the_fields_of_the_law_and_the_stay_outside_of_the_shift(
    data, take, monkeypatch
):
    start = T0 // 1000 + 300
    plan = Planned(day=DAY, shift="M", start_s=start, end_s=start + 3600, tolerance_s=60)
    plainly = context.read_people

    def known(*given):
        people = plainly(*given)
        rosa = people.workers["a001"]
        worker = Worker(
            id=rosa.id, name=rosa.name, team=rosa.team, employer="e1", document_kind="DNI",
            document="00000001",
        )  # fmt: skip
        return msgspec.structs.replace(
            people,
            workers=people.workers | {"a001": worker},
            employers={"e1": ("Servicios Inventados S.A.C.", "20000000001")},
            roster={("a001", DAY): plan},
        )

    monkeypatch.setattr(context, "read_people", known)
    monkeypatch.setattr("diadema.figures.attendance.read_people", known)
    take(begun().mark("out", 4_000_000).logout())
    report = make(data, "asistencia", around("day", DAY), Scope(), T0 + 86_400_000)
    (entry,) = rows(report.section("register_of_marks"))
    assert (entry["employer"], entry["ruc"]) == ("Servicios Inventados S.A.C.", "20000000001")
    assert (entry["worker"], entry["document_kind"], entry["document"]) == (
        "Rosa Quispe Huamán", "DNI", "00000001"
    )  # fmt: skip
    assert entry["date"] == DAY.isoformat() and entry["corrected_entry"] is None
    made = rows(report.section("marks"))[0]
    assert made["first_in"] == entry["entry"] < made["planned_in"] and made["late_s"] == 0
    outside = made["stay_s"] - 3600
    assert 0 < entry["outside_s"] == outside
    told = json.loads(as_json.content(report))
    law = next(one for one in told["sections"] if one["section"] == "register_of_marks")
    assert {"employer", "ruc", "worker", "document", "date", "entry", "exit", "outside_s"} <= {
        column["key"] for column in law["columns"]
    }
    absent = make(data, "asistencia", around("day", DAY + timedelta(days=1)), Scope(), T0)
    assert rows(absent.section("register_of_marks")) == []


def test_the_register_has_a_row_for_each_entry_with_its_exit_and_lists_what_lacks_one(data, take):
    """A7: an exit before its entry is not zero, it is to be settled."""
    script = Script().boot().clock(T0)
    script.mark("out", 1000)
    for direction, after_h in (("in", 8), ("out", 8), ("in", 8)):
        script.mark(direction, after_h * 3_600_000)
    take(script)
    now = T0 + 7 * 86_400_000
    report = make(data, "asistencia", around("week", DAY), Scope(), now)
    law = rows(report.section("register_of_marks"))
    assert [(row["stay_s"], row["outside_s"], row["state"]) for row in law] == [
        (None, None, "por regularizar: sin entrada"),
        (28_800, 28_800, None),
        (None, None, "por regularizar: sin salida"),
    ]
    lacking = rows(report.section("to_settle"))
    assert [(row["code"], row["what"]) for row in lacking] == [
        ("a001", "falta la entrada"), ("a001", "falta la salida"),
    ]  # fmt: skip
    summary = {row["figure"]: (row["value"], row["n"]) for row in rows(report.section("summary"))}
    assert summary["entradas sin salida"] == (1, 2) and summary["salidas sin entrada"] == (1, 2)
    assert sum(row["to_settle"] for row in rows(report.section("marks"))) == 2


def test_only_shifts_that_have_begun_and_of_which_nothing_is_known_lack_a_mark(
    data, take, monkeypatch
):
    """A6: on Wednesday noon it said 7 of 10, with Thursday's and Friday's shifts."""
    plainly = context.read_people
    monday = DAY - timedelta(days=DAY.weekday())

    def known(*given):
        roster = {}
        for k in range(5):
            day = monday + timedelta(days=k)
            start = int(datetime(day.year, day.month, day.day, 8, tzinfo=LIMA).timestamp())
            for a in ("a001", "a002"):
                roster[a, day] = Planned(day=day, shift="M", start_s=start, end_s=start + 28_800)
        return msgspec.structs.replace(plainly(*given), roster=roster)

    monkeypatch.setattr("diadema.figures.attendance.read_people", known)
    wednesday = monday + timedelta(days=2)
    now = int(datetime(*wednesday.timetuple()[:3], 12, tzinfo=LIMA).timestamp()) * 1000
    script = Script().boot().clock(now - 3 * 3_600_000 - 2 * 86_400_000).mark("in")
    for _ in range(2):
        script.mark("out", 8 * 3_600_000).mark("in", 16 * 3_600_000)
    take(script)
    report = make(data, "asistencia", around("week", DAY), Scope(), now)
    summary = {row["figure"]: (row["value"], row["n"]) for row in rows(report.section("summary"))}
    assert summary["sin marca con turno"] == (3, 6)
    tomorrow = make(data, "asistencia", around("day", wednesday + timedelta(1)), Scope(), now)
    summary = {
        row["figure"]: (row["value"], row["n"]) for row in rows(tomorrow.section("summary"))
    }
    assert summary["sin marca con turno"] == (0, 0)
