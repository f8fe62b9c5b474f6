"""The line of detail: what matters more is not hidden by what matters less."""

import json

from lib.desk import STORED, Desk
from lib.screens import Screen
from lib.start import restore
from lib.words_es import WORDS

from tests.support.deskbench import NORMA, ROSA, DeskBench
from tests.support.scenes import CONFIG

STEPS = [["greeting", 1], ["identity", 0], ["need", 0], ["closing", 1]]
SITE = dict(
    CONFIG,
    campaigns=[["ventas", "Ventas", STEPS, None, 0]],
    reasons=[["sshh", "SS. HH.", 1], ["break", "Break", 2, 600]],
)


def detail(bench, later_ms=3_000):
    """What it says when notices are over."""
    if later_ms:
        bench.do("tick", after_ms=later_ms)
    screen = Screen()
    screen.use(WORDS)
    return screen._detail(bench.station, bench.station.situation, bench.u)


def broken(bench):
    bench.take([{"k": "station.fault", "part": "wifi", "code": "wrong_password"}])
    return bench


def sent_to(reason, **more):
    bench = DeskBench(SITE).ready()
    bench.command("presence", to="not_ready", reason=reason, **more)
    return bench


def test_who_sent_her_away_comes_before_faults_and_help():
    bench = broken(sent_to("sshh", who="Nelly T."))
    assert detail(bench) == "Lo puso Nelly T."
    bench.do("key5")
    bench.do("key1")
    assert detail(bench) == "Lo puso Nelly T."
    bench.do("key6")  # «Visto»
    assert detail(bench)[:5] == "Ayuda"


def test_who_it_was_is_told_with_any_reason():
    assert detail(sent_to("supervisor", who="Nelly T.")) == "Lo puso Nelly T."
    assert detail(sent_to("supervisor")) == "Lo puso supervisión"
    assert detail(sent_to("auxiliar", who="Nelly T.")) == "Lo puso Nelly T."
    assert detail(sent_to("break")) == "Lo puso supervisión"


def test_why_her_session_ended_comes_before_faults():
    bench = broken(DeskBench(SITE).ready())
    bench.command("session", agent="a001", verdict="close", reason="at_other_seat")
    assert detail(bench) == "Ya está en otro puesto"


def test_her_limit_comes_before_faults():
    bench = broken(DeskBench(SITE).ready())
    bench.do("key3")
    bench.pick("Break")
    bench.do("tick", after_ms=540_000)
    assert detail(bench) == "Quedan 0:57"
    assert detail(bench, 60_000) == "Excedido 0:03"


def test_a_muted_microphone_comes_before_help():
    bench = DeskBench(SITE).talking()
    bench.do("key2")
    bench.do("key5")
    assert detail(bench, 8_000) == "Micrófono en silencio"
    bench.do("key2")
    assert detail(bench) == "Paso 2/4 Identidad\nAyuda 0:13"


def test_help_that_waits_or_comes_leaves_the_step_in_sight():
    bench = DeskBench(SITE).talking()
    bench.do("key5")
    bench.do("key1")
    assert detail(bench) == "Paso 2/4 Identidad\nAyuda 0:05"
    bench.command("help", of=bench.desk.help, state="accepted", by="Ana P.")
    assert detail(bench) == "Paso 2/4 Identidad\nAyuda: va Ana P."
    bench.do("key1")
    bench.do("tick", after_ms=60_000)
    bench.ring("c2")
    bench.do("key1")
    assert detail(bench) == "Paso 2/4 Identidad\nAyuda: va Ana P."


def test_how_many_are_before_her_and_who_will_come():
    bench = DeskBench(SITE).talking()
    bench.do("key5")
    bench.do("key1")
    n = bench.desk.help
    for turn, said in (
        ((n, 2, None), "2 antes que usted"), ((n, 0, None), "Sigue usted"),
        ((n, 1, "Ana P."), "Lo verá Ana P."), ((n + 1, 2, None), "Ayuda 0:05"),
    ):  # fmt: skip
        bench.station.turn = turn
        assert detail(bench, 0 if turn[0] == n else 3_000) == "Paso 2/4 Identidad\n" + said
    bench.station.turn = (n, 2, None)
    bench.command("help", of=n, state="accepted", by="Ana P.")
    assert detail(bench) == "Paso 2/4 Identidad\nAyuda: va Ana P."
    bench.station.turn = (n, 0, "Luis Q.")  # handed over
    assert detail(bench) == "Paso 2/4 Identidad\nLo verá Luis Q."


def test_how_many_are_before_her_goes_with_how_long_she_waits():
    bench = DeskBench(SITE).ready()
    bench.do("key5")
    bench.do("key1")
    bench.station.turn = (bench.desk.help, 2, None)
    assert detail(bench) == "Ayuda 0:05\n2 antes que usted"
    bench.do("key5")
    bench.do("key3")
    bench.do("key5")
    bench.do("key1")
    assert detail(bench) == "Ayuda 0:05", "of the request before"


