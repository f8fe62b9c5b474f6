"""Consult, transfer and conference, by keys and by the host alike."""

from tests.support.deskbench import DeskBench

HANDED = ["contact.transferred", "contact.ended", "wrapup.started"]


def consulting():
    bench = DeskBench().talking()
    bench.command("consult", contact="c1", area="reclamos")
    return bench


def labels(bench):
    return [bench.station.action("key" + str(key)) for key in range(1, 7)]


def test_a_blind_transfer_asks_once():
    bench = DeskBench().talking()
    assert bench.do("key6") == [] and bench.do("key3") == []
    assert bench.station.menu.lines() == ["Tarjetas", "Reclamos"]
    assert bench.do("key3") == []
    assert bench.station.menu.asks and bench.station.menu.lines() == ["Tarjetas"]
    assert bench.do("key3") == HANDED
    transferred = bench.last("contact.transferred")
    assert (transferred["kind"], transferred["target"]) == ("blind", "tarjetas")
    assert (transferred["via"], transferred["completed"]) == ("key", True)
    assert bench.last("contact.ended")["by"] == "transfer"
    assert bench.desk.work == "wrapup"


def test_anything_but_yes_goes_back_to_the_areas():
    for key in ("key1", "key4", "key5", "key6"):
        bench = DeskBench().talking()
        bench.do("key6")
        bench.do("key3")
        bench.do("key3")
        assert bench.do(key) == []
        assert bench.station.menu.lines() == ["Tarjetas", "Reclamos"]
        assert bench.do("key4") == ["contact.consulted"]


def test_the_question_gives_way_to_what_comes():
    bench = DeskBench().talking()
    bench.do("key6")
    bench.do("key3")
    bench.do("key3")
    bench.command("text", m="m1", text="Venga")
    assert bench.station.reading
    bench.do("key6")
    assert bench.station.menu.asks and bench.station.menu.lines() == ["Tarjetas"]
    bench.do("tick", after_ms=8000)
    assert bench.station.menu is None and bench.desk.work == "talking"
    bench.do("key6")
    bench.do("key3")
    bench.do("key3")
    bench.command("hangup", contact="c1", by="caller")
    assert bench.desk.work == "wrapup" and bench.station.menu.kind == "tree"


def test_an_area_that_is_consulted_first():
    bench = DeskBench().talking()
    bench.do("key6")
    bench.do("key3")
    assert bench.do("key4") == ["contact.consulted"]
    consulted = bench.last("contact.consulted")
    assert (consulted["area"], consulted["heard"], consulted["via"]) == ("reclamos", "area", "key")
    assert bench.desk.work == "consulting"
    since = bench.desk.since
    assert labels(bench) == [
        "transfer.drop", "mute", "transfer.join", "transfer.swap", "transfer.confer",
        "transfer.back",
    ]  # fmt: skip
    assert bench.do("key4") == ["contact.consulted"]
    assert bench.last("contact.consulted")["heard"] == "caller"
    assert (bench.desk.heard, bench.desk.since) == ("caller", since)
    assert bench.do("key2") == ["contact.muted"]
    assert bench.do("key3") == HANDED
    assert bench.last("contact.transferred")["kind"] == "consulted"
    assert bench.last("contact.transferred")["target"] == "reclamos"
    assert bench.last("contact.ended")["on_hold"] is False


def test_back_to_the_caller():
    bench = consulting()
    talk_since = bench.desk.talk_since
    assert bench.do("key6") == ["contact.consult_ended"]
    assert bench.last("contact.consult_ended")["result"] == "back"
    assert (bench.desk.work, bench.desk.since) == ("talking", talk_since)


def test_key_one_drops_only_the_consult():
    bench = consulting()
    assert bench.do("key1") == ["contact.consult_ended"]
    assert bench.last("contact.consult_ended")["result"] == "dropped"
    assert bench.desk.work == "held"  # the caller waits
    assert bench.do("key4") == ["contact.resumed"]
    bench.command("consult", contact="c1", area="reclamos")
    bench.do("key4")
    bench.do("key1")
    assert bench.desk.work == "talking"  # it was the caller whom she heard


def test_a_conference_keeps_her_in_the_call():
    bench = consulting()
    assert bench.do("key5") == ["contact.transferred"]
    assert bench.last("contact.transferred")["kind"] == "conference"
    assert (bench.desk.work, bench.desk.heard) == ("talking", "both")
    assert bench.do("key4") == ["contact.held"]
    bench.do("key4")
    assert bench.do("key1") == ["contact.ended", "wrapup.started"]
    assert bench.last("contact.ended")["by"] == "transfer"  # the others go on


def test_the_host_drives_the_same():
    bench = DeskBench().talking()
    assert bench.command("consult", contact="c1", area="reclamos") == ["contact.consulted"]
    consulted = bench.last("contact.consulted")
    assert (consulted["via"], consulted["i"], consulted["heard"]) == ("host", bench.number, "area")
    assert bench.command("consult_end", contact="c1", result="failed") == ["contact.consult_ended"]
    ended = bench.last("contact.consult_ended")
    assert (ended["result"], ended["i"], ended["via"]) == ("failed", bench.number, "host")
    assert bench.desk.work == "held"

    def transfer(**fields):
        return bench.command("transfer", contact="c1", target="tarjetas", **fields)

    assert transfer(kind="blind", completed=0) == ["contact.transferred"]
    assert bench.last("contact.transferred")["completed"] is False
    assert bench.desk.work == "held"
    bench.command("consult", contact="c1", area="reclamos")
    assert transfer(kind="conference") == ["contact.transferred"]
    assert bench.desk.work == "talking"
    bench.command("consult", contact="c1", area="reclamos")
    assert transfer(kind="blind") == ["contact.consult_ended"] + HANDED  # noqa: RUF005
    assert bench.last("contact.transferred")["i"] == bench.number
    assert "i" not in bench.last("contact.ended")


def test_a_caller_who_hangs_up_in_a_consult():
    bench = consulting()
    assert bench.command("hangup", contact="c1", by="caller") == [
        "contact.consult_ended", "contact.ended", "wrapup.started"
    ]  # fmt: skip
    ended = bench.last("contact.ended")
    assert (ended["on_hold"], ended["i"], ended["by"]) == (True, bench.number, "caller")
    consult = bench.last("contact.consult_ended")
    assert (consult["via"], "i" in consult) == ("host", False)


def test_power_comes_back_in_a_consult():
    bench = consulting()
    assert bench.reboot() == ["contact.consult_ended", "contact.ended", "wrapup.started"]
    assert bench.last("contact.ended")["by"] == "interrupted"
    bench = consulting()  # cut between the hand-over and the end
    bench.u += 2000
    bench.take(bench.station.handle("key3", bench.u)[:1])
    assert bench.reboot() == ["contact.ended", "wrapup.started"]
    assert bench.last("contact.ended")["by"] == "transfer"
