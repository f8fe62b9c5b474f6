"""`diadema switch`: what set-up finds at an exchange, what it stores, the telephone that `check`
rings, and how the bridge is shown.
"""

import asyncio
import json
import socket
import ssl
import subprocess
import sys
import time
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import msgspec
import pytest
from diadema.access import Accounts
from diadema.base import credentials
from diadema.base.certificates import Certificates
from diadema.base.errors import DiademaError
from diadema.base.locks import locked
from diadema.cli import main, switch
from diadema.cli.run import Run
from diadema.site.directory.people import Area, People, Worker
from diadema.switch import process
from diadema.switch import settings as stored
from diadema.switch.asterisk import setup
from diadema.switch.exchange import Phone
from diadema.wire.switching import MemberState, PhoneState, QueueState, Report, Trouble
from diadema.words import Sentence
from typer.testing import CliRunner

from tests.support.answering_asterisk import SECRET, answering, site_with_phones, typed


@pytest.fixture
def asterisk():
    with answering() as its:
        its.phones["PJSIP/102"] = "auto"
        its.values["DIALPLAN_EXISTS(diadema-areas,700,1)"] = "1"
        yield its


@pytest.fixture
def data(tmp_path):
    made = site_with_phones(tmp_path / "data")
    for name in ("ami", "ari"):
        (tmp_path / name).write_text(f"{SECRET}\n")
        (tmp_path / name).chmod(0o600)
    return made


@pytest.fixture
def command(data, tmp_path):
    def call(*words, code=0):
        done = CliRunner().invoke(
            main.app, ["--lang", "es", "switch", *words, "--data", str(data.root)]
        )
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.output

    return call


@pytest.fixture
def set_up(command, asterisk, tmp_path):
    """Type set-up; gives the keys of what was found, and what stands in them."""

    def call(*more, code=0):
        files = ["--ami-password-file", tmp_path / "ami", "--ari-password-file", tmp_path / "ari"]
        said = command("setup", "asterisk", *typed(asterisk), *map(str, files), *more, "--json",
                       code=code)  # fmt: skip
        return [f"{one['grade']}: {one['said']}" for one in json.loads(said)]

    return call


def sentence(name, /, **values):
    return Sentence(f"commands.switch.{name}", **values).say("es")


# -- set-up


def test_a_right_exchange_is_stored_with_its_passwords(set_up, data):
    found = set_up("--foreign", "put_right", "--an-hour", "20", "--listener", "elena=PJSIP/900")
    assert found == [
        "note: Asterisk 22.11.0",
        f"note: {sentence('recording')}",
        f"note: {sentence('seen', queues=1, phones=2)}",
    ]
    settings = stored.read(data)
    assert settings.host == "127.0.0.1" and settings.foreign == "put_right"
    assert settings.listeners == {"elena": "PJSIP/900"}
    assert settings.hourly == 20 and "9XXXXXXXX" in settings.allowed
    assert credentials.load(data).exchange == {"ami": SECRET, "ari": SECRET}
    assert SECRET not in data.switch.read_text()
    accounts = Accounts(data)
    assert "switch.set" in [row.what for row in accounts.audit.rows()]
    accounts.close()


def test_what_is_not_given_again_stays_and_the_exchange_is_looked_at_anew(
    set_up, command, asterisk, data
):
    set_up("--name", "lima", "--allow", "9XXXXXXXX")
    asterisk.modules -= {"res_musiconhold", "func_devstate"}
    told = command("setup", "asterisk")
    assert sentence("no_music") in told and sentence("no_states") in told
    assert stored.read(data).name == "lima" and stored.read(data).allowed == ["9XXXXXXXX"]


