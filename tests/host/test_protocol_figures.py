"""Protocol: what agents ticked themselves, over the calls whose campaign has that step."""

import json
from datetime import date

import pytest
from diadema.base.paths import DataDir
from diadema.figures.agent_day import agent_page
from diadema.ingest.core import Ingest
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around
from diadema.site import description as sites
from diadema.store import open_writer
from diadema.web.agents.api import page_json

from tests.support.scripted_station import SITE, T0, FixedClock, Script

DAY = date(2026, 11, 18)
STEPS = ("greeting", "identity", "need", "information", "doubts", "closing")
AUTOMATIC = ("greeting", "closing")
CAMPAIGNS = [
    {"code": "soporte", "label": "Soporte",
     "steps": [{"step": one, "automatic": one in AUTOMATIC} for one in STEPS]},
    {"code": "ventas", "label": "Ventas", "steps": [{"step": "need"}]},
]  # fmt: skip
NOW = T0 + 86_400_000


def day_of(folder, calls):
    """Each call: its campaign and what was ticked by key in it."""
    data, site = DataDir(folder), SITE | {"campaigns": CAMPAIGNS}
    data.make()
    data.site.write_text(json.dumps(site))
    script = Script().boot().clock().login().ready()
    for at, (campaign, keys) in enumerate(calls):
        c = f"c{at}"
        script.offer(c, 1000, **({"campaign": campaign} if campaign else {}))
        script.contact("answered", c, 2000, via="key", ring_ms=2000)
        if campaign != "ventas":
            script.contact("step", c, 0, step="greeting", result="done", how="automatic")
        for step in keys:
            script.contact("step", c, 5000, step=step, result="done", how="key")
        script.contact("ended", c, 9000, by="caller", on_hold=False).wrapup("started", c, 0)
        if campaign != "ventas":
            script.contact("step", c, 0, step="closing", result="done", how="automatic")
        script.contact("typified", c, 3000, code="111", version=1, how="agent")
        script.wrapup("ended", c, 0, cause="typified")
    writer = open_writer(data.store)
    try:
        ingest = Ingest(writer, sites.parse(json.dumps(site).encode()), FixedClock(NOW))
        ingest.take(script.messages(), "stream", "server")
    finally:
        writer.close()
    return data


@pytest.fixture
def made(tmp_path):
    def call(calls):
        data = day_of(tmp_path, calls)
        return data, make(data, "protocolo", around("day", DAY), Scope(), NOW)

    return call


def rows(section):
    names = [column.key for column in section.columns]
    return [dict(zip(names, row, strict=True)) for row in section.rows]


def test_what_came_by_itself_is_nobodys_tick(made):
    """A9: without one key pressed it said 100.0 % of the automatic ones."""
    _, report = made([(None, ())] * 5)
    value = report.section("summary").rows
    assert [(row[1].value, row[3]) for row in value] == [(0.0, 20), (0.0, 20), (10, None)]
    steps = {row["step"]: row for row in rows(report.section("steps"))}
    assert {row["campaign"] for row in steps.values()} == {"Soporte"}
    assert [steps[one]["possible"] for one in ("saludo", "necesidad")] == [0, 5]
    assert [steps[one]["automatic"] for one in ("saludo", "necesidad", "cierre")] == [5, 0, 5]
    assert steps["saludo"]["ticked_share"] is None
    (agent,) = rows(report.section("steps_agents"))
    assert (agent["possible"], agent["ticked"], agent["automatic"]) == (20, 0, 10)


def test_a_call_without_a_campaign_is_of_the_first_as_at_the_station(made):
    """A9: it was filed as «(sin campaña)», whose steps are those that somebody ticked."""
    _, report = made([(None, ("need",)), ("otra", ()), ("ventas", ("need",)), ("soporte", ())])
    steps = {(row["campaign"], row["step"]): row for row in rows(report.section("steps"))}
    assert steps["Soporte", "necesidad"]["possible"] == 3
    assert steps["Soporte", "necesidad"]["ticked"] == 1
    assert steps["Ventas", "necesidad"]["ticked_share"] == 100.0
    assert len(steps) == 7


def test_a_step_that_the_campaign_has_not_is_as_many_of_the_floor_as_of_its_agents(made):
    """Ticked in one of two calls by whoever did, it was asked of both on the floor alone."""
    _, report = made([("ventas", ("doubts", "need")), ("ventas", ("need",))])
    steps = {row["step"]: row for row in rows(report.section("steps")) if row["possible"]}
    assert {step: row["possible"] for step, row in steps.items()} == {"necesidad": 2, "dudas": 1}


def test_her_page_and_the_report_say_the_same_of_a_step(made):
    """B4: her page said 5 of 5 where the report said 5 of 20."""
    data, report = made([(None, ("need",))] * 5 + [(None, ())] * 15)
    page = page_json(agent_page(data, "a001", DAY, NOW))["protocol"]
    need = next(one for one in page if one["step"] == "need")
    assert (need["done"], need["calls"], need["automatic"]) == (5, 20, 0)
    steps = {row["step"]: row for row in rows(report.section("steps"))}
    assert (steps["necesidad"]["ticked"], steps["necesidad"]["possible"]) == (5, 20)
    assert [one["step"] for one in page] == [*STEPS]
