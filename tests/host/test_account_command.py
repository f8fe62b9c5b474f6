"""`diadema account` and `diadema privacy` as a shell sees them."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from diadema.access import Accounts
from diadema.base.paths import DataDir
from diadema.cli import main

from tests.support.reported_day import stations
from tests.support.scripted_station import T0


@pytest.fixture
def shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Runs a command on one data directory; gives its exit code and its JSON or its words."""

    def ask(*arguments: object, code: int = 0) -> Any:
        command = ["diadema", *map(str, arguments), "--data", str(tmp_path)]
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
    accounts = Accounts(DataDir(tmp_path))
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


def test_a_team_that_is_not_there_is_refused(shell: Any, tmp_path: Path) -> None:
    stations(tmp_path)
    said = shell("account", "add", "sup", "--role", "supervisor", "--team", "Oeste", code=2)
    assert "no team 'Oeste'" in said and "Mañana" in said


def test_a_token_is_made_listed_and_revoked(shell: Any, tmp_path: Path) -> None:
    made = shell("account", "token", "central", "--role", "switch", "--days", 3, "--json")
    (one,) = shell("account", "token", "--json")
    assert made["token"] not in json.dumps(one)
    accounts = Accounts(DataDir(tmp_path))
    assert accounts.tokens.person(made["token"], "") is not None
    shell("account", "token", "--revoke", one["number"])
    assert accounts.tokens.person(made["token"], "") is None
    accounts.close()
    assert "role is one of" in shell("account", "token", "x", "--role", "service", code=2)


def test_a_persons_data_is_handed_over_and_erased(shell: Any, tmp_path: Path) -> None:
    stations(tmp_path)
    out = tmp_path / "rosa.zip"
    assert shell("privacy", "export", "a001", "-o", out, "--json")["contacts"] > 0
    assert "nothing is kept" in shell("privacy", "export", "zz", "-o", out, code=2)
    day = "2026-11-01"
    assert T0 > 1_793_000_000_000  # the sample's days are after it
    assert shell("privacy", "erase", "--before", day, "--json")["events"] == 0
    assert shell("privacy", "erase", "--before", "2500-01-01", code=2)
