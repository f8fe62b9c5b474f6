"""`diadema quality notices`: who was informed, and a sheet of papers looked at. What a hub notes
of one is in `tests/system/test_notice.py`.
"""

import json

import pytest
from diadema.base.errors import DiademaError
from diadema.cli.main import app
from diadema.words import Sentence
from typer.testing import CliRunner

from tests.support.notice_room import NoticeRoom

HEAD = "Asesor;Fecha;Número de documento;Cómo;Testigos\n"


@pytest.fixture
def room(tmp_path):
    found = NoticeRoom(tmp_path / "data")
    yield found
    found.end()


@pytest.fixture
def run(room):
    def run(*words, code=0):
        arguments = ["quality", "notices", *map(str, words), "--data", str(room.data.root)]
        done = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.stdout

    return run


def test_it_tells_who_was_informed_of_what(room, run):
    room.sign("a001", document="RH-1")
    room.write("agent", text="Otra cosa.")
    said = run("status")
    assert "agent v1, to agents: Aviso agent: 1 of 2 informed" in said
    assert "missing: a002" in said and "caller v1, to callers: Aviso caller" in said
    assert "To be published: agent" in said
    told = json.loads(run("status", "--json"))
    (its,) = (one for one in told["notices"] if one["code"] == "agent")
    assert its["counts"] == {"informed": 1, "older": 0, "missing": 1}
    assert [one["state"] for one in its["agents"]] == ["missing", "informed"]
    assert told["drafts"] == ["agent"]


def test_a_centre_without_notices_is_told_what_that_means(tmp_path):
    data = str(tmp_path)
    done = CliRunner().invoke(app, ["quality", "notices", "status", "--data", data])
    assert done.exit_code == 0 and "nobody can hear calls" in done.stdout


def test_a_sheet_is_looked_at_and_each_wrong_row_is_told(room, run, tmp_path):
    file = tmp_path / "firmas.csv"
    file.write_text(HEAD + "a001;2026-11-17;RH-9;;\nx9;2026-11-17;RH-9;;\n")
    said = run("sign", "agent", file, "--dry-run", code=1)
    assert "row 3, Agent: there is no agent with the code" in said
    assert "2 rows: 1 to be noted, 0 noted before" in said
    run("sign", "agent", file, "--by", "ANA", code=1)
    assert room.signatures() == []
    file.write_text(HEAD + "a001;2026-11-17;RH-9;;\n")
    told = json.loads(run("sign", "agent", file, "--dry-run", "--json"))
    assert (told["added"], told["done"]) == (1, False)


def test_who_does_it_has_a_name_and_the_notice_is_one(run, tmp_path):
    file = tmp_path / "firmas.csv"
    file.write_text(HEAD)
    with pytest.raises(DiademaError) as told:
        run("sign", "agent", file)
    assert isinstance(told.value.args[0], Sentence)
    with pytest.raises(DiademaError) as told:
        run("sign", "caller", file, "--dry-run")
    assert "caller" in told.value.say("es")
