"""Outbound calls and their guard: campaign, days and hours, consent."""

from tests.support.deskbench import DeskBench
from tests.support.scenes import CONFIG

LIMA = -300
MONDAY = 1769990400000  # 2026-02-02 00:00 UTC
WORKDAYS = [480, 1200, 31]  # 08:00-20:00, Monday to Friday
SALES = ["ventas", "Ventas", [], WORKDAYS, 0]
DEBTS = ["cobranza", "Cobranzas", [], [420, 1140, 63], 1]
HELPLINE = ["ayuda", "Ayuda", [], None, 0]


def at(campaigns, minute, day=0):
    """A desk that is ready on that minute in Lima; Monday is day 0."""
    config = dict(CONFIG)
    config["campaigns"] = campaigns
    bench = DeskBench(config)
    bench.utc_at_0 = None if minute is None else MONDAY + (day * 1440 + minute - LIMA) * 60_000
    return bench.ready()


def blocked(bench):
    event = bench.last("contact.blocked")
    return event["campaign"], event["rule"], bench.station.notice[0]


def test_without_campaigns_there_is_no_guard():
    bench = DeskBench().ready()
    assert bench.do("key4") == ["contact.dialed"]
    dialed = bench.last("contact.dialed")
    assert (dialed["c"], dialed["via"], dialed["direction"]) == ("k1", "key", "out")
    assert "campaign" not in dialed


def test_the_one_outbound_campaign_is_not_asked_for():
    bench = at([HELPLINE, SALES], 480)
    assert bench.do("key4", after_ms=100) == ["contact.dialed"]
    assert bench.last("contact.dialed")["campaign"] == "ventas"


def test_one_of_several_is_chosen():
    bench = at([SALES, HELPLINE, DEBTS], 600)
    assert bench.do("key4") == []
    assert bench.station.menu.lines() == ["Ventas", "Cobranzas"]
    assert bench.do("key3") == ["contact.dialed"]


def test_hours_and_days():
    for minute, day, rule in (
        (478, 0, "hours"), (480, 0, None), (1198, 4, None), (1200, 4, "hours"), (600, 5, "day"),
        (600, 6, "day"),
    ):  # fmt: skip
        bench = at([SALES], minute, day)
        kinds = bench.do("key4", after_ms=100)
        if rule is None:
            assert kinds == ["contact.dialed"], (minute, day)
        else:
            assert kinds == ["contact.blocked"], (minute, day)
            assert blocked(bench) == ("ventas", rule, "blocked_" + rule)
            assert bench.desk.work == "idle"


def test_an_hour_that_nobody_told_is_a_forbidden_one():
    bench = at([SALES], None)
    assert bench.do("key4") == ["contact.blocked"]
    assert blocked(bench) == ("ventas", "hours", "blocked_clock")
    assert at([HELPLINE], None).do("key4") == ["contact.dialed"]


def test_consent_is_asked():
    bench = at([DEBTS], 600)
    assert bench.do("key4") == []
    assert bench.station.menu.lines() == ["yes", "no"]
    assert bench.do("key4") == ["contact.blocked"]
    assert blocked(bench) == ("cobranza", "consent", "blocked_consent")
    bench.do("key4")
    assert bench.do("key3") == ["contact.dialed"]
    assert bench.last("contact.dialed")["consent"] is True


def test_a_question_left_open_dials_nothing_once_she_is_away():
    bench = at([DEBTS], 600)
    bench.do("key4")
    bench.command("presence", to="not_ready", reason="reunion")
    assert bench.do("key3", after_ms=5000) == []
    assert bench.desk.work == "idle"


def test_the_host_dials_by_the_same_rules():
    def dial(bench, **fields):
        return bench.command("dial", contact="d1", **fields)

    bench = at([SALES, DEBTS], 600)
    assert dial(bench, campaign="cobranza", consent=0) == ["contact.blocked"]
    assert bench.last("contact.blocked")["i"] == bench.number
    assert dial(bench, campaign="cobranza") == ["contact.blocked"]
    assert dial(bench, campaign="cobranza", consent=1, pbx="p1") == ["contact.dialed"]
    dialed = bench.last("contact.dialed")
    assert (dialed["via"], dialed["c"], dialed["pbx"]) == ("host", "d1", "p1")
    assert (dialed["campaign"], dialed["consent"]) == ("cobranza", True)
    assert bench.command("answer", contact="d1") == ["contact.answered"]
    assert dial(bench) == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "busy"
    bench = at([SALES], 300)
    assert dial(bench) == ["contact.blocked"]  # a call without a campaign goes by the first
    bench.do("key3")
    bench.do("key3")
    assert dial(bench) == ["command.refused"]
    assert bench.last("command.refused")["reason"] == "not_ready"
