"""What a live row tells beside the state: today's sums, missed calls, a desk that is not fit."""

import json
from collections import Counter

from diadema import metrics
from diadema.ingest.core import Ingest
from msgspec.structs import replace

from tests.host.test_projection import shown, started, take
from tests.support.scripted_station import T0, Script


def missed(script, c, cause="no_answer"):
    return script.offer(c).contact("missed", c, 20_000, cause=cause, ring_ms=20_000)


def test_the_sums_behind_a_tmo_are_on_the_row(ingest, reader):
    row = shown(take(ingest, started().call("c1", talk=61_000).call("c2", talk=20_000)))
    assert (row["handle_s"], row["handled"]) == (101, 2)
    assert row["tmo"] == metrics.mean(row["handle_s"], row["handled"])
    assert row["handle_s"] == sum(map(metrics.handle_s, reader.contacts()))


def test_missed_calls_count_and_those_of_her_own_in_a_row_since_the_last_answer(ingest):
    script = missed(missed(started(), "c1"), "c2", "caller_gave_up")
    row = shown(take(ingest, missed(script, "c3", "rejected")))
    assert (row["missed"], row["in_a_row"]) == (2, 2)
    assert T0 < row["in_a_row_utc"] < T0 + 20_000
    known = script.n
    row = shown(take(ingest, script.call("c4"), first=known + 1))
    assert (row["missed"], row["in_a_row"]) == (2, 0)
    assert row["in_a_row_utc"] is None
    known = script.n
    row = shown(take(ingest, missed(script, "c5"), first=known + 1))
    assert (row["missed"], row["in_a_row"]) == (3, 1)


def test_a_restart_and_another_day_count_the_same(ingest, writer, site, clock):
    script = missed(missed(started(), "c1").call("c2"), "c3")
    take(ingest, script)
    again = Ingest(writer, site, clock)
    assert again.save((), {"a001"}) == {}
    row = json.loads(again.floor.rows["a001"])
    assert (row["missed"], row["in_a_row"], row["handled"]) == (2, 1, 1)
    clock.now += 24 * 3600 * 1000
    row = json.loads(again.turn_day()["a001"])
    assert Counter(row[key] for key in ("missed", "in_a_row", "handled", "handle_s")) == {0: 4}


def test_a_running_call_says_since_when_it_is_answered(ingest):
    script = started().offer("c1").contact("answered", "c1", 3000, via="key", ring_ms=3000)
    row = shown(take(ingest, script.contact("held", "c1", 5000, via="key")))
    assert row["state"] == "held"
    assert row["since"] - row["answered_utc"] == 5000


def test_an_unfit_desk_is_on_the_row_until_it_is_fit_again(ingest):
    checks = {"headset": "failed"}
    script = started().add("station.selftest", checks=checks, fit=False, reason="headset")
    row = shown(take(ingest, script))
    assert (row["unfit"], row["unfit_utc"]) == ("headset", script.u + script.offset)
    known = script.n
    script.add("station.selftest", checks={"headset": "ok"}, fit=True)
    assert shown(take(ingest, script, first=known + 1))["unfit"] is None
    known = script.n
    script.add("station.fault", part="badge_reader", code="no_answer")
    row = shown(take(ingest, script.add("station.fault", part="wifi", code="x"), first=known + 1))
    assert (row["unfit"], row["unfit_utc"]) == ("badge_reader", script.u - 1000 + script.offset)
    known = script.n
    script.add("station.fault_cleared", part="badge_reader", code="ok")
    script.add("station.fault_cleared", part="wifi", code="ok")
    assert shown(take(ingest, script, first=known + 1))["unfit"] is None


def test_without_a_telephone_a_desk_is_unfit_and_without_a_switch_it_works_on(ingest):
    """Else each desk of the floor would call for somebody when the exchange is away."""
    script = started().add("station.fault", part="switch", code="no_switch")
    row = shown(take(ingest, script))
    assert (row["unfit"], row["unfit_utc"], row["warn"]) == (None, None, "no_switch")
    known = script.n
    script.add("station.fault", part="telephone", code="no_phone")
    row = shown(take(ingest, script, first=known + 1))
    assert (row["unfit"], row["warn"]) == ("telephone", "no_phone")
    known = script.n
    script.add("station.fault_cleared", part="telephone", code="ok")
    script.add("station.fault_cleared", part="switch", code="ok")
    assert shown(take(ingest, script, first=known + 1))["warn"] is None


def test_who_sits_at_no_desk_has_no_unfit_one(ingest):
    script = Script().boot().clock(T0).add("station.fault", part="wifi", code="x").login()
    take(ingest, script)
    assert json.loads(ingest.floor.rows["a001"])["unfit"] == "wifi"
    known = script.n
    assert shown(take(ingest, script.logout(), first=known + 1))["unfit"] is None


def test_a_reason_that_the_site_no_longer_has_is_private(writer, site, clock):
    """What it was nobody can tell any more, and it may have been one that nobody should."""
    left = [one for one in site.reasons if not one.private]
    ingest = Ingest(writer, replace(site, reasons=left), clock)
    script = started().presence("ready", "not_ready", "sshh")
    row = shown(take(ingest, script))
    assert (row["reason_label"], row["private"]) == (None, True)
    known = script.n
    script.presence("not_ready", "not_ready", "login", by="system")
    assert shown(take(ingest, script, first=known + 1))["private"] is False
