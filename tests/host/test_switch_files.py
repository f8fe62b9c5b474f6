"""What `diadema switch config` writes for an Asterisk: least rights, the site's own areas and ways
out, and no name from the directory that would say something to the exchange.
"""

import json
import re
import stat

import pytest
from diadema.base import credentials
from diadema.base.errors import DiademaError
from diadema.cli import main
from diadema.ingest.core import Ingest
from diadema.site import description as sites
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.people import Area, People
from diadema.site.directory.problems import Wrong
from diadema.store import open_writer
from diadema.switch import settings as stored
from diadema.switch.asterisk.files import NATIONAL, Writing, is_dialled, written
from diadema.switch.settings import Settings
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tests.support.answering_asterisk import site_with_phones
from tests.support.scripted_station import T0, FixedClock, Script

PASSWORDS = {"ami": "una-clave-larga", "ari": "otra-clave-larga"}


def writing(people=None, settings=None, **more):
    values = {
        "settings": settings or Settings(allowed=[*NATIONAL]), "passwords": PASSWORDS,
        "people": people or People(), "ring_limit_s": 20, "context": "from-internal",
        "address": "127.0.0.1", "version": 22, "phones": {},
    }  # fmt: skip
    return Writing(**values | more)


def read(text):
    """(section, name, value) of each line, as Asterisk reads them: a `;` begins a comment."""
    section, found = "", []
    for raw in text.splitlines():
        assert ";--" not in raw, "this would begin a comment of many lines"
        line = raw.partition(";")[0].strip()
        if not line:
            continue
        if line.startswith("["):
            section = re.fullmatch(r"\[([^\[\]]+)\](?:\(!\))?", line)[1]
            continue
        assert not line.startswith("#")
        name, sign, value = line.partition("=")
        assert sign, line
        found.append((section, name.strip(), value.removeprefix(">").strip()))
    return found


def lines(its, name, section=None):
    return [
        (key, value) for where, key, value in read(written(its)[name]) if section in (None, where)
    ]


# -- who we are there


def test_the_user_of_ami_has_three_classes_and_comes_from_our_address_alone():
    found = lines(writing(), "manager_diadema.conf", "diadema")
    rights = [pair for pair in found if not pair[0].startswith("eventfilter")]
    assert rights == [
        ("secret", PASSWORDS["ami"]), ("deny", "0.0.0.0/0.0.0.0"),
        ("permit", "127.0.0.1/255.255.255.255"), ("read", "agent,call,reporting"),
        ("write", "agent,call,reporting"), ("writetimeout", "5000"),
    ]  # fmt: skip


def test_events_are_filtered_by_name_or_for_older_ones_by_an_expression():
    people = People(phones={"DIA-1": ("PJSIP/101", "auto_answer"), "DIA-2": ("SIP/7", "nailed")})
    newer = written(writing(people))["manager_diadema.conf"]
    older = written(writing(people, version=20))["manager_diadema.conf"]
    named = "eventfilter(action(include),name(AgentConnect)) ="
    expression = "eventfilter = Device: (PJSIP/|SIP/|Custom:diadema-)"
    assert f"\n{named}\n" in newer and f"\n; {named}\n" in older
    assert f"\n{expression}\n" in older and f"\n; {expression}\n" in newer
    assert "name(DeviceStateChange),header(Device),method(starts_with)) = SIP/" in newer


def test_an_address_of_ipv6_is_let_in_as_well():
    found = dict(lines(writing(address="fd00::7"), "manager_diadema.conf"))
    assert (found["deny"], found["permit"]) == ("::/0", "fd00::7/128")


def test_the_user_of_ari_may_write():
    assert lines(writing(), "ari_diadema.conf", "diadema") == [
        ("type", "user"), ("read_only", "no"), ("password", PASSWORDS["ari"]),
    ]  # fmt: skip


# -- calls


def matches(pattern, number):
    """Whether Asterisk's pattern is that number's."""
    spelled = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": ".+"}
    expression = re.sub(r"\[[^\]]*\]|[XZN.]", lambda m: spelled.get(m[0], m[0]), pattern)
    return re.fullmatch(expression, number) is not None


@pytest.mark.parametrize(
    ("number", "allowed"),
    [
        ("987654321", True), ("4567890", True), ("014567890", True), ("044234567", True),
        ("084234567", True), ("080012345", False), ("080812345", False), ("080112345", False),
        ("0051987654321", False), ("00112125550100", False), ("105", False), ("1234567", False),
        ("98765432", False), ("9876543210", False), ("*98", False),
    ],
)  # fmt: skip
def test_agents_dial_within_the_country_and_nothing_that_costs_more(number, allowed):
    assert any(matches(one, number) for one in NATIONAL) == allowed


