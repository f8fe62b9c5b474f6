"""Who hears a call: the host's command, the event that answers it, and the sign on the screen."""

from lib.desk import STORED, Desk
from lib.screens import Screen
from lib.start import rebase
from lib.words_es import WORDS

from tests.support.deskbench import DeskBench
from tests.support.scenes import CONFIG

STEPS = [["greeting", 1], ["identity", 0], ["need", 0]]
SITE = dict(CONFIG, campaigns=[["ventas", "Ventas", STEPS, None, 0]])


def listened(bench, state="on", who="quality", contact="c1"):
    return bench.command("listened", contact=contact, state=state, who=who)


def screen(bench):
    """The status line's marks and the line of detail, drawn now."""
    made = Screen()
    made.use(WORDS)
    made.draw(bench.station, Clock, bench.u, bench.station.link)
    _, link, _, _, sign = made._shown["status"]
    return (link + " " + sign).strip(), made._shown.get("detail")


class Clock:
    """It knows no hour."""

    @staticmethod
    def wall(u, offset_min):
        return None

    next_minute = staticmethod(lambda u: None)


def settled(bench):
    """What the screen shows once notices are over."""
    bench.do("tick", after_ms=3_000)
    return screen(bench)


def reason(kinds, bench):
    assert kinds == ["command.refused"]
    return bench.last("command.refused")["reason"]


def test_the_sign_comes_with_the_events_own_turn_and_goes_with_off():
    bench = DeskBench(SITE).talking()
    before = settled(bench)
    assert before == ("▲", "Paso 2/3 Identidad")
    assert listened(bench) == ["contact.listened"]
    event = bench.last("contact.listened")
    assert (event["a"], event["c"], event["state"], event["who"], event["i"]) == (
        "a001", "c1", "on", "quality", bench.number,
    )  # fmt: skip
    assert screen(bench) == ("▲ Ω", "Paso 2/3 Identidad\nEscucha: calidad")
    bench.do("tick", after_ms=600_000)
    assert screen(bench) == ("▲ Ω", "Paso 2/3 Identidad\nEscucha: calidad")
    assert listened(bench, "off") == ["contact.listened"]
    event = bench.last("contact.listened")
    assert (event["state"], event["who"], event["i"]) == ("off", "quality", bench.number)
    assert screen(bench) == before


def test_whoever_is_known_by_name_is_named_and_several_are():
    bench = DeskBench().talking()
    listened(bench, who="Nelly T.")
    assert settled(bench)[1] == "Escucha: Nelly T."
    listened(bench)
    assert settled(bench)[1] == "Escucha: Nelly T. · calidad"
    listened(bench, "off", "Nelly T.")
    assert settled(bench) == ("▲ Ω", "Escucha: calidad")


def test_it_is_shown_in_each_state_of_the_call_and_beside_whatever_is_told():
    bench = DeskBench(SITE).talking()
    listened(bench)
    bench.do("key2")
    assert settled(bench)[1] == "Micrófono en silencio\nEscucha: calidad"
    bench.take([{"k": "headset.unplugged"}])
    assert settled(bench)[1] == "Conecte su diadema\nEscucha: calidad"
    bench.take([{"k": "headset.plugged"}])
    bench.do("key2")
    bench.do("key5")
    bench.do("tick", after_ms=8_000)
    assert screen(bench)[1] == "Paso 2/3 Identidad\nEscucha: calidad"
    of = bench.desk.help
    bench.command("help", of=of, state="accepted", by="Ana P.")
    assert bench.station.notice and screen(bench)[1] == "Va Ana P.\nEscucha: calidad"
    bench.do("key4")
    assert bench.desk.work == "held" and settled(bench)[1].split("\n")[1] == "Escucha: calidad"
    bench.command("consult", contact="c1", area="reclamos")
    assert settled(bench) == ("▲ Ω", "Con Reclamos\nEscucha: calidad")
    bench.station.link = "lost"
    assert screen(bench)[0] == "× Ω"


