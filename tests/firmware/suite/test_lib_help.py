"""Ayuda and Falla: sent at the first press, what they are about afterwards."""

from tests.support.deskbench import NORMA, ROSA, DeskBench, name_of
from tests.support.scenes import CONFIG

ASKED = dict(
    CONFIG,
    help=[["producto", "Producto"], ["sistema", "Sistema"]],
    faults=[
        ["pc", "Computadora", [["mouse", "Mouse"], ["pantalla", "Pantalla"]]],
        ["red", "Red", []],
    ],
)


def test_help_is_sent_before_its_topic_and_may_be_without():
    bench = DeskBench(ASKED).talking()
    assert bench.do("key5") == ["help.requested"]
    asked = bench.last("help.requested")
    assert (asked["a"], asked["c"]) == ("a001", "c1")
    assert bench.station.menu.lines() == ["Producto", "Sistema"]
    assert bench.do("key4") == ["help.topic"]
    topic = bench.last("help.topic")
    assert (topic["of"], topic["topic"]) == (name_of(asked["n"]), "sistema")
    assert bench.station.menu is None


def test_a_list_of_topics_closes_by_itself_in_a_call():
    bench = DeskBench(ASKED).talking()
    bench.do("key5")
    assert bench.do("tick", after_ms=8000) == []
    assert bench.station.menu is None
    assert bench.desk.help


def test_help_again_offers_to_cancel():
    bench = DeskBench(ASKED).ready()
    bench.do("key5")
    asked = bench.last("help.requested")
    assert "c" not in asked
    bench.do("key1")
    assert bench.do("key5") == []
    assert bench.do("key3") == ["help.cancelled"]
    assert bench.last("help.cancelled")["of"] == name_of(asked["n"])
    assert not bench.desk.help


def test_who_comes_is_told():
    bench = DeskBench(ASKED).ready()
    bench.do("key5")
    n = bench.last("help.requested")["n"]
    assert bench.command("help", of=n + 1, state="accepted", by="Ana P.") == ["command.refused"]
    assert bench.events[-1]["reason"] == "no_such_request"
    assert bench.command("help", of=n, state="accepted", by="Ana P.") == ["help.accepted"]
    accepted = bench.last("help.accepted")
    assert (accepted["of"], accepted["by"], accepted["i"]) == (name_of(n), "Ana P.", 2)
    assert bench.desk.help_by == "Ana P."
    assert bench.station.notice == ("help_accepted", "Ana P.")
    bench.reboot()
    assert (bench.desk.help, bench.desk.help_by) == (n, "Ana P.")
    assert bench.command("help", of=n, state="resolved", by="Ana P.") == ["help.resolved"]
    assert not bench.desk.help


def test_a_fault_can_be_reported_by_anybody():
    bench = DeskBench(ASKED)
    assert bench.do("long5") == ["fault.reported"]
    first = bench.last("fault.reported")
    assert "a" not in first and "area" not in first
    bench.do("key3")
    assert bench.station.menu.lines() == ["Mouse", "Pantalla"]
    assert bench.do("key4") == ["fault.reported"]
    second = bench.last("fault.reported")
    assert (second["of"], second["area"], second["part"]) == (
        name_of(first["n"]),
        "pc",
        "pantalla",
    )
    assert bench.desk.ticket == first["n"]
    bench.command("fault", of=first["n"], state="accepted", by="Mesa")
    assert bench.last("fault.accepted")["by"] == "Mesa"
    assert bench.command("fault", of=first["n"], state="resolved", by="Mesa", cause="cable") == [
        "fault.resolved"
    ]
    assert bench.desk.ticket == 0


def test_an_area_without_parts_is_enough():
    bench = DeskBench(ASKED).talking()
    assert bench.do("long5")[0] == "fault.reported"
    assert bench.last("fault.reported")["c"] == "c1"
    assert bench.do("key4") == ["fault.reported"]
    assert bench.last("fault.reported")["area"] == "red"


def test_without_topics_the_request_is_all():
    bench = DeskBench(dict(CONFIG, help=[], faults=[])).ready()
    assert bench.do("key5") == ["help.requested"]
    assert bench.station.menu is None
    assert bench.do("long5")[0] == "fault.reported"
    assert bench.station.menu is None


def test_none_is_answered_that_nobody_asked_for():
    bench = DeskBench(ASKED).ready()
    for name in ("help", "fault"):
        assert bench.command(name, of=0, state="accepted", by="Ana P.") == ["command.refused"]


def calm(bench):
    """Nothing comes for as long as a question waits for."""
    bench.do("tick", after_ms=3_000)
    return bench.do("tick", after_ms=2_000)


def shown(bench):
    menu = bench.station.menu
    return menu and (menu.kind, menu.lines())


RATE = ("rate", ["yes", "no"])
CONFIRM = ("confirm", ["yes", "no"])