def test_a_listener_hears_that_one_call_in_the_way_that_was_asked_for_and_no_key_changes_it():
    """`d` would let a key do that; without `E` and `S` the next call would be heard."""
    found = lines(writing(), "extensions_diadema.conf", "diadema-escucha")
    assert found == [
        ("exten", "escucha,1,ChanSpy(${OBJETIVO},qES)"),
        ("exten", "susurro,1,ChanSpy(${OBJETIVO},qwES)"),
        ("exten", "junto,1,ChanSpy(${OBJETIVO},qBES)"),
    ]
    its = writing(settings=Settings(allowed=[], listeners={"luz": "SIP/900"}))
    assert "starts_with)) = SIP/" in written(its)["manager_diadema.conf"]


def test_ways_out_are_those_of_the_site_and_go_through_its_own_dialplan():
    its = writing(settings=Settings(allowed=["9XXXXXXXX", "0[4-7]ZXXXXXX"]), context="salida-lima")
    assert lines(its, "extensions_diadema.conf", "diadema-salida") == [
        ("exten", f"_{one},1,Goto(salida-lima,${{FILTER(0-9,${{EXTEN}})}},1)")
        for one in ("9XXXXXXXX", "0[4-7]ZXXXXXX")
    ]


@pytest.mark.parametrize("pattern", ["[", "]9", "[9", "9-X", ".", "9..", "[-9]X", ""])
def test_a_way_out_that_asterisk_would_read_otherwise_is_refused(pattern):
    with pytest.raises(DiademaError):
        written(writing(settings=Settings(allowed=[pattern])))


def test_areas_are_those_of_the_directory_and_no_other_number():
    areas = {
        "soporte": Area(label="Soporte; --[técnico]", number="700"),
        "banco": Area(label="Banco", number="*45#"), "mudo": Area(label="Mudo"),
    }  # fmt: skip
    its = writing(People(areas=areas))
    assert lines(its, "extensions_diadema.conf", "diadema-areas") == [
        ("exten", "*45#,1,Goto(from-internal,*45#,1)"),
        ("exten", "700,1,Goto(from-internal,700,1)"),
    ]


def test_while_the_bridge_is_away_the_telephone_of_the_last_login_rings():
    found = lines(writing(phones={"a001": "PJSIP/101"}), "extensions_diadema.conf")
    assert ("exten", "_[a-zA-Z0-9].,1,Stasis(diadema,oferta,${EXTEN})") in found
    assert ("same", "n(suena),Dial(${TEL},25)") in found
    assert ("exten", "a001,1,Set(TEL=PJSIP/101)") in found
    assert ("same", "n,Set(TEL=${DIADEMA_TEL_${EXTEN}})") in found


@pytest.mark.parametrize("agent", ["h", "i", "_x", "-a", ""])
def test_an_agent_who_would_be_a_pattern_or_an_event_of_the_dialplan_is_left_out(agent):
    found = lines(writing(phones={agent: "PJSIP/101"}), "extensions_diadema.conf")
    assert not [value for _, value in found if value.startswith(f"{agent},1,")]


def test_queues_wait_longer_than_a_station_rings():
    found = dict(lines(writing(ring_limit_s=30), "queues_diadema.conf", "diadema-cola"))
    assert found["timeout"] == "32" and found["ringinuse"] == "no"
    assert "member" not in found


# -- names from people


ANY = st.text(max_size=30) | st.sampled_from(
    [
        "a\n[todo]\nwrite = all",
        "a\r\n#include /etc/passwd",
        "x;--",
        "a|b",
        "a\x0b[x]",
        "a\u2028[x]",
    ]
)


@given(ANY, ANY, ANY, ANY, ANY, ANY)
def test_no_name_says_anything_to_the_exchange(label, number, phone, agent, password, address):
    people = People(
        areas={"x": Area(label=label, number=number)}, phones={"DIA-1": (phone, "auto_answer")}
    )
    for its in (
        writing(People(areas={"x": Area(label=label, number="700")})),
        writing(people),
        writing(phones={agent: "PJSIP/101"}),
        writing(phones={"a001": phone}),
        writing(passwords={"ami": password, "ari": password}),
        writing(address=address),
        writing(context=label),
    ):
        try:
            texts = written(its)
        except DiademaError:
            continue
        shape = {name: structure(text) for name, text in texts.items()}
        assert shape == {name: structure(text) for name, text in written(plain(its)).items()}


