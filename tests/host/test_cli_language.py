"""The command line speaks one language in a run: `--lang`, else the site's, else the locale's."""

import ast
import contextlib
import io
import json
import re
import sys
from pathlib import Path

import diadema_sim
import pytest
from diadema import cli
from diadema.base.errors import DiademaError
from diadema.base.paths import DataDir
from diadema.cli import main
from diadema.report.kinds import KINDS
from diadema.site.directory import kinds as directory
from diadema.words import LANGUAGES, Sentence, section
from diadema_sim.demo import print_shift
from rich.console import Console

from tests.support.bank_files import Log
from tests.support.scripted_station import SITE

OTHER = {"es": "en", "en": "es"}
AREAS = ("commands", "errors")
# what is typed as it is in any language: commands, options, files, kinds
AS_TYPED = r"`[^`]*`|--\w[\w-]*|\S+\.\w+|diadema( [a-z-]+)+|" + "|".join(
    rf"\b{kind}\b" for kind in (*KINDS, *directory.KINDS)
)


@pytest.fixture
def command(monkeypatch, capsys, tmp_path):
    """Run `diadema` on a directory; gives all that it says."""
    monkeypatch.delenv("DIADEMA_LANG")

    def call(*words, data=tmp_path):
        given = ["diadema", *map(str, words)]
        monkeypatch.setattr(sys, "argv", [*given, "--data", str(data)] if data else given)
        with contextlib.suppress(SystemExit):
            main.main()
        return "".join(capsys.readouterr())

    return call


def with_site(folder, language):
    folder.mkdir(exist_ok=True)
    DataDir(folder).site.write_text(json.dumps(SITE | {"language": language}))
    return folder


# -- which language


def test_the_sites_language_is_spoken_and_lang_overrules_it(command, tmp_path):
    said = {one: command("account", "list", data=with_site(tmp_path / one, one)) for one in OTHER}
    assert said == {"es": "Aún no hay ninguna cuenta.\n", "en": "There is no account yet.\n"}
    for words in (("--lang", "en", "account", "list"), ("account", "list", "--lang=en")):
        assert command(*words, data=tmp_path / "es") == said["en"]