def test_a_list_or_a_text_over_it_leaves_its_mark_in_sight():
    bench = DeskBench(SITE).talking()
    listened(bench)
    bench.do("key6")
    assert bench.station.menu and screen(bench) == ("▲ Ω", None)
    bench.do("key2")
    assert bench.station.menu and screen(bench)[0] == "MUDO Ω"
    bench.do("tick", after_ms=9_000)
    bench.command("text", m="m1", text="Hola")
    assert bench.station.reading and screen(bench)[0] == "MUDO Ω"


def test_it_ends_with_the_call_whoever_ends_it():
    for how in ("key", "host", "telephone", "transfer"):
        bench = DeskBench(SITE).talking()
        listened(bench)
        if how == "key":
            bench.do("key1")
        elif how == "host":
            bench.command("hangup", contact="c1", by="caller")
        elif how == "telephone":
            bench.command("failed", contact="c1")
        else:
            bench.command("transfer", contact="c1", target="tarjetas", kind="blind")
        assert bench.desk.work != "talking" and bench.desk.listeners == []
        assert screen(bench)[0] == "▲"
        bench.do("tick", after_ms=60_000)
        if bench.desk.presence != "ready":
            bench.do("key3")
        bench.ring("c2")
        bench.do("key1")
        assert settled(bench) == ("▲", "Paso 2/3 Identidad")


def test_it_ends_with_a_start():
    bench = DeskBench(SITE).talking()
    listened(bench)
    again = Desk()
    for event in bench.events:  # as the journal is read
        again.apply(event)
    assert again.listeners == ["quality"] and again.contact == "c1"
    rebase(again)
    assert again.listeners == [] and "listeners" not in STORED


def test_the_same_word_twice_changes_nothing_and_is_answered():
    bench = DeskBench(SITE).talking()
    listened(bench)
    assert listened(bench) == ["contact.listened"]  # of a hub that began anew
    assert bench.desk.listeners == ["quality"]
    listened(bench, "off")
    assert bench.desk.listeners == []
    assert reason(listened(bench, "off"), bench) == "no_change"


def test_more_than_the_screen_can_tell_are_refused():
    bench = DeskBench().talking()
    for at in range(4):
        assert listened(bench, who="M" + str(at)) == ["contact.listened"]
    assert reason(listened(bench, who="M4"), bench) == "busy"
    assert listened(bench, who="M3") == ["contact.listened"]  # who is among them
    assert bench.desk.listeners == ["M0", "M1", "M2", "M3"]


def test_nobody_hears_a_call_that_is_not_on():
    bench = DeskBench().ready()
    assert reason(listened(bench), bench) == "no_such_contact"
    bench.ring()
    assert reason(listened(bench), bench) == "wrong_state"
    bench.do("key1")
    assert reason(listened(bench, contact="c9"), bench) == "no_such_contact"
    bench.do("key1")
    for state in ("on", "off"):
        assert reason(listened(bench, state), bench) == "wrong_state"
    bench = DeskBench().ready()
    bench.command("dial", contact="c1")
    assert reason(listened(bench), bench) == "wrong_state"


def test_what_it_must_say():
    bench = DeskBench().talking()
    for wrong in (
        {"state": "loud"}, {"state": None}, {"who": ""}, {"who": "Ñ" * 17}, {"who": None},
        {"who": "a\n"}, {"contact": None},
    ):  # fmt: skip
        fields = {"contact": "c1", "state": "on", "who": "quality"}
        fields.update(wrong)
        assert reason(bench.command("listened", **fields), bench) == "bad_command", wrong
    assert listened(bench, who="Ñ" * 16) == ["contact.listened"]


def test_where_nothing_more_can_be_kept_nobody_begins_and_who_hears_can_end():
    bench = DeskBench().talking()
    listened(bench)
    bench.station.full = True
    assert listened(bench, who="Nelly T.") == []
    assert bench.station.notice[0] == "journal_full" and bench.desk.listeners == ["quality"]
    assert listened(bench, "off", "Nelly T.") == []
    assert listened(bench, "off") == ["contact.listened"]
    assert bench.desk.listeners == []