def helped(bench):
    """Asked and helped; n of the request."""
    bench.do("key5")
    bench.do("key1")
    n = bench.desk.help
    bench.command("help", of=n, state="accepted", by="Ana P.")
    bench.command("help", of=n, state="resolved", by="Ana P.")
    return n


def mended(bench, *keys):
    """Reported and resolved; n of the report."""
    bench.do("long5")
    for key in keys or ("key1",):
        bench.do(key)
    n = bench.desk.ticket
    bench.command("fault", of=n, state="resolved", by="Mesa")
    return n


def test_whether_the_help_served_is_asked_once():
    bench = DeskBench(ASKED).ready()
    n = helped(bench)
    assert shown(bench) is None, "what the host told is read first"
    assert calm(bench) == [] and shown(bench) == RATE
    assert bench.do("key4") == ["help.rated"]
    rated = bench.last("help.rated")
    assert (rated["a"], rated["of"], rated["answer"]) == ("a001", name_of(n), "no")
    calm(bench)
    assert shown(bench) is None and bench.station.deadline() is None


def test_it_is_not_asked_in_a_call_nor_in_its_wrap_up():
    bench = DeskBench(ASKED).talking()
    helped(bench)
    calm(bench)
    assert shown(bench) is None
    bench.do("key1")
    calm(bench)
    assert bench.station.menu.kind == "tree"
    for _ in range(3):
        bench.do("key3")
    assert bench.desk.work == "idle" and bench.station.undo
    bench.do("tick", after_ms=4_000)
    assert shown(bench) is None, "key 1 takes the code back"
    calm(bench)
    assert shown(bench) == RATE
    assert bench.do("key3") == ["help.rated"]
    assert bench.last("help.rated")["answer"] == "yes"


def test_it_is_asked_in_auxiliar_and_waits_for_whoever_uses_the_keys():
    bench = DeskBench(ASKED).ready()
    helped(bench)
    bench.do("tick", after_ms=3_000)
    bench.do("key3", after_ms=1_500)
    bench.do("tick", after_ms=3_000)
    assert bench.station.menu.kind == "reasons"
    bench.do("key3")
    assert bench.desk.presence == "not_ready"
    bench.do("tick", after_ms=1_999)
    assert shown(bench) is None
    bench.do("tick", after_ms=1)
    assert shown(bench) == RATE
    assert bench.do("key3", after_ms=399) == [], "it may be meant for what was there before"
    assert bench.do("key3", after_ms=1) == ["help.rated"]


def test_back_leaves_it_unanswered_for_good():
    bench = DeskBench(ASKED).ready()
    helped(bench)
    calm(bench)
    assert bench.do("key1") == []
    calm(bench)
    assert shown(bench) is None
    bench.ring()
    bench.do("key1")
    bench.do("key1")
    bench.do("tick", after_ms=60_000)
    calm(bench)
    assert shown(bench) is None


def rung_away(bench, question):
    """A call takes it away, and is over."""
    calm(bench)
    assert shown(bench) == question
    assert bench.ring() == ["contact.offered"]
    assert shown(bench) is None
    bench.command("withdraw", contact="c1", cause="caller_gave_up")
    calm(bench)


def test_a_ring_takes_it_away_for_good():
    bench = DeskBench(ASKED).ready()
    helped(bench)
    rung_away(bench, RATE)
    assert shown(bench) is None and bench.station.deadline() is None


def test_whether_it_works_is_asked_until_somebody_says():
    bench = DeskBench(ASKED).ready()
    mended(bench)
    bench.do("key3")
    for _ in range(3):
        rung_away(bench, CONFIRM)
    assert shown(bench) == CONFIRM
    assert bench.do("key3") == ["fault.confirmed"]
    calm(bench)
    assert shown(bench) is None and bench.station.done_questions == []


def test_a_text_lies_over_it_and_one_that_waits_goes_first():
    bench = DeskBench(ASKED).ready()
    helped(bench)
    bench.command("text", m="m1", text="Hola")
    calm(bench)
    assert shown(bench) is None
    bench.do("key6")
    calm(bench)
    assert shown(bench) == RATE
    bench.command("text", m="m2", text="Hola")
    assert bench.station.reading
    assert bench.do("key3") == []
    assert bench.do("key6") == ["message.acknowledged"]
    assert bench.do("key3") == ["help.rated"]


def test_who_was_set_not_ready_sees_by_whom_first():
    bench = DeskBench(ASKED).ready()
    helped(bench)
    bench.command("presence", to="not_ready", reason="reunion", who="Nelly T.")
    calm(bench)
    assert shown(bench) is None
    bench.do("key6")
    calm(bench)
    assert shown(bench) == RATE
    bench.command("presence", to="not_ready", reason="break", who="Nelly T.")
    assert shown(bench) is None


