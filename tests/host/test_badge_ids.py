"""A badge's id is entered, and from then on stands nowhere: neither in the data directory nor in
what is shown or exported; of the keyed hash that is kept everything else goes on.
"""

import hashlib
import json
import sqlite3
import subprocess
import sys
from datetime import date

import pytest
from diadema.access.roles import Person
from diadema.base import credentials
from diadema.base.idempotency import Once
from diadema.base.paths import DataDir
from diadema.cli.site import install_site
from diadema.maintenance.personal_export import export
from diadema.site import badges, description, station_config
from diadema.site.directory import queries
from diadema.site.directory.book import Change, Directory
from diadema.site.directory.exporting import as_csv, as_xlsx, rows_of
from diadema.site.directory.importing import plan_import, run_import
from diadema.site.directory.kinds import KINDS
from diadema.site.directory.problems import Wrong
from diadema.site.directory.publishing import (
    changed_by_hand,
    differences,
    draft,
    open_directory,
    publish,
    take_in,
)
from diadema.site.directory.sheets import read_sheet
from diadema.site.file import take_apart
from hypothesis import given
from hypothesis import strategies as st

from tests.support.scripted_station import SITE, T0

UID, SECURE, LENT = "04A1B2C3D4E5F6", "04782E21801D80", "0BADCAFE"
HERS, PROVEN, TODAY = f"iso14443a:{UID}", f"desfire:{SECURE}", f"iso14443a:{LENT}"
DAY = date(2026, 11, 18)
ME = Person(id="jefa", name="Jefa", role="admin")


@pytest.fixture
def described(tmp_path):
    agents = json.loads(json.dumps(SITE["agents"]))
    agents[0] |= {"badges": [HERS, PROVEN]}
    agents[1] |= {"day_badges": [{"badge": TODAY, "day": DAY.isoformat()}]}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(SITE | {"agents": agents}))
    return path


@pytest.fixture
def data(tmp_path):
    data = DataDir(tmp_path / "data")
    data.make()
    return data


def standing(data):
    """Which ids stand in which files, as text or as bytes, in whatever case."""
    found = set()
    for path in data.root.rglob("*"):
        if path.is_file():
            text = path.read_bytes()
            for uid in (UID, SECURE, LENT):
                if uid.encode() in text.upper() or bytes.fromhex(uid) in text:
                    found.add((uid, path.name))
    return found


def hash_of(data, badge):
    return badges.badge_hash(bytes.fromhex(credentials.load(data).badge_key), badge)


def kept(data, badge):
    return badges.keys_of(data).stored(badge)


def apply(book, body, code="a001", kind="agents"):
    book.apply([Change(kind=kind, code=code, body=KINDS[kind].read(body))],
               by="Ana", reason="prueba", at_ms=T0)  # fmt: skip


def agent(book, code="a001"):
    return dict(book.entry("agents", code).body)


def test_a_site_that_is_put_in_force_keeps_hashes_and_stations_are_told_the_same(data, described):
    clear = description.load(described)
    install_site(described, data.root)
    assert HERS in described.read_text()  # whoever wrote it keeps it
    assert standing(data) == set()
    there, secrets = description.load(data.site), credentials.load(data)
    made = [
        station_config.ConfigMaker(
            one, secrets.badge_key, -300, 1, card_key=secrets.card_key, day=DAY
        ).build(SITE["stations"][0]["id"])
        for one in (clear, there)
    ]
    assert made[0] == made[1]
    card = badges.card_key(bytes.fromhex(secrets.card_key), bytes.fromhex(SECURE))
    assert card.hex().encode() in made[1] and card.hex() not in data.site.read_text()
    assert station_config.content_hash(there, secrets.badge_key, 0, {}, secrets.card_key) != (
        station_config.content_hash(there, secrets.badge_key, 0, {}, "00" * 16)
    )
    station_config.check_sizes(there)


def test_putting_it_in_force_again_changes_nothing(data, described):
    install_site(described, data.root)
    before = data.site.read_bytes()
    install_site(described, data.root)
    install_site(data.site, data.root)
    assert data.site.read_bytes() == before


@pytest.mark.parametrize(
    ("second", "reason"),
    [(HERS, "a001 already"), (f"iso14443a:{SECURE}", "anybody could copy it")],
)
def test_an_id_meets_its_own_hash(data, described, second, reason):
    install_site(described, data.root)
    told = json.loads(data.site.read_text())
    told["agents"][1]["badges"] = [second]
    described.write_text(json.dumps(told))
    with pytest.raises(description.SiteError, match=reason):
        install_site(described, data.root)