@pytest.mark.parametrize(
    ("locale", "language"),
    [
        ({"LC_ALL": "es_PE.UTF-8"}, "es"),
        ({"LC_ALL": "", "LC_MESSAGES": "es_PE", "LANG": "en_US"}, "es"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": "es"}, "es"),
        ({"LC_ALL": "fr_FR.UTF-8"}, "en"),
        ({"LC_ALL": "C", "LANG": "es_PE"}, "en"),
        ({"LC_ALL": "", "LC_MESSAGES": "", "LANG": ""}, "en"),
    ],
)
def test_without_a_site_the_locale_decides(command, monkeypatch, locale, language):
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    expected = section("commands", language)["account.none"]
    assert command("account", "list") == f"{expected}\n"


def test_a_site_that_cannot_be_read_leaves_it_to_the_locale(command, tmp_path):
    DataDir(tmp_path).site.write_bytes(b"\xff[")
    assert command("account", "list") == "There is no account yet.\n"


def test_the_file_of_a_site_is_spoken_of_in_its_language(command, tmp_path):
    file = tmp_path / "new.json"
    file.write_text(json.dumps(SITE))
    assert "la descripción está bien" in command("site", file, "--check")


def test_an_error_is_said_in_any_language_and_logged_in_english():
    inner = DiademaError(Sentence("errors.cli.either_renew_revoke"))
    error = DiademaError(Sentence("errors.stations.path_reason", path="x", reason=inner))
    assert str(error) == "x: either --renew or --revoke"
    assert error.say("es") == "x: o --renew o --revoke"
    assert DiademaError("plain").say("es") == "plain"


def test_a_sentence_goes_over_a_wire_and_comes_back():
    inner = DiademaError(Sentence("errors.cli.no_boards_boards_give_their", boards=Path("/x")))
    one = Sentence("errors.stations.path_reason", path=3, reason=inner)
    again = Sentence.of(json.loads(json.dumps(one.parts())))
    assert [again.say(language) for language in LANGUAGES] == [
        one.say(language) for language in LANGUAGES
    ]


MISTYPED = [
    (
        ("privacy", "export", "a001"),
        "falta la opción --output / -o",
        "--output / -o is miss",
    ),
    (("privacy", "export"), "falta AGENT", "AGENT is missing"),
    (("hub", "--prt", "1"), "no hay una opción --prt; ¿", "there is no option --prt; "),
    (("hub", "--zzzz"), "no hay una opción --zzzz", "there is no option --zzzz"),
    (("hub", "--port"), "la opción --port lleva un valor", "the option --port takes a value"),
    (("hub", "--require-proof=1"), "--require-proof no lleva", "--require-proof takes no value"),
    (("hub", "--port", "many"), "--port no sirve: es un número entero", "it is a whole number"),
    (("hub", "--port", "99999"), "--port no sirve: es a lo más 65535", "it is 65535 at most"),
    (("privacy", "erase", "--retention", "0"), "es al menos 1", "it is 1 at least"),
    (("torture", "--share", "x"), "--share no sirve: es un número", "it is a number"),
    (
        ("privacy", "erase", "--before", "3"),
        "se escribe así: 2026-12-31",
        "so: 2026-12-31",
    ),
    (("people", "kinds", "--language", "fr"), "uno de estos: es, en", "one of: es, en"),
    (("acount",), "no hay una orden acount; ¿account?", "no command acount; acc"),
    (("account", "list", "x", "y"), "sobra: x y", "too much: x y"),
    (("account", "list", "--data="), "--data está vacío", "--data is empty"),
]


@pytest.mark.parametrize(("words", "spanish", "english"), MISTYPED, ids=lambda one: str(one)[:30])
def test_what_was_mistyped_is_said_in_the_language_of_the_run(command, words, spanish, english):
    for language, expected in (("es", spanish), ("en", english)):
        said = command(*words, "--lang", language, data=None)
        assert said.startswith("diadema: ") and expected in said
        plain = re.sub(AS_TYPED + r"|account|\b[A-Z]{2,}\b", " ", said.partition("\n")[0])
        mixed = set(re.findall(r"[a-zà-ÿ]{4,}", plain.lower()))
        assert not mixed & only_in(OTHER[language]), said
        foreign = {"es": "Usage", "en": "Uso"}[language]
        assert foreign not in said and "Traceback" not in said


def test_what_was_mistyped_follows_site_and_locale(command, monkeypatch, tmp_path):
    assert "there is no option" in command("account", "list", "--zz", data=None)
    with_site(tmp_path / "es", "es")
    assert "no hay una opción" in command("account", "list", "--zz", data=tmp_path / "es")
    monkeypatch.setenv("LANG", "es_PE.UTF-8")
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    assert "no hay una orden zz" in command("zz", data=None)


# -- all of it


def places(sentence):
    return sorted(re.findall(r"{(\w+)", sentence))


@pytest.mark.parametrize("area", AREAS)
def test_each_sentence_is_there_in_both_languages_with_the_same_values(area):
    spanish, english = section(area, "es"), section(area, "en")
    assert spanish.keys() == english.keys()
    same = {
        key: (spanish[key], english[key])
        for key in english
        if places(spanish[key]) != places(english[key])
    }
    assert same == {}


SAID_BY = {"print", "answer", "Table", "prompt", "getpass", "progress"}  # `screen.print` too
_WORDS = re.compile(r"[a-zà-ÿ]{3,} [a-zà-ÿ]{2,}", re.IGNORECASE)


def literals(call, speakers=("say", "text")):
    """The texts that a call says as they stand in the code: not those that name a sentence."""
    inner = {
        id(one)
        for node in ast.walk(call)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in speakers
        for one in ast.walk(node)
    }
    return [
        node.value
        for node in ast.walk(call)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner
    ]


def test_no_command_says_a_sentence_of_its_own():
    found, calls = [], 0
    for path in sorted(Path(cli.__file__).parent.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "attr", "") or getattr(
                getattr(node, "func", None), "id", ""
            )
            error = name.endswith("Error") and isinstance(node, ast.Call)
            if not isinstance(node, ast.Call) or not (name in SAID_BY or error):
                continue
            calls += 1
            found += [(path.name, text) for text in literals(node) if _WORDS.search(text)
                      if not (error and text.startswith("errors."))]  # fmt: skip
    assert calls > 60
    assert found == []


def test_no_simulator_says_a_sentence_of_its_own():
    found, calls = [], 0
    package = Path(diadema_sim.__file__).parent
    for path in sorted(package.rglob("*.py")):
        if path.is_relative_to(package / "exchange"):
            continue  # what an Asterisk says is a protocol's
        for node in ast.walk(ast.parse(path.read_text())):
            name = getattr(getattr(node, "func", None), "attr", "") or getattr(
                getattr(node, "func", None), "id", ""
            )
            if isinstance(node, ast.Call) and name in ("say", "stage"):
                calls += 1
                found += [(path.name, one) for one in literals(node, ("speak",))
                          if " " in one and re.search("[a-z]", one)]  # fmt: skip
    assert calls > 10
    assert found == []


def test_a_runs_summary_is_in_the_language_of_the_run(monkeypatch):
    summary = dict.fromkeys(
        ("stations", "events_journaled", "events_stored", "lost", "doubled", "contacts",
         "typified"), 7,
    )  # fmt: skip
    for language, lines in (
        ("es", ["estaciones", "eventos guardados", "perdidos", "atenciones"]),
        ("en", ["stations", "events stored", "lost", "contacts"]),
    ):
        screen = Console(file=io.StringIO(), width=100)
        monkeypatch.setattr("diadema.cli.speech.language", lambda spoken=language: spoken)
        print_shift(screen, summary)
        printed = screen.file.getvalue()
        assert [line for line in lines if line not in printed] == []
        assert printed.count("7") == len(summary)


# -- one run, one language


def only_in(language):
    """Words of four letters and more that the catalogues have in this language alone."""

    def words(of):
        text = " ".join(
            re.sub(r"{[^}]*}|`[^`]*`|--\w+", " ", one)
            for area in AREAS for one in section(area, of).values()
        )  # fmt: skip
        return set(re.findall(r"[a-zà-ÿ]{4,}", text.lower()))

    return words(language) - words(OTHER[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_many_commands_say_no_word_of_the_other_language(command, tmp_path, language):
    data = with_site(tmp_path / "data", language)
    log = tmp_path / "calls.tsv"
    Log().write(log)
    nobody = tmp_path / "0"
    runs = [
        ("account", "add", "ana", "--role", "admin"), ("account", "list"), ("account", "token"),
        ("account", "add", "ana", "--role", "admin"), ("account", "audit", "--check"),
        ("account", "disable", "0"), ("account", "setup-code"), ("ledger", "check"),
        ("people", "publish", "--by", "0"), ("people", "publish"),
        ("people", "history", "agents", "0"),
        ("people", "import", "agents", nobody, "--by", "0"), ("site", nobody),
        ("export", "cloudevents", "-o", tmp_path / "1"),
        ("import", "anonymous-bank", log), ("import", "queue-log", log, "--dry-run"),
        ("import", "journal", nobody), ("report", "month", "--month", "2026-13"),
        ("report", "day", "--day", "2026-13-01", "--kind", "tmo"), ("report", "day"),
        ("report", "day", "--kind", "0"), ("report", "schedule", "remove", "0"),
        ("fleet", "list"), ("fleet", "show", "0"), ("fleet", "log", "A-01"), ("rebuild",),
        ("privacy", "obey"), ("privacy", "export", "0", "-o", tmp_path / "2"),
        ("label", "0"), ("label",), ("enrol", "0"), ("enrol", "gateway"), ("mosquitto",),
        ("keys", "renew-ca"), ("update", "status"), ("selftest", "0"), ("selftest", "show", "0"),
        ("provision", "--port", nobody, "--seat", "0"), ("hub", "--tls-cert", nobody),
        ("service", "install", "--units", tmp_path / "3", "--gateway", "--", "/dev/ttyUSB0"),
        ("mail", "show"), ("mail", "test", "0"), ("mail", "allow", "0"), ("mail", "deny", "0"),
        ("mail", "set", "--server", "0", "--from", "0"), ("webhook", "add", "0", "0"),
        ("webhook", "list"), ("webhook", "on", "0"), ("webhook", "test", "0"),
        ("report", "schedule", "add", "0", "--kind", "tmo", "--to", "0"),
    ]  # fmt: skip
    foreign, said = only_in(OTHER[language]), {}
    for words in runs:
        out = command(*words, data=data)
        assert "Traceback" not in out and "Usage:" not in out, words
        out = out.replace(str(tmp_path), "")
        said[words] = out
        plain = re.sub(AS_TYPED, " ", out)
        mixed = set(re.findall(r"[a-zà-ÿ]{4,}", plain.lower())) & foreign
        assert not mixed, (words, mixed, out)
    assert sum(bool(out.strip()) for out in said.values()) > 30