def test_a_list_of_what_is_over_is_over_too():
    bench = DeskBench(ASKED).ready()
    bench.do("key5")
    n = bench.desk.help
    bench.command("help", of=n, state="accepted", by="Ana P.")
    assert bench.station.menu.kind == "help"
    bench.command("help", of=n, state="resolved", by="Ana P.")
    assert shown(bench) is None
    bench.do("long5")
    bench.do("key3")
    n = bench.desk.ticket
    bench.command("fault", of=n, state="resolved", by="Mesa")
    assert shown(bench) is None
    bench.do("long5")
    bench.do("key1")
    n = bench.desk.ticket
    bench.do("long5")
    bench.command("fault", of=n, state="resolved", by="Mesa")
    assert bench.station.menu.kind == "faults", "of another one"


def test_what_nobody_answered_goes_with_the_session():
    bench = DeskBench(ASKED).ready()
    helped(bench)
    calm(bench)
    bench.do("badge", ROSA)
    bench.do("key4")
    assert not bench.desk.open and bench.desk.served == []
    bench.ready()
    calm(bench)
    assert shown(bench) is None


def test_both_are_asked_again_after_a_cut_of_power():
    bench = DeskBench(ASKED).ready()
    of_help = helped(bench)
    of_fault = mended(bench, "key3", "key4")
    bench.reboot()
    calm(bench)
    assert shown(bench) == CONFIRM
    assert bench.station.menu.about == "Pantalla"
    assert bench.do("key3") == ["fault.confirmed"]
    assert bench.last("fault.confirmed")["of"] == name_of(of_fault)
    calm(bench)
    assert shown(bench) == RATE
    assert bench.do("key3") == ["help.rated"]
    assert bench.last("help.rated")["of"] == name_of(of_help)


def test_what_does_not_work_yet_is_reported_anew():
    bench = DeskBench(ASKED).ready()
    n = mended(bench, "key3", "key4")
    assert bench.desk.presence == "not_ready"
    bench.do("key3")
    calm(bench)
    assert shown(bench) == CONFIRM
    assert bench.do("key4") == ["fault.confirmed", "fault.reported", "presence.changed"]
    confirmed, again, changed = bench.events[-3:]
    assert (confirmed["of"], confirmed["answer"]) == (name_of(n), "no")
    assert (again["area"], again["part"]) == ("pc", "pantalla") and "of" not in again
    assert (changed["to"], changed["reason"], changed["by"]) == ("not_ready", "fault", "system")
    assert bench.desk.ticket == again["n"]
    bench.command("fault", of=again["n"], state="resolved", by="Mesa")
    calm(bench)
    assert bench.do("key3") == ["fault.confirmed"]
    assert bench.desk.reports == []


def test_a_report_of_nothing_in_particular_is_made_again_so():
    bench = DeskBench(dict(CONFIG, help=[], faults=[])).ready()
    bench.do("long5")
    bench.command("fault", of=bench.desk.ticket, state="resolved", by="Mesa")
    calm(bench)
    assert bench.station.menu.title is None
    assert bench.do("key4") == ["fault.confirmed", "fault.reported"]
    assert not {"area", "part", "of"} & set(bench.last("fault.reported"))


def test_whether_it_works_is_nobodys_to_say_after_the_next_login():
    bench = DeskBench(ASKED).ready()
    mended(bench)
    bench.do("badge", NORMA)
    calm(bench)
    assert shown(bench) is None and bench.desk.reports == []
    bench = DeskBench(ASKED)
    mended(bench)  # nobody is there to say it
    bench.ready()
    calm(bench)
    assert shown(bench) is None and bench.desk.reports == []


def test_each_of_several_faults_is_answered_and_resolved_by_itself():
    bench = DeskBench(ASKED).ready()
    numbers = []
    for keys in (("key3", "key3"), ("key4",)):
        bench.do("long5")
        numbers.append(bench.desk.ticket)
        for key in keys:
            bench.do(key)
    first, second = numbers
    assert bench.command("fault", of=first, state="accepted", by="Mesa") == ["fault.accepted"]
    assert bench.command("fault", of=first, state="resolved", by="Mesa") == ["fault.resolved"]
    assert bench.desk.ticket == second
    assert bench.command("fault", of=first, state="resolved", by="Mesa") == ["command.refused"]
    assert bench.command("fault", of=second, state="rejected", by="Mesa") == ["fault.rejected"]
    assert bench.desk.ticket == 0
    calm(bench)
    assert bench.do("key4")[:2] == ["fault.confirmed", "fault.reported"]
    assert bench.last("fault.reported")["part"] == "mouse"


def test_no_more_faults_are_known_than_a_snapshot_takes():
    bench = DeskBench(ASKED).ready()
    for _ in range(20):
        bench.do("long5")
        bench.do("key4")
    assert len(bench.desk.reports) == 6 and len(bench.desk.snapshot()) <= 512
    newest = bench.desk.ticket
    bench.reboot()
    assert bench.desk.ticket == newest


def test_with_only_the_reserve_left_nothing_is_asked():
    bench = DeskBench(ASKED).ready()
    helped(bench)
    bench.station.full = True
    calm(bench)
    assert shown(bench) is None
    bench.station.full = False
    bench.do("key2")
    calm(bench)
    assert shown(bench) == RATE
