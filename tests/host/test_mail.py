"""Scheduled reports by mail: over TLS that is checked or not at all, to listed addresses, with the
rights that their author has at that moment.
"""

import asyncio
import hashlib
import json
import ssl
import stat
from contextlib import asynccontextmanager
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, AuthResult
from diadema.access import Accounts
from diadema.access.roles import Person
from diadema.base import credentials, mail
from diadema.base.certificates import Certificates
from diadema.base.errors import MailError
from diadema.base.paths import DataDir
from diadema.base.standing import changing_standing
from diadema.cli import main
from diadema.maintenance.restore import put_in_force
from diadema.report import delivery, schedule
from diadema.report.delivery import addresses_for, check, deliver
from diadema.report.model import Scope
from diadema.report.schedule import add, runs, schedules
from diadema.site.directory.people_of import people
from typer.testing import CliRunner

from tests.host.test_report_schedules import at, order
from tests.support import reported_day
from tests.support.scripted_station import FixedClock

ADMIN = Person(id="prueba", name="Prueba", role="service")
NOW = at("2026-11-19T06:00")
HOUR_MS = 3_600_000
JEFA, RRHH = "jefa@centro.pe", "rrhh@centro.pe"


class Box:
    """A server's handler: what it took, who logged in, and whom it refuses."""

    def __init__(self):
        self.letters, self.logins, self.refused = [], [], set()

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        by_tls = server.transport.get_extra_info("ssl_object") is not None
        self.letters.append((envelope.rcpt_tos, envelope.content, by_tls))
        return "250 OK"

    def login(self, server, session, envelope, mechanism, given):
        self.logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"clave", handled=False)


class Post:
    """A server on this machine, and the directory that sends by it."""

    def __init__(self, data, folder):
        self.data, self.box, self.certificates = data, Box(), Certificates(folder)
        folder.mkdir()
        self.certificates.make(["localhost"])
        self.port = 0

    @asynccontextmanager
    async def serving(self, security="starttls"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.server, self.certificates.server_key)
        starttls = {"tls_context": context} if security == "starttls" else {}
        server = await asyncio.get_running_loop().create_server(
            lambda: SMTP(self.box, authenticator=self.box.login, auth_require_tls=False,
                         hostname="localhost", **starttls),
            "127.0.0.1", self.port, ssl=context if security == "tls" else None,
        )  # fmt: skip
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            yield

    def use(self, **more):
        given = {
            "host": "localhost", "port": self.port, "security": "starttls", "user": "diadema",
            "sender": "reportes@centro.pe", "ca": self.certificates.ca_pem().decode(),
        }  # fmt: skip
        mail.set_server(self.data, mail.Server(**given | more), "clave")


@pytest.fixture
def data(tmp_path):
    return reported_day.stations(tmp_path / "data")


def allowing(data, tmp_path):
    mail.allow(data, JEFA, False)
    mail.allow(data, RRHH, True)
    return Post(data, tmp_path / "tls")


@pytest.fixture
def post(data, tmp_path):
    return allowing(data, tmp_path)


@pytest.fixture
def plain(tmp_path):
    """In a directory of nothing else."""
    made = allowing(DataDir(tmp_path), tmp_path)
    made.port = 25
    return made


@pytest.fixture
def accounts(data):
    made = Accounts(data)
    made.book.add(ADMIN, "otra", "Otra", "admin")
    made.book.add(ADMIN, "ana", "Ana Rojas", "admin")
    yield made
    made.close()


async def send(data, accounts, now=NOW):
    """Make what is due, and send what waits; gives the newest run."""
    schedule.run_due(data, now)
    await deliver(data, accounts, lambda: people(data), now)
    return runs(data)[0]


def ordered(data, **more):
    add(data, order(**{"to": [JEFA], "by": "ana", "form": "xlsx"} | more), "es")


@pytest.mark.parametrize("security", ["starttls", "tls"])
async def test_it_is_sent_over_tls_and_that_is_recorded(data, post, accounts, security):
    ordered(data, to=[JEFA, RRHH])
    async with post.serving(security):
        post.use(security=security)
        run = await send(data, accounts)
        again = await send(data, accounts, NOW + HOUR_MS)
    ((to, content, by_tls),) = post.box.letters
    assert (to, by_tls, run.sent_to, run.sendings) == ([JEFA, RRHH], True, 2, 1)
    assert (again.sent_ms, post.box.logins) == (NOW, [(b"diadema", b"clave")])
    letter = message_from_bytes(content, policy=default)
    assert letter["Subject"] == f"Llamadas 2026-11-18 · {reported_day.SITE['site']}"
    assert (letter["From"], letter["To"]) == ("reportes@centro.pe", f"{JEFA}, {RRHH}")
    (file,) = letter.iter_attachments()
    made = (data.reports / run.file).read_bytes()
    digest = hashlib.sha256(made).hexdigest()
    assert file.get_content() == made and file.get_filename() == run.file.split("/")[1]
    body = letter.get_body().get_content()
    assert digest in body and "Ana Rojas" in body and "«diario»" in body
    (row,) = accounts.audit.rows(what="report.sent")
    assert (row.who, row.agents) == ("ana", ["*"])
    assert row.detail == {
        "kind": "llamadas", "span": "2026-11-18", "hash": digest, "to": [JEFA, RRHH],
    }  # fmt: skip
    assert "enviado por correo a 2" in schedule.run_words(run, "es")