@pytest.mark.parametrize(
    "phone",
    ["PJSIP/..", "PJSIP/.", "PJSIP/101/../..", "PJSIP/101&PJSIP/900123456", "Local/101",
     "local/101", "Local/101@from-internal", "PJSIP/${SHELL(id)}", "PJSIP/101,60,g", "PJSIP/-1",
     "PJSIP/101@trunk", "SIP/101;x", "PJSIP/", "/101", "PJSIP/１０１"],
)  # fmt: skip
def test_an_extension_is_one_telephone_and_nothing_else(phone):
    """What a queue or a key calls: no second one, no way round the guard, no other address."""
    with pytest.raises(DiademaError):
        written(writing(phones={"a001": phone}))
    with pytest.raises(DiademaError):
        written(writing(People(phones={"DIA-1": (phone, "auto_answer")})))
    with pytest.raises(Wrong):
        KINDS["seats"].read({"code": "A-01", "station": "DIA-000000000001", "extension": phone})


def plain(its):
    """The same with names that are harmless."""
    people = People(
        areas={"x": Area(label="Soporte", number="700")} if any(_numbers(its)) else {},
        phones=dict.fromkeys(its.people.phones, ("PJSIP/101", "auto_answer")),
    )
    known = dict.fromkeys(["a001"] if any(map(is_dialled, its.phones)) else [], "PJSIP/101")
    return writing(people, phones=known, address="::1" if ":" in its.address else "127.0.0.1")


def _numbers(its):
    return [one for one in its.people.areas.values() if one.number]


def structure(text):
    """Its sections, and how many lines each has of what name."""
    return [(section, name) for section, name, _ in read(text)]


# -- the command


@pytest.fixture
def data(tmp_path):
    made = site_with_phones(tmp_path / "data")
    described = sites.load(made.site)
    writer = open_writer(made.store)
    try:
        seat = Script().boot().clock().login().logout()
        Ingest(writer, described, FixedClock(T0 + 60_000)).take(
            seat.messages(), "stream", "server"
        )
    finally:
        writer.close()
    return made


def typed(data, *words, code=0):
    words = ["--lang", "es", "switch", "config", "asterisk", *map(str, words)]
    done = CliRunner().invoke(main.app, [*words, "--data", str(data.root)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == code, done.output
    return done.output


def test_passwords_are_made_once_and_only_their_owner_reads_the_files(data, tmp_path):
    out = tmp_path / "central"
    said = typed(data, "--out", out, "--context", "internos")
    names = {"manager", "ari", "extensions", "queues"}
    assert {path.name for path in out.iterdir()} == {f"{name}_diadema.conf" for name in names}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in out.iterdir())
    known = credentials.load(data).exchange
    assert len(known["ami"]) > 24 and known["ami"] != known["ari"]
    assert f"secret = {known['ami']}\n" in (out / "manager_diadema.conf").read_text()
    assert known["ami"] not in said and known["ari"] not in said
    for name in names:
        assert f"#include {name}_diadema.conf" in said
    assert "ari_additional_custom.conf" in said and "Issabel" in said and "timeout=22" in said
    before = {path.name: path.read_text() for path in out.iterdir()}
    typed(data, "--out", out, "--context", "internos")
    assert {path.name: path.read_text() for path in out.iterdir()} == before


def test_what_was_set_up_is_what_is_written(data, tmp_path):
    stored.write(data, Settings(user="puente", allowed=["9XXXXXXXX"]))
    typed(data, "--out", tmp_path / "x")
    assert "[puente]" in (tmp_path / "x" / "ari_diadema.conf").read_text()
    dialplan = (tmp_path / "x" / "extensions_diadema.conf").read_text()
    assert "exten => _9XXXXXXXX,1," in dialplan and "exten => _01" not in dialplan
    assert "exten => a001,1,Set(TEL=PJSIP/101)\n" in dialplan  # where she was last logged in
    assert "exten => 700,1,Goto(from-internal,700,1)\n" in dialplan


def test_a_password_that_would_end_its_line_is_refused_and_nothing_is_written(data, tmp_path):
    credentials.load_or_create(data)
    with credentials.changing(data) as known:
        known.exchange = {"ami": "buena;clave", "ari": "otra-clave-larga"}
    with pytest.raises(DiademaError, match="password"):
        typed(data, "--out", tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_a_machine_elsewhere_is_let_in_by_the_address_that_is_said(data, tmp_path):
    stored.write(data, Settings(host="192.0.2.7", tls=True))
    typed(data, "--out", tmp_path / "x", "--from", "192.0.2.9")
    assert "permit = 192.0.2.9/" in (tmp_path / "x" / "manager_diadema.conf").read_text()


def test_json_names_the_files_and_no_password(data, tmp_path):
    said = typed(data, "--out", tmp_path / "x", "--json")
    assert len(json.loads(said)["files"]) == 4
    assert credentials.load(data).exchange["ami"] not in said
