"""Ayuda and Falla: sent at the first press, what they are about afterwards."""

from tests.support.deskbench import DeskBench, name_of
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
