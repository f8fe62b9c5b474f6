"""`diadema people`: in and out of files, and in force."""

import json

import pytest
from diadema.base.errors import DiademaError
from diadema.cli.main import app
from diadema.site.description import load
from diadema.site.directory import queries
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.scorecard_template import template
from diadema.site.directory.scorecards import scorecard_of, whole_problems
from diadema.site.example import EXAMPLE
from typer.testing import CliRunner

HEAD = "Código;Nombre;Nombre en pantalla;Alias\n"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "site.json").write_text(EXAMPLE)

    def run(*words, code=0, given=None):
        arguments = ["people", *map(str, words), "--data", str(tmp_path / "data")]
        done = CliRunner().invoke(app, arguments, input=given, catch_exceptions=False)
        assert done.exit_code == code, done.output
        return done.stdout

    return run


def test_out_in_and_in_force(run, tmp_path):
    file = tmp_path / "asesores.xlsx"
    run("export", "agents", "-o", file)
    told = json.loads(run("import", "agents", file, "--by", "Ana", "--json"))
    assert (told["unchanged"], told["added"], told["done"]) == (2, 0, True)
    new = tmp_path / "nueva.csv"
    new.write_text(HEAD + "e010;Nueva Inventada;NUEVA;E10\n")
    assert "1 added" in run("import", "agents", new, "--dry-run")
    assert "e010" not in run("export", "agents")
    run("import", "agents", new, "--by", "Ana")
    assert "e010;Nueva Inventada" in run("export", "agents")
    assert "+ e010" in run("publish", "--dry-run")
    assert "Stored" in run("publish", "--by", "Ana")
    site = json.loads((tmp_path / "data" / "site.json").read_text())
    assert [agent["id"] for agent in site["agents"]] == ["e001", "e002", "e010"]
    assert "already" in run("publish", "--dry-run")
    assert "nueva.csv" in run("history", "agents", "e010")


def test_a_wrong_row_is_told_and_ends_with_1(run, tmp_path):
    file = tmp_path / "mala.csv"
    file.write_text(HEAD + "e010;;NUEVA;E10\ne011;Otra Inventada;OTRA;E11\n")
    said = run("import", "agents", file, "--by", "Ana", code=1)
    assert "row 2, Name: is missing" in said and "Nothing was imported" in said
    said = run("import", "agents", file, "--by", "Ana", "--language", "en", "--skip-bad")
    assert "row 2, Name: is missing" in said and "1 added" in said


def test_a_pin_is_in_force_with_the_next_publication_and_in_no_export(run, tmp_path):
    run("pin", "e002", "--stdin", given="142536\n")
    run("publish", "--by", "Ana")
    agents = load(tmp_path / "data" / "site.json").agents
    assert [":" in agent.pin for agent in agents] == [True, True]
    for agent in agents:
        assert agent.pin not in run("export", "agents")
        assert agent.pin not in run("history", "agents", agent.id, "--json")


def test_what_is_in_the_file_only_is_taken_in(run, tmp_path):
    run("export", "areas")
    described = json.loads(EXAMPLE)
    described["areas"].append({"code": "nueva", "label": "Nueva"})
    (tmp_path / "data" / "site.json").write_text(json.dumps(described))
    assert "1 entries changed" in run("take-in", "--by", "Ana")
    assert "nueva;Nueva" in run("export", "areas")
    described["agents"].pop()
    (tmp_path / "data" / "site.json").write_text(json.dumps(described))
    words = ["people", "take-in", "--by", "Ana", "--data", str(tmp_path / "data")]
    refused = CliRunner().invoke(app, words)
    assert "1 Agents (e002)" in str(refused.exception) and "- e002" in refused.stdout
    assert "e002" in run("export", "agents")
    assert "1 entries changed" in run("take-in", "--by", "Ana", "--whole")
    assert "e002" not in run("export", "agents")


def test_what_publish_says_does_not_contradict_itself(run, tmp_path):
    run("export", "areas")
    assert run("publish", "--by", "Ana").strip() == "Nothing is new: it is in force already."
    file = tmp_path / "nueva.csv"
    file.write_text(HEAD + "e010;Nueva Asesora;NUEVA;E10\n")
    run("import", "agents", file, "--by", "Ana")
    assert "start" not in run("publish", "--dry-run")
    said = run("publish", "--by", "Ana")
    assert "Stored; the hub takes it at its next start." in said and "Nothing" not in said


def test_a_site_put_in_force_by_hand_says_how_it_is_kept(run, tmp_path):
    def site():
        words = ["site", str(tmp_path / "data" / "site.json"), "--data", str(tmp_path / "data")]
        return CliRunner().invoke(app, words, catch_exceptions=False).stdout

    assert "take-in" not in site()
    run("export", "areas")
    assert "diadema people take-in" in site()