def test_one_that_was_written_by_hand_is_turned_over(data, described, caplog):
    data.site.write_bytes(described.read_bytes())
    take_apart(data.site)
    assert standing(data) == set()
    assert "badge" in caplog.text and UID not in caplog.text
    caplog.clear()
    take_apart(data.site)
    assert not caplog.text
    assert description.load(data.site).agents[0].badges == [kept(data, HERS), kept(data, PROVEN)]


def test_what_is_entered_is_kept_as_its_hash_and_found_by_its_id(data, described):
    install_site(described, data.root)
    with open_directory(data, T0) as book:
        body = agent(book, "a002") | {"badges": ["wiegand26:0BADCAFE"]}
        apply(book, body, "a002")
        told = hash_of(data, "wiegand26:0BADCAFE")
        assert agent(book, "a002")["badges"] == [f"wiegand26#{told}"]
        body = agent(book, "a002") | {"badges": [HERS]}
        with pytest.raises(Wrong, match="belongs to a001") as refused:
            apply(book, body, "a002")
        assert UID not in str(refused.value)
        assert f"iso14443a #{hash_of(data, HERS)[:4]}" in str(refused.value)
    for search in (HERS, HERS.lower(), kept(data, HERS), f"iso14443a #{hash_of(data, HERS)[:4]}"):
        found = queries.listed(data, "agents", T0, search=search)
        assert [one.code for one in found.entries] == ["a001"]
    assert standing(data) == set()


@pytest.mark.parametrize("write", [as_csv, as_xlsx])
def test_an_export_comes_in_again_unchanged_and_so_does_the_clear_table(data, described, write):
    install_site(described, data.root)
    with open_directory(data, T0) as book:
        made = write("agents", rows_of(book, "agents", DAY), "es")
        clear = (
            "Código;Nombre;Nombre en pantalla;Alias;Fotochecks;Fotochecks de un día\n"
            "a003;Eva Ruiz;RUIZ E.;ER;iso14443a:0000CAFE;\n"
            f"a002;Luis Pari;PARI L.;LP;;{TODAY} {DAY}\n"
        ).encode()
        plan = plan_import(book, "agents", read_sheet(made), DAY)
        assert (plan.problems, plan.changes, plan.unchanged) == ([], [], 2)
        plan = plan_import(book, "agents", read_sheet(clear), DAY)
        assert (plan.added, plan.unchanged, plan.problems) == (1, 1, [])
        run_import(book, plan, by="Ana", reason="prueba", at_ms=T0)
        assert agent(book, "a003")["badges"][0].startswith("iso14443a#")
    assert standing(data) == set()


def test_a_badge_named_twice_in_two_ways_is_one(data, described):
    install_site(described, data.root)
    with open_directory(data, T0) as book:
        apply(book, agent(book) | {"badges": [HERS, kept(data, HERS)]})
        assert agent(book)["badges"] == [kept(data, HERS)]


@given(st.from_regex(r"[a-z0-9]{1,16}:[0-9A-F]{8,64}", fullmatch=True) | st.text())
def test_what_is_kept_is_kept_as_it_is(badge):
    keys = badges.BadgeKeys(bytes(32), bytes(16))
    told = keys.stored(badge)
    assert keys.stored(told) == told
    assert (told == badge) != badges.is_id(badge)
    assert badges.badge_hash(keys.badge, told) == badges.badge_hash(keys.badge, badge)


def test_a_secure_card_has_seven_bytes():
    with pytest.raises(Wrong):
        KINDS["agents"].field("badges").read("desfire:04A1B2C3")


async def test_what_is_published_tells_no_difference(data, described):
    install_site(described, data.root)
    with open_directory(data, T0) as book:
        await publish(book, data, DAY, by="jefa", at_ms=T0, ask=None)
        assert differences(draft(book, data, DAY), data) == []
        assert not changed_by_hand(book, data)
    data.site.write_bytes(described.read_bytes())  # by hand, and what it was
    with open_directory(data, T0) as book:
        assert take_in(book, data, DAY, by="jefa", at_ms=T0) == 0
    assert standing(data) == set()