def test_how_many_calls_she_took_here_today_is_seen_while_she_waits():
    bench = DeskBench(CONFIG)
    bench.utc_at_0 = 1_770_037_200_000
    bench.ready()
    assert detail(bench) == "Atenciones hoy aquí: 0"

    def call(name):
        bench.ring(name)
        bench.do("key1")
        bench.do("key1")
        bench.do("tick", after_ms=60_000)
        assert bench.desk.work == "idle"

    for name in ("c1", "c2"):
        call(name)
    bench.ring("c3")
    bench.command("withdraw", contact="c3", cause="caller_gave_up")
    assert detail(bench) == "Pendientes: 2\nAtenciones hoy aquí: 2"
    bench.do("badge", NORMA)  # relieves her
    bench.do("key3")
    call("c4")
    assert bench.desk.today["a002"][1] == 1
    bench.do("badge", ROSA)
    bench.do("key3")
    assert detail(bench) == "Atenciones hoy aquí: 2"
    bench.reboot()
    assert detail(bench) == "Atenciones hoy aquí: 2"
    for hours, count in ((10, 3), (16, 0)):
        bench.do("badge", ROSA)
        bench.do("key4")
        bench.u += hours * 3_600_000
        bench.do("badge", ROSA)
        bench.do("key3")
        if hours == 10:
            call("d10")
        assert detail(bench).split("\n")[-1] == "Atenciones hoy aquí: " + str(count)
    for name in "bcd":
        bench.desk.agent = name
        bench.desk._session_opened({"a": name, "t": None, "method": "badge"})
        bench.ring("e" + name)
        bench.do("key1")
        assert len(bench.desk.today) <= 4


def test_the_time_of_ready_begins_with_the_end_of_the_call():
    bench = DeskBench(SITE).talking()
    bench.do("key1")
    bench.do("tick", after_ms=60_000)
    assert (bench.desk.work, bench.desk.since) == ("idle", bench.u)
    bench.ring("c2")
    bench.command("withdraw", contact="c2", cause="caller_gave_up")
    assert bench.desk.since == bench.u


def test_the_count_of_an_older_firmware_begins_anew():
    bench = DeskBench().ready()
    stored = json.loads(bench.desk.snapshot())
    assert STORED[-2:] == ["today", "served"]
    desk = Desk()
    restore(desk, json.dumps(stored[:-2]))
    assert (desk.agent, desk.presence, desk.today) == ("a001", "ready", {})
    bench.desk.today = {}
    bench.ring()
    bench.do("key1")
    assert bench.desk.today["a001"][1] == 1


def test_the_open_fault_of_an_older_firmware_is_still_known():
    bench = DeskBench().ready()
    stored = json.loads(bench.desk.snapshot())
    for told, reports in ((7, [[7, 0]]), (0, [])):
        stored[STORED.index("reports")] = told
        desk = Desk()
        restore(desk, json.dumps(stored[:-1]))
        assert (desk.reports, desk.ticket) == (reports, told)


def test_what_the_supervisor_wants_after_the_call_is_told_at_once():
    bench = DeskBench(SITE).talking()
    bench.command("presence", to="not_ready", reason="break", who="Nelly T.")
    assert detail(bench, 0) == "Luego: Break"


def test_that_her_session_will_end_with_the_call_is_told_at_once():
    bench = DeskBench(SITE).talking()
    bench.command("session", agent="a001", verdict="close", reason="at_other_seat")
    assert detail(bench, 0) == "Ya está en otro puesto"
    bench.command("session", agent="a001", verdict="close", reason="otra_cosa")
    assert detail(bench, 0) == "Sesión cerrada: otra_cosa"


def test_what_became_of_a_ring_is_told():
    for cause, said in (
        ("caller_gave_up", "El usuario colgó"), ("withdrawn", "Llamada retirada"),
        ("rejected", "Llamada retirada"), ("technical", "No cuenta: falla técnica"),
    ):  # fmt: skip
        bench = DeskBench(SITE).ready()
        bench.ring()
        bench.command("withdraw", contact="c1", cause=cause)
        assert detail(bench, 0) == said


def test_who_could_not_answer_is_not_blamed_whoever_says_so():
    bench = DeskBench(SITE).ready()
    bench.take([{"k": "headset.unplugged"}])
    for contact in ("c1", "c2"):
        bench.ring(contact)
        if contact == "c1":
            assert bench.command("withdraw", contact="c1", cause="no_answer") == ["contact.missed"]
        else:
            bench.do("tick", after_ms=20_000)
        assert bench.last("contact.missed")["cause"] == "technical"
        assert bench.desk.presence == "ready"
        assert detail(bench, 0) == "No cuenta: falla técnica"


def test_a_headset_that_was_pulled_in_a_call_is_told_before_anything_of_the_call():
    bench = broken(DeskBench(SITE).ready())
    bench.ring()
    bench.do("key1")
    said = detail(bench)
    bench.do("key2")
    assert detail(bench) == "Micrófono en silencio"
    bench.take([{"k": "headset.unplugged"}])
    assert detail(bench) == "Conecte su diadema"
    bench.take([{"k": "headset.plugged"}])
    bench.do("key2")
    assert detail(bench) == said
    bench.take([{"k": "headset.unplugged"}])
    bench.do("key1", after_ms=2_000)
    assert bench.desk.work == "wrapup" and detail(bench) != "Conecte su diadema"


def test_help_goes_with_who_asked():
    bench = DeskBench(SITE).ready()
    bench.do("key5")
    bench.do("key1")
    bench.do("badge", ROSA)
    assert bench.do("key4")[:2] == ["help.cancelled", "session.closed"]
    assert bench.last("help.cancelled")["a"] == "a001"
    assert detail(bench) == "Pase su fotocheck"
