"""Whoever answers for a playbook is told by mail what it lacks: over TLS, at a listed address, and
nobody who asked for help is named.
"""

import asyncio
import json
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default

import pytest
from diadema.base import mail
from diadema.base.paths import DataDir
from diadema.base.standing import changing_standing
from diadema.hub.gap_mail import GapMail
from diadema.site.directory.people import People

from tests.host.test_help_desk import Hub, asks, in_call, seated
from tests.host.test_mail import Post
from tests.support.broker_fixtures import until
from tests.support.scripted_station import SITE

OWNER = "duena@centro.pe"


@pytest.fixture
def data(tmp_path):
    made = DataDir(tmp_path)
    made.site.write_text(json.dumps(SITE))
    return made


@pytest.fixture
def post(data, tmp_path):
    return Post(data, tmp_path / "tls")


@pytest.fixture
def noted(writer, reader, site, clock):
    """Notes something of a request for help; gives what follows."""
    hub = Hub(writer, reader, site, clock)
    script = in_call(seated()).contact("playbook", "c1", playbook="saldos", version=4)
    of = asks(script, call="c1")
    hub.take(script)
    return lambda **more: hub.act("help_noted", of, **more)[1]


@asynccontextmanager
async def sending(data, owners):
    gap_mail = GapMail(data, lambda: People(owner_mails=owners))
    running = asyncio.create_task(gap_mail.run())
    try:
        yield gap_mail
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_the_owner_of_a_playbook_is_told_what_it_lacks(data, post, noted):
    async with post.serving(), sending(data, {"saldos": OWNER}) as gap_mail:
        post.use()
        mail.allow(data, OWNER, False)
        gap_mail.tell(noted(gap="none", text="Se explicó"))
        gap_mail.tell(noted(text="Sin vacío"))
        gap_mail.tell(noted(gap="wrong", playbook="otro"))
        gap_mail.tell(noted(gap="missing", text="No dice qué hacer con una cuenta cerrada " * 9))
        await until(lambda: post.box.letters)
    ((to, content, by_tls),) = post.box.letters
    assert (to, by_tls) == ([OWNER], True)
    letter = message_from_bytes(content, policy=default)
    assert letter["Subject"] == "Instructivo saldos: no lo dice · Centro"
    body = letter.get_content()
    assert "Instructivo: saldos, versión 4" in body and "Anotado por: elena" in body
    assert body.count("cuenta cerrada") == 9 and "/ui/help" in body
    assert "a001" not in body and "Rosa" not in body


@pytest.mark.parametrize("trouble", ["unlisted", "refused", "no server", "trial"])
async def test_a_mail_that_cannot_be_sent_stops_no_other(data, post, noted, caplog, trouble):
    other = "otra@centro.pe"
    async with (
        post.serving(),
        sending(data, {"saldos": OWNER, "otro": other}) as gap_mail,
    ):
        if trouble != "no server":
            post.use()
        mail.allow(data, other, False)
        if trouble != "unlisted":
            mail.allow(data, OWNER, False)
        post.box.refused = {OWNER} if trouble == "refused" else set()
        with changing_standing(data) as standing:
            standing.trial = trouble == "trial"
        gap_mail.tell(noted(gap="missing"))
        await until(gap_mail._waiting.empty)
        with changing_standing(data) as standing:
            standing.trial = False
        post.use()
        gap_mail.tell(noted(gap="wrong", playbook="otro", version="2"))
        await until(lambda: post.box.letters)
    assert [to for to, *_ in post.box.letters] == [[other]]
    assert ("was not mailed" in caplog.text) is (trouble in ("unlisted", "refused"))
