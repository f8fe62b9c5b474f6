"""`diadema account` and `diadema privacy` as a shell sees them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from diadema.access import Accounts
from diadema.access.roles import PEOPLE_ROLES
from diadema.base.credentials import load
from diadema.base.paths import DataDir
from diadema.cli import main
from diadema.cli.account import _ROLES

from tests.support.reported_day import stations
from tests.support.scripted_station import T0


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Runs a command on one data directory; gives its exit code and its JSON or its words."""

    def ask(*arguments: object, code: int = 0) -> Any:
        command = ["diadema", *map(str, arguments), "--data", str(tmp_path / "data")]
        monkeypatch.setattr(sys, "argv", command)
        got: Any = 0
        try:
            main.main()
        except SystemExit as end:
            got = end.code or 0
        out, errors = capsys.readouterr()
        assert got == code, errors
        return json.loads(out) if "--json" in arguments else out or errors

    return ask


def test_an_account_is_made_shown_shut_out_and_let_in_again(shell: Any, tmp_path: Path) -> None:
    code = shell("account", "setup-code", "--json")["code"]
    made = shell("account", "add", "Jefa", "--role", "admin", "--json")
    shell("account", "add", "sup", "--role", "supervisor", "--team", "Norte", "--team", "Sur")
    assert "accounts already" in shell("account", "setup-code", code=2)
    listed = {one["id"]: one for one in shell("account", "list", "--json")}
    assert listed["sup"]["teams"] == ["Norte", "Sur"] and listed["jefa"]["must_change"]
    assert "password" not in json.dumps(list(listed.values()))
    accounts = Accounts(DataDir(tmp_path / "data"))
    assert not accounts.codes.sets_up(code)
    assert accounts.book.proves("jefa", made["password"]) is not None
    shell("account", "disable", "sup")
    assert accounts.book.get("sup").disabled
    shell("account", "disable", "sup", "--enable")
    renewed = shell("account", "reset", "jefa", "--json")["password"]
    assert accounts.book.proves("jefa", made["password"]) is None
    assert accounts.book.proves("jefa", renewed) is not None
    assert "last administrator" in shell("account", "disable", "jefa", code=2)
    who = {row["who"].partition(":")[0] for row in shell("account", "audit", "--json")}
    assert who == {"shell"}
    assert shell("account", "audit", "--check", "--json") == {"whole": True, "faults": []}
    with accounts.engine.begin() as tx:
        tx.exec_driver_sql("UPDATE audit SET what = 'x' WHERE number = 2")
    (fault,) = shell("account", "audit", "--check", "--json", code=1)["faults"]
    assert fault == {"ledger": "audit", "what": "changed", "number": 2}
    accounts.close()


def test_every_role_of_a_person_is_named_in_the_help() -> None:
    assert _ROLES.split(", ") == [*PEOPLE_ROLES]


def test_a_team_that_is_not_there_is_refused(shell: Any, tmp_path: Path) -> None:
    stations(tmp_path / "data")
    said = shell("account", "add", "sup", "--role", "supervisor", "--team", "Oeste", code=2)
    assert "no team 'Oeste'" in said and "Mañana" in said


def test_a_token_is_made_listed_and_revoked(shell: Any, tmp_path: Path) -> None:
    made = shell("account", "token", "central", "--role", "switch", "--days", 3, "--json")
    (one,) = shell("account", "token", "--json")
    assert made["token"] not in json.dumps(one)
    accounts = Accounts(DataDir(tmp_path / "data"))
    assert accounts.tokens.person(made["token"], "") is not None
    shell("account", "token", "--revoke", one["number"])
    assert accounts.tokens.person(made["token"], "") is None
    accounts.close()
    assert "role is one of" in shell("account", "token", "x", "--role", "service", code=2)


def test_a_persons_data_is_handed_over_and_erased(shell: Any, tmp_path: Path) -> None:
    stations(tmp_path / "data")
    out = tmp_path / "rosa.zip"
    assert shell("privacy", "export", "a001", "-o", out, "--json")["contacts"] > 0
    assert "nothing is kept" in shell("privacy", "export", "zz", "-o", out, code=2)
    day = "2026-11-01"
    assert T0 > 1_793_000_000_000  # the sample's days are after it
    assert shell("privacy", "erase", "--before", day, "--json")["events"] == 0
    assert shell("privacy", "erase", "--before", "2500-01-01", code=2)


def test_an_identity_provider_is_set_shown_and_removed(shell: Any, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("of-the-client\n")
    given = ("account", "provider", "set", "https://id.example/a", "--client", "diadema")
    given += ("--name", "Intranet", "--claim", "groups", "--agent-claim", "worker")
    given += ("--grant", "a=b=supervisor/Norte/Sur", "--grant", "all=agent")
    assert "no identity provider" in shell("account", "provider", "show", code=2)
    assert "/login/provider/back" in shell(*given, "--secret-file", secret)
    shown = shell("account", "provider", "show", "--json")
    assert shown["grants"] == {
        "a=b": {"role": "supervisor", "teams": ["Norte", "Sur"]},
        "all": {"role": "agent", "teams": []},
    }
    words = shell("account", "provider", "show")
    assert "groups = a=b: supervisor/Norte/Sur" in words and "secret stored: yes" in words
    data = DataDir(tmp_path / "data")
    assert data.secrets.stat().st_mode & 0o077 == 0
    assert load(data).provider == "of-the-client" and "of-the-client" not in json.dumps(shown)
    shell(*given, "--algorithm", "ES256")  # the secret stays
    assert load(data).provider == "of-the-client"
    shell("account", "provider", "remove")
    assert load(data).provider == ""
    assert "no identity provider" in shell("account", "provider", "remove", code=2)
    accounts = Accounts(data)
    rows = [row.what for row in accounts.audit.rows()]
    assert rows == ["provider.remove", "provider.set", "provider.set"]
    assert "of-the-client" not in json.dumps([row.detail for row in accounts.audit.rows()])
    accounts.close()


@pytest.mark.parametrize(
    ("issuer", "more", "why"),
    [
        ("http://id.example", (), "begins with https"),
        ("https://id.example?x=1", (), "begins with https"),
        ("https://id.example", ("--algorithm", "none"), "RS256, ES256"),
        ("https://id.example", ("--algorithm", "HS256"), "RS256, ES256"),
        ("https://id.example", ("--grant", "jefes=admin"), "local account"),
        ("https://id.example", ("--grant", "x=boss"), "one of these roles"),
        ("https://id.example", ("--grant", "asesores=agent"), "--agent-claim"),
        ("https://id.example", ("--grant", "supervisor"), "is not understood"),
        ("https://id.example", ("--ca", "no-pem"), "not the certificate"),
        ("https://id.example", ("--ca", "empty"), "not the certificate"),
        ("https://id.example", ("--ca", "der"), "not the certificate"),
        ("https://id.example", ("--claim", ""), "needs --client"),
    ],
)
def test_what_is_no_identity_provider_is_refused(
    shell: Any, tmp_path: Path, issuer: str, more: tuple[str, ...], why: str
) -> None:
    files = {"no-pem": b"-----BEGIN CERTIFICATE-----\nx\n", "empty": b"", "der": b"\x30\x82\xff"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    more = tuple(str(tmp_path / one) if one in files else one for one in more)
    given = ("account", "provider", "set", issuer, "--client", "d", "--name", "I")
    assert why in shell(*given, "--claim", "g", "--grant", "rrhh=hr", *more, code=2)
    data = DataDir(tmp_path / "data")
    data.make()
    accounts = Accounts(data)
    assert accounts.providers.get() is None
    accounts.close()