def test_a_site_that_lacks_people_is_not_put_in_force_by_mistake(run, tmp_path):
    def site(*words):
        file = tmp_path / "example.json"
        words = ["site", str(file), *words, "--data", str(tmp_path / "data")]
        return CliRunner().invoke(app, words)

    new = tmp_path / "nueva.csv"
    rows = "".join(f"x{n:03};Inventada {n};NUEVA {n};X{n}\n" for n in range(28))
    new.write_text(HEAD + rows)
    run("import", "agents", new, "--by", "Ana")  # they are not even in force yet
    (tmp_path / "example.json").write_text(EXAMPLE)
    for _ in range(2):
        refused = site()
        assert isinstance(refused.exception, DiademaError)
        said = str(refused.exception)
        assert "28 Agents" in said and "x000, x001" in said and "--whole" in said
        assert "- x000" in refused.stdout and "and 8 more" in refused.stdout
        run("publish", "--by", "Ana")  # in force or not: they would be out
    assert len(load(tmp_path / "data" / "site.json").agents) == 30
    assert "- x000" in site("--check").stdout
    told = json.loads(site("--check", "--json").stdout)["differences"]
    assert [(one["part"], len(one["removed"])) for one in told] == [("agents", 28)]
    assert len(load(tmp_path / "data" / "site.json").agents) == 30
    assert "- x000" in site("--whole").stdout
    assert len(load(tmp_path / "data" / "site.json").agents) == 2


def test_a_site_that_takes_nothing_out_is_not_asked_about(run, tmp_path):
    described = json.loads(EXAMPLE)
    described["agents"].append({"id": "e003", "name": "Tres", "short": "TRES", "alias": "E3"})
    described["stations"][0]["seat"] = "A-09"
    file = tmp_path / "more.json"
    file.write_text(json.dumps(described))
    words = ["site", str(file), "--data", str(tmp_path / "data")]
    said = str(CliRunner().invoke(app, words).exception)
    assert "1 Seats (A-01)" in said and "Agents" not in said
    described["stations"][0]["seat"] = "A-01"
    described["agents"][0]["name"] = "Otro Nombre"
    file.write_text(json.dumps(described))
    printed = CliRunner().invoke(app, words, catch_exceptions=False).stdout
    assert "+ e003" in printed and "~ e001" in printed and "e002" not in printed
    printed = CliRunner().invoke(app, words, catch_exceptions=False).stdout
    assert "e003" not in printed  # the same once more
    teams = tmp_path / "teams.csv"
    teams.write_text("Team\nSin nadie\n")
    run("import", "teams", teams, "--by", "Ana")
    described["agents"][1]["name"] = "Otra Más"
    file.write_text(json.dumps(described))
    printed = CliRunner().invoke(app, words, catch_exceptions=False).stdout
    assert "~ e002" in printed and "Sin nadie" not in printed  # no file takes a team out there


def test_the_kinds_are_listed(capfd):
    for language, name in (("es", "Razón social"), ("en", "Registered name")):
        done = CliRunner().invoke(app, ["--lang", language, "people", "kinds", "--json"])
        assert json.loads(done.stdout)["employers"]["name"] == name


def test_a_scorecard_from_the_template_is_published_as_its_versions(run, tmp_path, monkeypatch):
    assert "13 items" in run("template", "atencion", "--by", "Luz")
    with pytest.raises(DiademaError, match="is there already"):
        run("template", "atencion", "--by", "Luz")
    assert run("publish", "scorecards", "--dry-run") == "atencion: version 1\n"
    with pytest.raises(DiademaError, match="hub"):
        run("publish", "scorecards", "--by", "Luz")
    asked = []

    async def ask(data, subject, body):
        asked.append(body)
        return {}

    monkeypatch.setattr(queries, "ask_hub", ask)
    with pytest.raises(DiademaError, match="nada"):
        run("publish", "scorecards", "--by", "Luz", "--code", "nada")
    assert run("publish", "scorecards", "--by", "Luz", "--code", "atencion") == (
        "atencion: version 1\n"
    )
    assert [(one["catalogue"], one["version"]) for one in asked] == [("scorecard.atencion", 1)]
    assert "already" in run("publish", "scorecards", "--by", "Luz")
    file = tmp_path / "items.csv"
    file.write_text("Scorecard;Code;Section;Item;Weight\natencion;escucha;actitudes;Escucha;20\n")
    run("import", "scorecard_items", file, "--by", "Luz")
    (told,) = json.loads(run("publish", "scorecards", "--by", "Luz", "--json"))
    assert (told["version"], told["hash"]) == (2, asked[1]["hash"])
    assert json.loads(run("publish", "notices", "--by", "Luz", "--json")) == []


@pytest.mark.parametrize("language", ["es", "en"])
def test_the_template_can_be_published_as_it_is(language):
    form = scorecard_of(*parts_of(template("atencion", language)))
    assert [*whole_problems(form)] == []
    assert sum(item.weight for item in form.items) == 100
    attitudes = [item.code for item in form.items if item.section == "actitudes"]
    assert attitudes == ["escucha", "trato", "dominio", "responsabilidad"]
    assert [item.checks for item in form.items if item.checks] == [
        "disposition", "recording_notice",
    ]  # fmt: skip


def parts_of(changes):
    of = {kind: [one.body for one in changes if one.kind == kind] for kind in KINDS}
    return of["scorecards"][0], of["scorecard_sections"], of["scorecard_items"]
