"""An area is told by mail that somebody has its ticket: once, beside the hub's loop, and what came
of it stands in the ticket.
"""

import asyncio
import json
from email import message_from_bytes
from email.policy import default

import msgspec
import pytest
from diadema.base import mail, paths
from diadema.base.standing import changing_standing
from diadema.hub.fault_mail import FaultMail

from tests.host.test_mail import Post
from tests.support.fault_room import Room

TO = "sistemas@centro.pe"


@pytest.fixture
def room(tmp_path):
    made = Room(tmp_path, 4)
    made.people.fault_areas["sistemas"].email = TO
    (tmp_path / "site.json").write_text(json.dumps(made.described))
    hub = paths.Hub(pid=1, children={}, web="https://hub.centro", nats="", mqtt=("", 0))
    made.data.hub.write_bytes(msgspec.json.encode(hub))
    yield made
    made.end()


@pytest.fixture
def post(room, tmp_path):
    mail.allow(room.data, TO, False)
    return Post(room.data, tmp_path / "tls")


@pytest.fixture
def mails(room):
    return FaultMail(room.data, room.desk)


async def told(room, mails):
    """Looks until nothing is on its way; gives the notes of the mail."""
    while True:
        room.settle()
        mails.look()
        if mails._sending is None:
            break
        await asyncio.wait([mails._sending.task], timeout=300)
    return [
        words
        for case in room.cases() for step, words in case.texts
        if step.by == "rule:mail"
    ]  # fmt: skip


def taken(room, *numbers, **more):
    for n in numbers:
        room.seats[n].press()
    room.settle()
    name = room.one().ticket.ticket
    room.act("noted", ticket=name, text="Ya se llamó.\nNadie contesta.")
    room.act("taken", ticket=name, external="INC-7", **more)
    return name


def letter(post):
    ((to, content, by_tls),) = post.box.letters
    assert by_tls
    return to, message_from_bytes(content, policy=default)


async def test_the_area_is_told_where_since_when_what_and_with_a_link(room, post, mails):
    async with post.serving():
        post.use()
        name = taken(room, 1, 2, 3)
        assert await told(room, mails) == [f"Se avisó por correo a {TO}."]
        to, made = letter(post)
        assert to == [TO] and made["Subject"] == (
            "Falla de severidad 2: Falla masiva: Sistemas: CRM · Centro"
        )
        body = made.get_content().replace("\r\n", "\n")
        for words in (
            "Posiciones: A-01, A-02, A-03", "Desde: 2026-11-18 ",
            "Número externo: INC-7", "Ya se llamó.\n", "Nadie contesta.",
            f"https://hub.centro/ui/faults?ticket={name}",
        ):  # fmt: skip
            assert words in body
        for person in ("Asesor", "elena", "Elena"):
            assert person not in body
        assert await told(room, mails) == [f"Se avisó por correo a {TO}."]
        room.act("taken", ticket=name)
        assert len(await told(room, mails)) == 2 and len(post.box.letters) == 2
        ids = [message_from_bytes(content)["Message-ID"] for _, content, _ in post.box.letters]
        assert len({*ids}) == 2


async def test_whoever_works_for_the_area_looks_at_its_own_page(room, post, mails):
    room.people.fault_areas["sistemas"].accounts = ["teo"]
    async with post.serving():
        post.use()
        name = taken(room, 1)
        await told(room, mails)
        assert f"/ui/area?ticket={name}" in letter(post)[1].get_content()


async def test_a_mail_that_is_refused_is_told_and_stops_nothing(room, post, mails):
    post.box.refused.add(TO)
    async with post.serving():
        post.use()
        name = taken(room, 1)
        (note,) = await told(room, mails)
        assert note.startswith(f"No se pudo avisar por correo a {TO}: ") and "550" in note
        assert len(await told(room, mails)) == 1
    room.act("resolved", ticket=name, cause="red")
    assert room.case(name).ticket.state == "resolved"


async def test_an_address_to_which_nothing_may_be_sent_is_told(room, post, mails):
    mail.deny(room.data, TO)
    async with post.serving():
        post.use()
        taken(room, 1)
        (note,) = await told(room, mails)
        assert "diadema mail" in note and post.box.letters == []


async def test_where_no_mail_is_set_up_nothing_is_said(room, mails):
    taken(room, 1)
    assert await told(room, mails) == []


async def test_an_area_without_an_address_and_what_is_over_are_not_told(room, post, mails):
    async with post.serving():
        post.use()
        name = taken(room, 1)
        room.act("resolved", ticket=name, cause="red")
        room.people.fault_areas["sistemas"].email = ""
        room.seats[2].press()
        room.settle()
        room.act("taken", ticket=room.one().ticket.ticket)
        assert await told(room, mails) == [] == post.box.letters


async def test_a_trial_of_a_backup_tells_nobody(room, post, mails):
    with changing_standing(room.data) as standing:
        standing.trial = True
    async with post.serving():
        post.use()
        taken(room, 1)
        assert await told(room, mails) == [] == post.box.letters


async def test_killed_before_the_note_it_is_the_same_letter_and_noted_once(room, post):
    async with post.serving():
        post.use()
        taken(room, 1)
        first = FaultMail(room.data, room.desk)
        first.look()
        await asyncio.wait([first._sending.task], timeout=300)
        room.restart()
        again = FaultMail(room.data, room.desk)
        assert await told(room, again) == [f"Se avisó por correo a {TO}."]
        room.restart()
        assert len(await told(room, FaultMail(room.data, room.desk))) == 1
        ids = {message_from_bytes(content)["Message-ID"] for _, content, _ in post.box.letters}
        assert len(post.box.letters) == 2 and len(ids) == 1
