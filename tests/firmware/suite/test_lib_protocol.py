"""In a call: the protocol's steps, the motive and its playbook, the recording."""

from tests.support.deskbench import DeskBench
from tests.support.scenes import CONFIG

STEPS = [["greeting", 1], ["identity", 0], ["need", 0], ["closing", 1]]


def talking(steps=STEPS, **more):
    config = dict(CONFIG)
    config["campaigns"] = [["todo", "Todo", steps, None, 0]]
    config.update(more)
    bench = DeskBench(config).ready()
    bench.ring()
    return bench


def step(bench):
    event = bench.last("contact.step")
    return event["step"], event["result"], event["how"]


def test_the_greeting_may_be_automatic():
    bench = talking()
    assert bench.do("key1") == ["contact.answered", "contact.step"]
    assert step(bench) == ("greeting", "done", "automatic")
    assert bench.station.progress() == (2, 4, "identity")


def test_a_press_ticks_the_next_step():
    bench = talking()
    bench.do("key1")
    assert bench.station.action("key3") == "step"
    assert bench.do("key3") == ["contact.step"]
    assert step(bench) == ("identity", "done", "key")
    bench.do("key3")
    assert step(bench) == ("need", "done", "key")
    assert bench.station.progress() is None
    assert bench.station.action("key3") == "typify"
    assert bench.do("key1") == ["contact.step", "contact.ended", "wrapup.started"]
    assert step(bench) == ("closing", "done", "automatic")


def test_no_closing_where_the_call_only_broke_off():
    bench = talking()
    bench.do("key1")
    assert bench.command("hangup", contact="c1", by="system") == [
        "contact.ended",
        "wrapup.started",
    ]


def test_a_step_is_left_out():
    bench = talking()
    bench.do("key1")
    bench.do("key6")
    bench.pick("skip_step")
    assert step(bench) == ("identity", "skipped", "key")
    assert bench.station.progress() == (3, 4, "need")


def test_how_an_identity_was_verified():
    bench = talking(methods=[["dni", "DNI"], ["clave", "Clave"]])
    bench.do("key1")
    bench.do("key3")
    assert bench.station.menu.lines() == ["DNI", "Clave"]
    assert bench.do("key4") == ["contact.step"]
    event = bench.last("contact.step")
    assert (event["step"], event["method"]) == ("identity", "clave")
    assert bench.station.progress() == (3, 4, "need")
    bench = talking(methods=[["dni", "DNI"]])
    bench.do("key1")
    bench.do("key3")
    assert bench.do("tick", after_ms=8000) == []  # may be left out
    assert bench.station.menu is None
    assert step(bench) == ("identity", "done", "key")


def test_the_campaign_says_which_steps():
    bench = talking()
    bench.station.config.campaigns.append(["corta", "Corta", [["need", 0]], None, 0])
    bench.command("withdraw", contact="c1", cause="withdrawn")
    bench.ring("c2", campaign="corta")
    assert bench.last("contact.offered")["campaign"] == "corta"
    assert bench.do("key1") == ["contact.answered"]
    assert bench.station.progress() == (1, 1, "need")
    bench = DeskBench().talking()
    assert bench.station.progress() is None
    assert bench.station.action("key3") == "typify"


def test_a_motive_names_its_playbook():
    bench = talking(playbooks=[["1", "R-12", 3]])
    bench.do("key1")
    bench.do("key6")
    bench.pick("motive")
    assert bench.station.menu.lines() == ["Consulta", "Reclamo"]
    assert bench.do("key3") == ["contact.motive", "contact.playbook"]
    motive, guide = bench.last("contact.motive"), bench.last("contact.playbook")
    assert (motive["motive"], motive["version"]) == ("1", 1)
    assert (guide["playbook"], guide["version"]) == ("R-12", 3)
    bench.do("key6")
    bench.pick("motive")
    assert bench.do("key4") == ["contact.motive"]  # it has none
    assert bench.desk.motive == "2"
    bench.do("key1")
    assert bench.station.menu.lines() == ["Cobro"]  # the wrap-up opens below it
    bench.do("key1")
    assert bench.station.menu.lines() == ["Consulta", "Reclamo"]


def test_the_recording_is_paused_by_key_and_host():
    bench = talking()
    bench.do("key1")
    bench.do("key6")
    assert bench.pick("pause_recording") == ["contact.recording_paused"]
    assert bench.desk.unrecorded
    assert bench.last("contact.recording_paused")["via"] == "key"
    assert bench.command("recording", contact="c1", state="resumed") == [
        "contact.recording_resumed"
    ]
    resumed = bench.last("contact.recording_resumed")
    assert (resumed["via"], resumed["i"]) == ("host", bench.number)
    assert not bench.desk.unrecorded
    bench.do("key4")
    bench.do("key6")
    bench.pick("pause_recording")
    bench.do("key4")
    bench.do("key1")
    bench.do("tick", after_ms=60_000)
    bench.ring("c2")
    assert not bench.desk.unrecorded


def test_a_menu_of_the_call_does_not_stay_over_it():
    bench = DeskBench().talking()
    bench.do("key6")
    bench.command("hangup", contact="c1", by="caller")
    assert bench.station.menu.kind == "tree"