async def test_never_in_the_clear_and_again_later(data, post, accounts):
    ordered(data)
    async with post.serving("plain"):
        post.use()
        run = await send(data, accounts)
        assert (run.state, run.sent_ms, run.sendings) == ("done", 0, 1)
        assert "no ofrece STARTTLS en ese puerto" in run.unsent and "(«SMTP STARTTLS" in run.unsent
        assert "no se envió (1)" in schedule.run_words(run, "es")
        await send(data, accounts, NOW + 59_000)
        assert runs(data)[0].sendings == 1, "it waits a minute first"
        assert (await send(data, accounts, NOW + 60_000)).sendings == 2
        post.use(security="tls")
        assert (await send(data, accounts, NOW + HOUR_MS)).sent_ms == 0
    assert (post.box.letters, post.box.logins) == ([], [])
    async with post.serving():
        post.use()
        run = await send(data, accounts, NOW + 2 * HOUR_MS)
    assert run.sent_ms == NOW + 2 * HOUR_MS and run.unsent == "" and len(post.box.letters) == 1


@pytest.mark.parametrize("wrong", ["ca", "name"])
async def test_a_certificate_that_is_not_right_gets_nothing(data, post, accounts, tmp_path, wrong):
    ordered(data)
    other = Post(data, tmp_path / "other").certificates
    async with post.serving():
        post.use(**{"ca": other.ca_pem().decode()} if wrong == "ca" else {"host": "127.0.0.1"})
        run = await send(data, accounts)
    told = {"ca": "de una CA que no se conoce", "name": "lleva otro nombre"}[wrong]
    assert told in run.unsent and "ertificate" in run.unsent and run.sent_ms == 0
    assert (post.box.letters, post.box.logins) == ([], [])


async def test_what_was_put_back_mails_nothing_until_it_is_in_force_nor_what_fell_due_before(
    data, post, accounts
):
    ordered(data)
    with changing_standing(data) as standing:
        standing.trial = True
    async with post.serving():
        post.use()
        run = await send(data, accounts)
        assert run.file and (run.sent_ms, run.sendings) == (0, 0)
        put_in_force(data, FixedClock(at("2026-11-22T05:00")), ADMIN)
        held = await send(data, accounts, at("2026-11-22T05:00"))
        assert post.box.letters == [] and len(runs(data)) == 3
        assert "no se envió: venció antes" in schedule.run_words(held, "es")
        run = await send(data, accounts, at("2026-11-22T06:00"))
    assert run.span == "2026-11-21" and run.sent_ms and len(post.box.letters) == 1
    assert [one.sent_ms for one in runs(data)[1:]] == [0, 0, 0]


async def test_a_disabled_author_stops_it(data, post, accounts):
    ordered(data)
    accounts.book.disable(ADMIN, "ana")
    async with post.serving():
        post.use()
        run = await send(data, accounts)
        accounts.book.disable(ADMIN, "ana", disabled=False)
        assert await send(data, accounts, at("2026-11-22T06:00")) == run, "nothing more is made"
    assert post.box.letters == [] and "ana ya no es una cuenta en uso" in run.unsent
    (one,) = schedules(data)
    assert one.stopped == "disabled" and not schedule.pending(data, at("2026-11-22T06:00"))
    (row,) = accounts.audit.rows(what="report.stopped")
    assert row.detail["schedule"] == "diario"


@pytest.mark.parametrize(
    "change",
    [{"role": "technician", "teams": []}, {"role": "supervisor", "teams": ["Mañana"]}],
)
async def test_an_author_who_may_not_see_it_any_more_stops_it(data, post, accounts, change):
    ordered(data)
    accounts.book.change(ADMIN, "ana", name="Ana", agent=None, **change)
    async with post.serving():
        post.use()
        await send(data, accounts)
    assert post.box.letters == [] and schedules(data)[0].stopped == "right"


