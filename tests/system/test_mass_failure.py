"""A failure at four of twelve seats, with the real firmware in the VM: one ticket adopts their
reports, one of the agents moves, one says that it does not work, then three; and the time that was
lost is, to the second, what a count by hand of the raw events gives.
"""

import dataclasses
import json
from contextlib import closing
from typing import Any

import httpx
from diadema_sim import people
from diadema_sim.agent import Agent
from diadema_sim.centre import Centre, open_centre

from tests.support.broker_fixtures import until
from tests.support.supervisor import START_MS, ZONE, bearer, report, rows

AREA, PART = "aplicativo", "no_abre"
MINUTE_MS = 60_000


class Desk:
    """Of the fault tickets, by the API."""

    def __init__(self, centre: Centre, client: httpx.AsyncClient) -> None:
        self.centre, self.client = centre, client

    async def tickets(self) -> list[dict[str, Any]]:
        answer = await self.client.get("/tickets")
        answer.raise_for_status()
        return answer.json()["tickets"]

    async def act(self, ticket: str, action: str, **fields: Any) -> None:
        answer = await self.client.post(
            f"/tickets/{ticket}/actions", json={"action": f"ticket_{action}", **fields}
        )
        assert answer.status_code == 202, answer.text

    def said(self, *kinds: str) -> list[dict[str, Any]]:
        """Every event of these kinds that the hub has, in the order of their coming."""
        with closing(self.centre.reader()) as reader, reader.engine.connect() as tx:
            found = tx.exec_driver_sql("SELECT body FROM events ORDER BY rowid").scalars().all()
        return [one for body in found if (one := json.loads(bytes(body)))["k"] in kinds]


async def all_of(agents: list[Agent], kind: str, since: list[int], **fields: Any) -> None:
    for agent, seen in zip(agents, since, strict=True):
        await agent.expect(kind, seen, **fields)


async def test_a_mass_failure_from_the_first_key_to_the_last(tmp_path):
    async with (
        open_centre(
            people.desks(12),
            name="Centro de muestra",
            zone=ZONE,
            tree=people.LIMA_TREE,
            start_utc_ms=START_MS,
            data=tmp_path / "data",
        ) as centre,
        httpx.AsyncClient(
            base_url=f"{centre.web}/api/v1", headers=bearer(centre), timeout=300
        ) as client,
    ):
        desk = Desk(centre, client)
        await centre.switch_on()
        *others, free = centre.agents  # the last seat has nobody yet
        for agent in others:
            await agent.log_in()
            await agent.get_ready()
        stopped = others[:4]
        seen = [agent.seen for agent in stopped]
        for agent in stopped:
            await agent.report_fault(AREA, PART)
            await centre.world.sleep(3000)  # so that each loses another time

        # one ticket adopts all of them; how grave it is, and until when, is proposed
        def mass() -> dict[str, Any] | None:
            opened = desk.said("ticket.opened")
            return next((one for one in opened if one["by"] == "rule:mass"), None)

        opened = await until(mass)
        ticket = opened["ticket"]
        assert (opened["area"], opened["part"], opened["severity"]) == (AREA, PART, 2)
        assert is_due(opened, 15)
        reports = {agent.station.id for agent in stopped}

        def adopted() -> set[str]:
            of = [opened, *desk.said("ticket.linked")]
            return {one["of"][0] for one in of if one["ticket"] == ticket and one.get("of")}

        await until(lambda: adopted() == reports)
        (row,) = [one for one in await desk.tickets() if one["state"] != "closed"]
        assert (row["ticket"], row["mass"], row["reports"], row["severity"]) == (
            ticket, True, 4, 2,
        )  # fmt: skip
        assert (row["state"], row["due"]) == ("open", opened["due"])

        # one of them goes on at the free seat: what she lost ends there
        moved = stopped[3]
        await moved.log_out()
        free.desk = dataclasses.replace(free.desk, person=moved.desk.person)
        await free.log_in()
        await free.get_ready()

        await desk.act(ticket, "taken", external="INC-204")
        (taken,) = desk.said("ticket.taken")
        assert taken["external"] == "INC-204"
        assert taken["due"] == opened["t"] + 120 * MINUTE_MS
        await all_of(stopped[:3], "fault.accepted", seen[:3])
        await centre.world.sleep(7000)

        # mended, says the technician; one says no
        await desk.act(ticket, "resolved", cause="red", fix="puerto nuevo")
        await all_of(stopped[:3], "fault.resolved", seen[:3])
        first, second, third = stopped[:3]
        await first.confirm_fault(works=False)

        def own(agent: Agent) -> list[dict[str, Any]]:
            return [
                one for one in desk.said("ticket.opened")
                if one["t"] > opened["t"] and one.get("of") and one["of"][0] == agent.station.id
            ]  # fmt: skip

        await until(lambda: own(first))
        assert desk.said("ticket.reopened") == [], "one seat says so: the mass failure is mended"

        # a third one is needed to open it again, and the moved one is no longer asked
        seen = [agent.seen for agent in stopped[:3]]
        await second.confirm_fault(works=False)
        await until(lambda: own(second))
        assert desk.said("ticket.reopened") == []
        await third.confirm_fault(works=False)
        (reopened,) = await until(lambda: desk.said("ticket.reopened"))
        assert reopened["ticket"] == ticket
        await all_of(stopped[:3], "fault.accepted", seen)

        await centre.world.sleep(4000)
        await desk.act(ticket, "resolved", cause="red", fix="otro equipo")
        await all_of(stopped[:3], "fault.resolved", seen)
        for agent in (first, second, third):
            await agent.confirm_fault(works=True)
            await agent.get_ready()

        def closed() -> list[str]:
            return [
                one["outcome"] for one in desk.said("ticket.closed") if one["ticket"] == ticket
            ]

        assert await until(closed) == ["confirmed"]
        await centre.drain()
        found = await report(centre, "fallas")
        (row,) = (one for one in rows(found, "tickets") if one["ticket"] == ticket)
        told = {one["code"]: one["lost_s"] for one in rows(found, "faults_agents")}
        by_hand = lost_by_hand(desk, {agent.station.id: agent.desk.person.id for agent in stopped})
        assert told == by_hand
        assert row["stopped"] == 4 and row["lost_s"] == sum(by_hand.values())


def is_due(said: dict[str, Any], minutes: int) -> bool:
    """From what the clock was just before it was written."""
    return 0 <= said["t"] + minutes * MINUTE_MS - said["due"] < 1000


def lost_by_hand(desk: Desk, agents: dict[str, str]) -> dict[str, int]:
    """Whole seconds that each agent lost: from a press to its mending or to the log-out, what
    overlaps once. All of it is of one boot of each station.
    """
    stretches: dict[str, list[tuple[int, int]]] = {}
    for s, agent in agents.items():
        events = [
            one for one in desk.said(
                "fault.reported", "fault.resolved", "session.closed", "fault.rejected"
            )
            if one["s"] == s
        ]  # fmt: skip
        for one in events:
            if one["k"] != "fault.reported" or "of" in one:
                continue
            ends = (
                end["t"] for end in events
                if end["u"] > one["u"]
                and (end["k"] == "session.closed" or end.get("of", [])[1:] == [one["e"], one["n"]])
                and end["k"] != "fault.reported"
            )  # fmt: skip
            stretches.setdefault(agent, []).append((one["t"] // 1000, min(ends) // 1000))
    lost = {}
    for agent, found in stretches.items():
        seconds = {second for start, end in found for second in range(start, end)}
        lost[agent] = len(seconds)
    return lost
