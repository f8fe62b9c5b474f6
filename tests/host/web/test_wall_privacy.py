"""Nothing private ever leaves for the wall: alias, state and clock, and no more."""

import asyncio
import json

import httpx
import pytest
from diadema.site.directory.people import People, of_site
from diadema.web.floor.views import WALL
from diadema.wire.live_rows import Row
from hypothesis import given
from hypothesis import strategies as st

from tests.support.web_stage import Hub, Web
from tests.support.web_viewer import connect

SECRETS = {
    "a": "a777",
    "name": "Rosa Secreta",
    "team": "Equipo-secreto",
    "seat": "Z-99",
    "s": "DIA-aabbccddeeff",
    "c": "contacto-secreto",
    "queue": "Cola-secreta",
    "contacts": 987_651,
    "tmo": 987_652,
    "warn": "two_seats",
    "help": 987_653,
    "help_topic": "tema-secreto",
    "help_by": "Ana Secreta",
    "fault": 987_654,
    "fault_by": "Teo Secreto",
}
PRIVATE = {
    "state": "not_ready",
    "reason": "sshh",
    "reason_label": "SS. HH.",
    "private": True,
    "since": 1_795_111_111_111,
    "t": 1_795_222_222_222,
}
words = st.text(max_size=8)
numbers = st.integers(0, 10**13)
hidden = st.fixed_dictionaries(
    {
        "agent": words,
        "name": words,
        "team": words,
        "seat": words,
        "station": words,
        "contact": words,
        "queue": words,
        "contacts": numbers,
        "tmo": numbers,
        "warn": words,
        "help": numbers,
        "help_by": words,
        "fault": numbers,
        "utc_ms": numbers,
        "reason": words,
    }
)
states = st.sampled_from(["ready", "talking", "held", "wrapup", "logged_out", "not_ready"])


@given(hidden, hidden, words, states, st.one_of(st.none(), numbers))
def test_two_rows_that_differ_in_hidden_fields_look_the_same(
    one: dict[str, object], other: dict[str, object], alias: str, state: str, since: int | None
) -> None:
    shown = {"alias": alias, "state": state, "since": since, "private": False, "link": "up"}
    first, second = Row(**one, **shown), Row(**other, **shown)  # type: ignore[arg-type]
    people = of_site(None)
    assert WALL.who(first, people) == WALL.who(second, people)
    assert WALL.live(first, People()) == WALL.live(second, People())
    assert not WALL.inside


@given(words, words, numbers, numbers, st.sampled_from([True, None]))
def test_a_private_reason_is_auxiliar_without_clock(
    one: str, other: str, since: int, later: int, private: bool | None
) -> None:
    def row(label: str, since: int) -> Row:
        return Row(agent="a", state="not_ready", private=private, reason_label=label, since=since)

    assert WALL.live(row(one, since), People()) == WALL.live(row(other, later), People())
    assert WALL.live(row(one, since), People()) == ("not_ready", None, None, None)


@pytest.mark.asyncio(loop_scope="session")
async def test_the_walls_wire_carries_no_secret(web: Web, hub: Hub) -> None:
    await hub.put(**SECRETS, alias="RS", state="ready", private=False, since=1, t=1)
    heard = ""
    async with connect(f"{web.ws}?scope=wall", compression=None) as socket:

        async def hear_until(part: str) -> None:
            nonlocal heard
            while part not in heard:
                heard += str(await asyncio.wait_for(socket.recv(), 60)) + "\n"

        await hear_until('"ready"')
        await hub.put(**SECRETS, **PRIVATE, alias="RS")
        await hear_until('"not_ready"')
        await hub.put(**SECRETS, **PRIVATE | {"reason": "topico"}, alias="RS")  # not to be seen
        await hub.put(**SECRETS, alias="RS", state="talking", private=False, since=9, t=9)
        await hear_until('"talking"')
    secrets = {**SECRETS, **PRIVATE} | {"state": "sshh", "private": "topico"}
    for secret in map(str, secrets.values()):
        assert secret not in heard
    columns = json.loads(heard.splitlines()[0])["snap"]
    assert columns["who"] == ["alias"]
    assert columns["live"] == ["state", "since", "label", "link"]
    assert sum('"not_ready"' in line for line in heard.splitlines()) == 1


@pytest.mark.asyncio(loop_scope="session")
async def test_the_walls_page_carries_no_row(web: Web, hub: Hub) -> None:
    await hub.put(**SECRETS, **PRIVATE, alias="RS")
    async with httpx.AsyncClient(timeout=300) as client:
        page = (await client.get(f"{web.url}/wall")).text
    assert not any(str(secret) in page for key, secret in SECRETS.items() if key != "warn")


@given(numbers, words)
def test_when_somebody_left_is_not_told(since: int, link: str) -> None:
    row = Row(agent="a", state="logged_out", since=since, link=link)
    assert WALL.live(row, People()) == ("logged_out", None, None, None)