async def test_the_teams_are_those_of_now(data, post, accounts):
    accounts.book.change(ADMIN, "ana", name="Ana", role="supervisor", agent=None, teams=["Mañana"])
    ordered(data, scope=Scope(of="team", code="Mañana"))
    async with post.serving():
        post.use()
        assert (await send(data, accounts)).sent_ms == NOW
        accounts.book.change(
            ADMIN, "ana", name="Ana", role="supervisor", agent=None, teams=["Tarde"]
        )
        await send(data, accounts, at("2026-11-20T06:00"))
    assert len(post.box.letters) == 1 and schedules(data)[0].stopped == "right"


async def test_an_address_that_is_allowed_no_more_gets_nothing(data, post, accounts):
    ordered(data, to=[JEFA, RRHH])
    mail.deny(data, JEFA)
    async with post.serving():
        post.use()
        run = await send(data, accounts)
        mail.deny(data, RRHH)
        last = await send(data, accounts, at("2026-11-20T06:00"))
    assert [to for to, _, _ in post.box.letters] == [[RRHH]]
    assert (run.sent_to, run.unsent) == (1, JEFA)
    assert last.sent_ms == 0 and "ninguna de sus direcciones" in last.unsent


async def test_attendance_goes_to_human_resources_alone(data, post, accounts):
    async with post.serving():
        post.use()
        assert addresses_for(data, "asistencia") == [RRHH]
        assert addresses_for(data, "llamadas") == [JEFA, RRHH]
        wrong = order(kind="asistencia", to=[JEFA], by="ana")
        with pytest.raises(MailError, match=JEFA):
            check(data, accounts, people(data), wrong)
        ordered(data, kind="asistencia", to=[RRHH, JEFA])
        await send(data, accounts)
        mail.allow(data, RRHH, False)
        last = await send(data, accounts, at("2026-11-20T06:00"))
    assert [to for to, _, _ in post.box.letters] == [[RRHH]] and last.sent_ms == 0


async def test_whom_the_server_refuses_is_said(data, post, accounts):
    ordered(data, to=[JEFA, RRHH])
    post.box.refused = {RRHH}
    async with post.serving():
        post.use()
        run = await send(data, accounts)
    assert [to for to, _, _ in post.box.letters] == [[JEFA]]
    assert (run.sent_to, run.unsent) == (1, RRHH)
    assert accounts.audit.rows(what="report.sent")[0].detail["to"] == [JEFA]


async def test_a_file_that_is_too_large_is_not_sent_and_not_tried_again(
    data, post, accounts, monkeypatch
):
    monkeypatch.setattr(delivery, "MOST_BYTES", 100)
    ordered(data)
    async with post.serving():
        post.use()
        run = await send(data, accounts)
        assert await send(data, accounts, NOW + HOUR_MS) == run
    assert post.box.letters == [] and "Reportes" in run.unsent


async def test_it_is_given_up_in_the_end(data, post, accounts):
    ordered(data, form="json", every="month")
    for step in range(40):
        await send(data, accounts, at("2026-12-01T06:00") + step * HOUR_MS // 2)
    (run,) = runs(data)
    assert run.sendings == schedule.TRIES and "diadema mail set" in run.unsent


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"by": ""}, "not an account in use"),
        ({"by": "token:central"}, "not an account in use"),
        ({"by": "nadie"}, "not an account in use"),
        ({"to": ["otra@centro.pe"]}, "not on the administrator's list"),
        ({"to": ["jefa@centro.pe\r\nBcc: x@y.pe"]}, "not on the administrator's list"),
        ({"to": [JEFA] * 21}, "20 addresses"),
    ],
)
def test_what_may_not_be_sent_is_refused_when_it_is_ordered(data, post, accounts, more, said):
    with pytest.raises(MailError, match="mail set"):
        check(data, accounts, people(data), order(to=[JEFA], by="ana"))
    post.port = 25
    post.use()
    check(data, accounts, people(data), order(to=[JEFA], by="ana"))
    with pytest.raises(MailError, match=said):
        check(data, accounts, people(data), order(**{"to": [JEFA], "by": "ana"} | more))