WRONG = {  # what a test makes wrong, and which sentence must say so
    "old": (lambda a: setattr(a, "version", "16.30.1"), "forbids", "version_old",
            {"version": "16.30.1", "least": 18}),
    "untried": (lambda a: setattr(a, "version", "20.9.3"), "note", "version_untried",
                {"version": "20.9.3", "tried": 22}),
    "module": (lambda a: a.modules.discard("res_stasis"), "forbids", "modules",
               {"modules": "res_stasis"}),
    "no recording": (lambda a: a.modules.discard("app_mixmonitor"), "to_do", "no_recording", {}),
    "read only": (lambda a: setattr(a, "read_only", True), "forbids", "ari_read_only",
                  {"user": "diadema"}),
    "ari password": (lambda a: a.secrets.update(ari="otra"), "forbids", "ari_refused",
                     {"user": "diadema"}),
    "classes": (lambda a: a.classes.update(("originate", "system")), "forbids", "class_too_many",
                {"user": "diadema", "classes": "originate,system"}),
    "all classes": (lambda a: a.classes.update(("originate", "system", "command", "config")),
                    "forbids", "class_too_many",
                    {"user": "diadema", "classes": "originate,command,config,system"}),
    "no class": (lambda a: a.classes.discard("call"), "forbids", "class_lacks",
                 {"user": "diadema", "classes": "call"}),
    "no queue": (lambda a: a.queues.clear(), "to_do", "queues_lacking", {"queues": "ventas"}),
    "foreign queue": (lambda a: a.queues.update(fija={}), "to_do", "queues_unmapped",
                      {"queues": "fija"}),
    "time-out": (lambda a: a.queues["ventas"].update(timeout="15"), "to_do", "timeout",
                 {"queue": "ventas", "timeout": 15, "needs": 22}),
    "default time-out": (lambda a: a.queues["ventas"].pop("timeout"), "to_do", "timeout",
                         {"queue": "ventas", "timeout": 15, "needs": 22}),
    "ring in use": (lambda a: a.queues["ventas"].pop("ringinuse"), "to_do", "ringinuse",
                    {"queue": "ventas"}),
    "variables": (lambda a: a.queues["ventas"].pop("setinterfacevar"), "to_do", "variables",
                  {"queue": "ventas"}),
    "out of a database": (lambda a: a.queues.update(ventas={}), "note", "settings_unknown",
                          {"queues": "ventas", "needs": 22}),
    "zone": (lambda a: setattr(a, "offset", "+0000"), "to_do", "zone",
             {"theirs": "+0000", "ours": "-0500", "zone": "America/Lima"}),
    "member name": (lambda a: a.values.pop(
        "AST_CONFIG(queues.conf,general,log_membername_as_agent)"), "to_do", "membername", {}),
    "no queue_log": (lambda a: a.values.update(
        {"AST_CONFIG(logger.conf,general,queue_log)": "no"}), "to_do", "queue_log_off", {}),
    "fixed member": (lambda a: a.members.append(
        {"Queue": "ventas", "Name": "a001", "Location": "Local/a001@diadema/n",
         "Membership": "static"}), "to_do", "members_fixed",
        {"queue": "ventas", "members": "a001"}),
    "originate": (lambda a: a.classes.add("originate"), "forbids", "class_too_many",
                  {"user": "diadema", "classes": "originate"}),
    "system": (lambda a: a.classes.add("system"), "forbids", "class_too_many",
               {"user": "diadema", "classes": "system"}),
    "command": (lambda a: a.classes.add("command"), "forbids", "class_too_many",
                {"user": "diadema", "classes": "command"}),
    "config": (lambda a: a.classes.add("config"), "forbids", "class_too_many",
               {"user": "diadema", "classes": "config"}),
    "no agent": (lambda a: a.classes.discard("agent"), "forbids", "class_lacks",
                 {"user": "diadema", "classes": "agent"}),
    "no reporting": (lambda a: a.classes.discard("reporting"), "forbids", "class_lacks",
                     {"user": "diadema", "classes": "reporting"}),
    "call centre": (lambda a: a.members.append(
        {"Queue": "ventas", "Name": "Agent/7", "Location": "Agent/7", "Membership": "dynamic"}),
        "forbids", "call_center_queues", {"queues": "ventas"}),
    "VICIdial": (lambda a: a.values.update(
        {"AST_CONFIG(manager.conf,listencron,read)": "all"}), "forbids", "vicidial", {}),
    "VICIdial's dialplan": (lambda a: a.values.update(
        {"DIALPLAN_EXISTS(vicidial-auto,h,1)": "1"}), "forbids", "vicidial", {}),
    "call centre's dialplan": (lambda a: a.values.update(
        {"DIALPLAN_EXISTS(llamada_agendada,10,1)": "1"}), "to_do", "call_center", {}),
    "unknown telephone": (lambda a: a.phones.pop("PJSIP/101"), "to_do", "phones_unknown",
                          {"seats": "A-01=PJSIP/101"}),
    "telephone away": (lambda a: a.phones.update({"PJSIP/102": "away"}), "to_do", "phones_away",
                       {"seats": "A-02=PJSIP/102"}),
    "no files": (lambda a: a.values.update({"DIALPLAN_EXISTS(diadema,diadema-prueba,1)": "0"}),
                 "to_do", "no_files", {}),
    "area": (lambda a: a.values.update({"DIALPLAN_EXISTS(diadema-areas,700,1)": "0"}),
             "to_do", "areas_unreachable", {"areas": "soporte=700"}),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_at_the_exchange_is_told_and_what_to_do(what, set_up, asterisk, data):
    make_wrong, grade, name, values = WRONG[what]
    make_wrong(asterisk)
    found = set_up(code=1 if grade == "forbids" else 0)
    assert f"{grade}: {sentence(name, **values)}" in found
    others = [one for one in found if not one.startswith("note: ")]
    assert others == ([] if grade == "note" else [f"{grade}: {sentence(name, **values)}"])
    assert (stored.read(data) is None) == (grade == "forbids")


@pytest.mark.parametrize(
    ("name", "interface", "who"),
    [("a001", "PJSIP/900", "Rosa"), ("Fijo", "PJSIP/101", "A-01"),
     ("Fijo", "Local/102@from-queue/n", "A-02"), ("Otro", "PJSIP/900", None)],
)  # fmt: skip
def test_a_member_whom_the_queue_calls_past_the_station_is_told(asterisk, name, interface, who):
    people = People(
        workers={"a001": Worker(id="a001", name="Rosa")}, queues={"ventas": "Ventas"},
        seats={"DIA-1": "A-01", "DIA-2": "A-02"},
        phones={"DIA-1": ("PJSIP/101", "auto_answer"), "DIA-2": ("PJSIP/102", "auto_answer")},
    )  # fmt: skip
    asterisk.members += [
        {"Queue": "ventas", "Name": name, "Location": interface, "Membership": "dynamic"},
        {"Queue": "ventas", "Name": "a001", "Location": "Local/a001@diadema/n",
         "Membership": "dynamic"},
    ]  # fmt: skip
    told = [one for one in said_of(asterisk, people) if interface in one]
    values = {"who": who, "queue": "ventas", "interface": interface}
    assert told == ([Sentence("errors.switch.elsewhere", **values).say("es")] if who else [])


def test_clocks_that_are_ten_minutes_apart_are_told(set_up, asterisk):
    asterisk.slow_s = 600
    told = {f"to_do: {sentence('clock', seconds=seconds)}" for seconds in (600, 601)}
    assert told & {*set_up()}  # a second may end between the answer and our look


def test_what_is_missing_in_the_directory_is_told(tmp_path, asterisk):
    people = People(
        workers={"h": Worker(id="h", name="Hugo"), "a1": Worker(id="a1", name="Ana")},
        queues={"ventas": "Ventas"}, areas={"mudo": Area(label="Mudo")},
        seats={"DIA-1": "P-01", "DIA-2": "P-02"}, phones={"DIA-1": ("PJSIP/101", "nailed")},
    )  # fmt: skip
    asterisk.modules.discard("bridge_holding")
    found = said_of(asterisk, people)
    assert sentence("seats_without", seats="P-02") in found
    assert sentence("areas_without", areas="mudo") in found
    assert sentence("no_nailed", count=1) in found
    assert sentence("agents_odd", agents="h") in found


def said_of(asterisk, people):
    settings = stored.Settings(ami_port=asterisk.ami_port, ari_port=asterisk.ari_port)
    place = setup.Place(people, 20, ZoneInfo("America/Lima"))
    passwords = {"ami": SECRET, "ari": SECRET}
    look = setup.look(settings, passwords, place, lambda: int(time.time() * 1000))
    return [one.said.say("es") for one in asyncio.run(look)]


def test_the_dialer_of_a_call_centre_console_is_heard(set_up, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as dialer:
        monkeypatch.setattr(setup, "ECCP_PORT", dialer.getsockname()[1])
        assert f"to_do: {sentence('call_center')}" in set_up()


def test_nothing_but_questions_reaches_the_exchange(set_up, asterisk):
    set_up()
    writes = [one for one in asterisk.asked if one.split()[0] in ("POST", "PUT", "DELETE")]
    assert writes == ["DELETE channels/diadema-prueba-none"]  # of which there is none
    assert {one for one in asterisk.asked if " " not in one} == {
        "Challenge", "Login", "CoreSettings", "Originate", "Command", "UpdateConfig",
        "ModuleCheck", "QueueAdd", "Setvar", "QueueStatus", "Getvar",
    }  # fmt: skip


def test_a_wrong_password_of_ami_says_where_to_look(set_up, tmp_path, data):
    (tmp_path / "ami").write_text("otra-clave-cualquiera\n")
    refused = sentence("ami_refused", user="diadema", reason="Authentication failed")
    assert set_up(code=1) == [f"forbids: {refused}"]
    assert stored.read(data) is None


def test_passwords_that_others_can_read_are_not_taken(set_up, tmp_path):
    (tmp_path / "ami").chmod(0o644)
    with pytest.raises(DiademaError, match="600"):
        set_up()


def test_without_passwords_a_script_is_told_how_to_have_them_made(command, asterisk):
    with pytest.raises(DiademaError, match="switch config asterisk"):
        command("setup", "asterisk", *typed(asterisk))


def test_at_a_terminal_what_is_missing_is_asked_for(data, asterisk, monkeypatch):
    monkeypatch.setattr(switch, "_at_terminal", lambda: True)
    words = ["--lang", "es", "switch", "setup", "asterisk", *typed(asterisk)]
    answers = f"localhost\n{SECRET}\n{SECRET}\n"
    done = CliRunner().invoke(main.app, [*words, "--data", str(data.root)], input=answers)
    assert done.exit_code == 0, (done.output, done.exception)
    assert sentence("ask_host") in done.output and SECRET not in done.output
    assert stored.read(data).host == "localhost"
    assert credentials.load(data).exchange == {"ami": SECRET, "ari": SECRET}


@pytest.mark.parametrize(("answer", "left"), [("n\n", True), ("y\n", False)])
def test_at_a_terminal_removal_is_asked_about(set_up, data, monkeypatch, answer, left):
    set_up()
    monkeypatch.setattr(switch, "_at_terminal", lambda: True)
    words = ["--lang", "es", "switch", "remove", "--data", str(data.root)]
    CliRunner().invoke(main.app, words, input=answer)
    assert (stored.read(data) is not None) == left


def test_a_plain_way_over_a_network_is_refused_before_a_word_is_said(set_up, asterisk):
    with pytest.raises(DiademaError, match="TLS"):
        set_up("--host", "192.0.2.7")
    assert asterisk.asked == []


def test_an_exchange_that_is_not_there_is_told(set_up, asterisk):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        (found,) = set_up("--ami-port", str(port), code=1)
        assert found.startswith("forbids: no se llega a la central")
        asterisk_ari_off = set_up("--ari-port", str(port), code=1)
    assert f"forbids: {sentence('ari_off', port=port)}" in asterisk_ari_off


def test_a_bridge_whose_settings_were_changed_by_hand_goes_no_plain_way(command, data):
    stored.write(data, stored.Settings(host="192.0.2.7"))
    credentials.load_or_create(data)
    with pytest.raises(DiademaError, match="TLS"):
        command("run")


@pytest.mark.parametrize("which", ["ami", "ari"])
def test_each_interface_must_have_the_certificate_that_was_given(which, command, data, tmp_path):
    """Asterisk has one in manager.conf and one in http.conf."""
    contexts = {}
    for name in ("right", "wrong"):
        its = Certificates(tmp_path / name)
        its.make(["localhost"] if name == "right" else ["otra.example"])
        contexts[name] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        contexts[name].load_cert_chain(its.server, its.server_key)
    ca = tmp_path / "right" / "ca.pem"
    words = ["setup", "asterisk", "--host", "localhost", "--tls", "--ca", str(ca)]
    for name in ("ami", "ari"):
        words += [f"--{name}-password-file", str(tmp_path / name)]
    with answering(contexts["right"]) as right, answering(contexts["wrong"]) as wrong:
        its = {"ami": right, "ari": right} | {which: wrong}
        ports = ["--ami-port", str(its["ami"].ami_port), "--ari-port", str(its["ari"].ari_port)]
        said = command(*words, *ports, code=1)
    port = wrong.ami_port if which == "ami" else wrong.ari_port
    where = f"localhost:{port}"
    reason = "unable to get local issuer certificate"
    values = {"where": where, "host": "localhost", "reason": reason}
    assert Sentence("errors.switch.certificate_unknown", **values).say("es") in said
    assert stored.read(data) is None


def test_over_tls_only_the_certificate_that_was_given_is_believed(command, data, tmp_path):
    ours, theirs = Certificates(tmp_path / "ours"), Certificates(tmp_path / "theirs")
    for one in (ours, theirs):
        one.make(["localhost", "127.0.0.1"])
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(theirs.server, theirs.server_key)
    for name, certificates in (("ours.pem", ours), ("theirs.pem", theirs)):
        (tmp_path / name).write_bytes(certificates.ca_pem())
    with answering(context) as its:
        words = ["setup", "asterisk", "--host", "localhost", "--tls", *typed(its)]
        for name in ("ami", "ari"):
            words += [f"--{name}-password-file", str(tmp_path / name)]
        wrong = command(*words, "--ca", str(tmp_path / "ours.pem"), code=1)
        assert "--ca" in wrong and stored.read(data) is None
        command(*words, "--ca", str(tmp_path / "theirs.pem"))
    assert stored.read(data).tls and "BEGIN CERTIFICATE" in stored.read(data).ca


@pytest.mark.parametrize(
    "option",
    [("--name", "a b"), ("--ami-port", "0"), ("--an-hour", "-1"), ("--allow", "9;X"),
     ("--allow", "[9"), ("--user", "a\nb"), ("--host", "a/b"), ("--listener", "elena"),
     ("--listener", "elena=Local/900@todo"), ("--listener", "elena=PJSIP/900@troncal")],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused(set_up, data, option):
    with pytest.raises(DiademaError):
        set_up(*option)
    assert stored.read(data) is None


# -- one telephone


@pytest.mark.parametrize(
    ("does", "word"),
    [("ring", "rings"), ("busy", "busy"), ("away", "away"), ("gone", "away"), ("20", "failed")],
)
def test_a_telephone_that_does_not_answer_says_why(set_up, command, asterisk, does, word):
    set_up()
    asterisk.phones["PJSIP/101"] = does
    values = {"extension": "PJSIP/101", "seconds": 4, "cause": 20}
    assert sentence(f"phone.{word}", **values) in command("check", "--seat", "A-01", code=1)
    if does not in ("away", "gone"):
        assert asterisk.asked[-1].startswith("DELETE channels/diadema-prueba-")


def test_a_telephone_that_answers_is_timed_and_hung_up(set_up, command, asterisk):
    set_up()
    (rang,) = json.loads(command("check", "--seat", "A-01", "--json"))
    assert rang["seat"] == "A-01" and rang["up_ms"] >= 0
    ms = rang["up_ms"]
    assert rang["said"] == sentence("phone.up", extension="PJSIP/101", ms=ms)
    assert asterisk.asked[-1].startswith("DELETE channels/diadema-prueba-")
    assert "answer-after=0" in asterisk.headers["PJSIP_HEADER(add,Call-Info)"]


def test_a_telephone_that_stays_open_is_picked_up_by_a_person(asterisk):
    settings = stored.Settings(ami_port=asterisk.ami_port, ari_port=asterisk.ari_port)
    asterisk.phones["PJSIP/101"] = "ring"
    call = setup.call(settings, {"ari": SECRET}, Phone("PJSIP/101", "nailed"))
    rang = asyncio.run(call)
    assert rang.said.say("es") == sentence("phone.nobody", extension="PJSIP/101", seconds=20)
    assert asterisk.headers == {}


def test_without_a_seat_each_telephone_is_rung(set_up, command, asterisk):
    set_up()
    asterisk.phones["PJSIP/102"] = "busy"
    lines = command("check", code=1).splitlines()
    assert [line.split()[0] for line in lines] == ["A-01", "A-02"]


def test_a_telephone_that_the_exchange_lacks_is_told(set_up, command, asterisk):
    set_up()
    del asterisk.phones["PJSIP/101"]
    unknown = sentence("phone.unknown", extension="PJSIP/101")
    assert unknown in command("check", "--seat", "A-01", code=1)


def test_what_there_is_no_telephone_for_is_told(set_up, command, data):
    with pytest.raises(DiademaError, match="switch setup"):
        command("check")
    set_up()
    with pytest.raises(DiademaError, match="A-99"):
        command("check", "--seat", "A-99")


# -- the bridge


@pytest.fixture
def hub(monkeypatch):
    """What the hub shows, which a test fills in."""
    shown = {"switch": None}

    async def ask_hub(data, subject, body):
        assert subject == "hub.switch.shown"
        return shown

    monkeypatch.setattr("diadema.wire.ask_hub.ask_hub", ask_hub)
    return shown


def test_without_an_exchange_the_status_says_how_to_connect_one(command, hub):
    assert command("status") == f"{sentence('none')}\n"


def test_a_bridge_that_never_spoke_is_told(command, hub):
    hub["switch"] = {"up": False, "age_s": None, "report": None}
    assert command("status", code=1) == f"{sentence('no_bridge')}\n"


def test_the_status_has_what_is_otherwise_than_it_should_be(command, hub):
    silent = Sentence("errors.switch.phone_silent", seat="A-01")
    report = Report(
        name="central", version="11.0.0", up=True, calls=2, unsent=3,
        queues=[QueueState(name="ventas", mapped=True, waiting=4),
                QueueState(name="600", mapped=False)],
        members=[MemberState(name="a001", queue="ventas"),
                 *(MemberState(name="a002", queue="ventas", wanted=wanted)
                   for wanted in ("there", "gone", "paused", "ready"))],
        phones=[PhoneState(extension="PJSIP/101", station="DIA-0123456789ab", there=False),
                PhoneState(extension="PJSIP/102", station="DIA-0123456789ac", there=None)],
        troubles=[Trouble(utc_ms=1_795_000_000_000, sentence=silent.parts())],
    )  # fmt: skip
    hub["switch"] = {"up": True, "age_s": 0.4, "report": msgspec.to_builtins(report)}
    unmapped = sentence("queue.unmapped")
    member = {"member": "a002", "queue": "ventas"}
    assert command("status").splitlines() == [
        sentence("is_up", name="central", calls=2, unsent=3, version="11.0.0"),
        sentence("queue", name="ventas", waiting=4, unmapped=""),
        sentence("queue", name="600", waiting=0, unmapped=unmapped),
        *(sentence(f"member.{one}", **member) for one in ("there", "gone", "paused", "ready")),
        sentence("phone_away", seat="A-01", extension="PJSIP/101"),
        f"2026-11-18 06:06:40  {silent.say('es')}",
    ]
    assert json.loads(command("status", "--json")) == hub["switch"]
    hub["switch"] |= {"up": False}
    assert sentence("is_down", name="central") in command("status", code=1)


def test_what_the_exchange_calls_things_moves_no_terminal(command, hub):
    """Names of queues and members are whoever's wrote them there."""
    odd = "\x1b]0;x\x07\x9b2J\u202eventas\r\n"
    sentence_ = Sentence("errors.switch.bar", reason=odd)
    report = Report(
        name="central", version=odd, up=True, queues=[QueueState(name=odd, mapped=False)],
        members=[MemberState(name=odd, queue=odd, wanted="gone")],
        phones=[PhoneState(extension=odd, station=odd, there=False)],
        troubles=[Trouble(utc_ms=1_795_000_000_000, sentence=sentence_.parts())],
    )  # fmt: skip
    hub["switch"] = {"up": True, "age_s": 0.4, "report": msgspec.to_builtins(report)}
    lines = command("status").removesuffix("\n").split("\n")
    assert len(lines) == 5 and all(line.isprintable() for line in lines)
    assert "U+001B" in lines[1]


def test_no_line_of_a_command_moves_a_terminal(capsys):
    Run.answer(SimpleNamespace(as_json=False), {}, "\x1b[2Juno\n\tdos")
    assert capsys.readouterr().out == "⟨U+001B⟩[2Juno\n\tdos\n"


def test_only_one_bridge_runs_on_a_directory(command, data, monkeypatch):
    with pytest.raises(DiademaError, match="switch setup"):
        command("run")
    stored.write(data, stored.Settings())
    credentials.load_or_create(data)
    monkeypatch.setattr(process, "_LOCK_S", 0.1)
    with locked(data.switch_lock), pytest.raises(DiademaError):
        command("run")


# -- removed


def test_removed_it_is_forgotten_with_its_passwords(set_up, command, data):
    set_up()
    said = command("remove", "--yes")
    assert sentence("removed") in said and sentence("stays") in said
    assert stored.read(data) is None and credentials.load(data).exchange == {}
    assert sentence("none") in command("remove", "--yes")


def test_a_script_that_does_not_say_yes_removes_nothing(set_up, command, data):
    set_up()
    with pytest.raises(DiademaError, match="--yes"):
        command("remove")
    assert stored.read(data) is not None


def test_the_bridge_loads_no_package_that_it_does_not_use(tmp_path):
    command = [sys.executable, "-X", "importtime", "-m", "diadema.switch", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2, "no exchange is set up"
    times = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    loaded = [line.rpartition("|")[2].strip() for line in times]
    assert {"nats", "httpx"} <= {*loaded}
    assert not [one for one in loaded if one.startswith(("aiohttp.", "click.", "rich."))]