def test_her_export_has_the_hash(data, described, tmp_path):
    install_site(described, data.root)
    with open_directory(data, T0) as book:
        assert agent(book)["name"]
    export(data, "a001", tmp_path / "hers.zip", ME)
    from zipfile import ZipFile

    with ZipFile(tmp_path / "hers.zip") as made:
        text = b"".join(made.read(name) for name in made.namelist())
    assert UID.encode() not in text.upper() and kept(data, HERS).encode() in text


def older(data, described):
    """As the program before left it: clear ids in the site, in versions of agents and in what was
    deleted from the file's pages.
    """
    install_site(described, data.root)
    with open_directory(data, T0) as book:
        apply(book, agent(book) | {"name": "Otra"})
        apply(book, agent(book) | {"name": "Rosa"})
    clear = {kept(data, one): one for one in (HERS, PROVEN, TODAY)}

    def shown(text):
        for long, short in clear.items():
            text = text.replace(long, short)
        return text

    data.site.write_text(shown(data.site.read_text()))
    with sqlite3.connect(data.directory) as tx:
        for rowid, body in tx.execute(
            "SELECT code || '/' || version, body FROM entries WHERE kind = 'agents'"
        ).fetchall():
            tx.execute(
                "UPDATE entries SET body = ? WHERE kind = 'agents' AND code || '/' || version = ?",
                (shown(body.decode()).encode(), rowid),
            )
        tx.execute("CREATE TABLE gone (text TEXT)")
        tx.executemany("INSERT INTO gone VALUES (?)", [(HERS * 40,)] * 200)
        tx.execute("DROP TABLE gone")
        tx.execute("PRAGMA user_version = 1")
    tx.close()
    assert standing(data) >= {(UID, "site.json"), (UID, "directory.sqlite3")}


def test_an_older_directory_is_turned_over_and_its_pages_too(data, described, caplog):
    older(data, described)
    with open_directory(data, T0) as book:
        versions = book.history("agents", "a001")
        assert {tuple(one.body["badges"]) for one in versions} == {
            (kept(data, HERS), kept(data, PROVEN))
        }
        assert [one.body["name"] for one in versions][1] == "Otra"
        assert standing(data) == set()
    assert "badge" in caplog.text
    caplog.clear()
    with open_directory(data, T0):
        assert not caplog.text


async def test_turning_over_is_no_change_by_hand(data, described):
    install_site(described, data.root)
    with open_directory(data, T0) as book:
        await publish(book, data, DAY, by="jefa", at_ms=T0, ask=None)
    older(data, described)
    with sqlite3.connect(data.directory) as tx:  # published once more, by the program before
        (hashes,) = tx.execute("SELECT hashes FROM publications").fetchone()
        from diadema.site.file import site_digest

        hashes = json.dumps(
            json.loads(hashes) | {"site.json": site_digest(data.site.read_bytes())}
        )
        tx.execute("UPDATE publications SET hashes = ?", (hashes,))
    tx.close()
    Directory(data.directory).close()
    with sqlite3.connect(data.directory) as tx:
        tx.execute("PRAGMA user_version = 1")  # cut off before it was done
    tx.close()
    with open_directory(data, T0) as book:
        assert not changed_by_hand(book, data)


def test_it_waits_for_whoever_reads_and_says_so_else(data, described, monkeypatch):
    from diadema.base.errors import DiademaError
    from diadema.site.directory import tables

    monkeypatch.setattr(tables, "_BUSY_MS", 50)
    older(data, described)
    reader = sqlite3.connect(data.directory, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entries").fetchone()
    with pytest.raises(DiademaError, match="end whatever holds it"):
        Directory(data.directory)
    reader.close()
    with Directory(data.directory):
        assert {uid for uid, name in standing(data) if name != "site.json"} == set()


def test_the_command_tells_it_on_the_console(data, described):
    older(data, described)
    done = subprocess.run(
        [sys.executable, "-m", "diadema", "people", "history", "agents", "a001",
         "--data", data.root],
        capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    assert "badge" in done.stderr
    assert f"iso14443a #{hash_of(data, HERS)[:4]}" in done.stdout
    assert hash_of(data, HERS) not in done.stdout
    assert standing(data) == set()


def test_what_is_known_of_a_write_for_a_day_is_no_digest_to_guess_by():
    asked = hashlib.sha256(HERS.encode()).hexdigest()
    first, second = (Once.named("jefa", name, asked) for name in ("one", "two"))
    assert asked not in first.line
    assert first.request != second.request
    assert first == Once.named("jefa", "one", asked)