@pytest.mark.parametrize(
    "given",
    [
        "a@b.pe\nBcc: x@y.pe", "a@b.pe\r\n", "\ra@b.pe", "a@b.pe, x@y.pe", "<a@b.pe>", "a b@c.pe",
        '"a"@b.pe', "a@b", "a@[127.0.0.1]", "a%b@c.pe@d.pe", "ñ@b.pe", "a@b.pe\0", "@b.pe",
        "a" * 65 + "@b.pe", "a@" + "b" * 252 + ".pe", "a..b@c.pe", "a@b.pe>\nRCPT TO:<x@y.pe",
    ],
)  # fmt: skip
def test_what_is_no_address_is_not_listed_nor_a_sender(plain, given):
    with pytest.raises(MailError):
        mail.allow(plain.data, given, False)
    with pytest.raises(MailError):
        plain.use(sender=given)
    assert mail.load(plain.data).addresses.keys() == {JEFA, RRHH}


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\0", "\u2028", "\x85", "\u202e"])
async def test_a_line_end_in_a_subject_begins_no_header(plain, sign):
    plain.port = 0
    async with plain.serving():
        plain.use()
        server = mail.load(plain.data).server
        letter = mail.message(server, [JEFA], f"Hoy{sign}Bcc: x@y.pe{sign}{sign}cuerpo", "ñandú")
        assert await mail.send(plain.data, server, [JEFA], letter.as_bytes()) == []
    ((to, content, _),) = plain.box.letters
    read = message_from_bytes(content, policy=default)
    assert to == [JEFA] and read["Bcc"] is None and "⟨U+" in read["Subject"]
    assert read.get_content().strip() == "ñandú"


def test_the_password_is_with_the_other_secrets(plain):
    plain.use()
    data = plain.data
    assert "clave" not in data.mail.read_text()
    assert credentials.load(data).mail == "clave"
    for file in (data.mail, data.secrets):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    known = credentials.load(data)
    known.mail = ""  # as the hub has read it before
    credentials.change_gateway(data, known, "norte", revoke=False)
    assert json.loads(data.secrets.read_bytes())["mail"] == "clave"


@pytest.mark.parametrize(
    "more", [{"host": "a b"}, {"host": "x\r\ny"}, {"port": 0}, {"security": "none"},
             {"user": "x\r\ny"}],
)  # fmt: skip
def test_what_is_no_server_is_refused(plain, more):
    with pytest.raises(MailError):
        plain.use(**more)
    assert mail.load(plain.data).server is None


async def typed(data, *words):
    """What a command says, or why it did not begin."""
    done = await asyncio.to_thread(
        CliRunner().invoke, main.app, ["--lang", "en", *words, "--data", str(data.root)]
    )
    return done.output if done.exception is None else done.exception.say("en")


async def test_the_commands_set_show_and_try_it(plain, tmp_path):
    data = plain.data
    (tmp_path / "password").write_text("clave\n")
    plain.port = 0
    async with plain.serving():
        words = ["--server", "localhost", "--port", str(plain.port), "--user", "diadema"]
        words += ["--from", "reportes@centro.pe", "--ca", str(plain.certificates.ca)]
        password = ["--password-file", str(tmp_path / "password")]
        assert await typed(data, "mail", "set", *words, *password) == ""
        assert await typed(data, "mail", "allow", "Planilla@centro.pe", "--hr") == ""
        shown = await typed(data, "mail", "show")
        assert f"localhost:{plain.port}, starttls, from reportes@centro.pe" in shown
        assert "planilla@centro.pe  (human resources)" in shown and "clave" not in shown
        assert "took the mail" in await typed(data, "mail", "test", "planilla@centro.pe")
        assert "list" in await typed(data, "mail", "test", "otra@centro.pe")
        plain.box.refused = {JEFA}
        refused = await typed(data, "mail", "test", JEFA)
        assert f"takes nothing for {JEFA}: look at the address" in refused
        assert "(«550 " in refused and "[" not in refused
        mail.set_server(data, mail.load(data).server, "mala")
        told = await typed(data, "mail", "test", "planilla@centro.pe")
        assert "refuses user or password" in told and "diadema mail set" in told
        assert await typed(data, "mail", "deny", "planilla@centro.pe") == ""
    assert [to for to, _, _ in plain.box.letters] == [["planilla@centro.pe"]]
    assert mail.load(data).addresses == {JEFA: False, RRHH: True}
    with_accounts = Accounts(data)
    done = [row.what for row in with_accounts.audit.rows(what="mail")]
    with_accounts.close()
    assert done == ["mail.deny", "mail.allow", "mail.set"]


async def test_a_schedule_of_the_command_line_needs_an_account_that_may(data, post, accounts):
    post.port = 25
    post.use()
    words = ["report", "schedule", "add", "diario", "--kind", "llamadas", "--to", JEFA.upper()]
    assert "not an account in use" in await typed(data, *words)
    accounts.book.add(ADMIN, "tecnico", "Ti", "technician")
    assert "may not see" in await typed(data, *words, "--by", "tecnico")
    assert schedules(data) == [] and await typed(data, *words, "--by", "ana") == ""
    assert [(one.to, one.by) for one in schedules(data)] == [([JEFA], "ana")]
    assert JEFA in await typed(data, "report", "schedule", "list", "--json")
    schedule.stop(data, "diario", "right")
    assert "stopped" in await typed(data, "report", "schedule", "list")
