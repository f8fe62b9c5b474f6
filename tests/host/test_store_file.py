"""The store's file: any path serves, and one that is broken is told so, with what to do."""

import sqlite3

import pytest
from diadema.base.errors import DiademaError
from diadema.store import Batch, StoreDamaged, open_reader, open_writer

EVENT = ("DIA-0123456789ab", 7, 1, "station.health", b"{}")


def stored(path, count=1):
    writer = open_writer(path)
    writer.commit(Batch(events=[(*EVENT[:2], n, *EVENT[3:]) for n in range(1, count + 1)]))
    writer.close()


@pytest.mark.parametrize("folder", ["dia?dema #1", "50% a&b=c;d", "año:día", "file"])
def test_any_folder_serves(tmp_path, folder):
    path = tmp_path / folder / "store.sqlite3"
    path.parent.mkdir()
    stored(path)
    assert {file.name for file in path.parent.iterdir()} == {path.name, "records.key"}
    assert [entry.name for entry in tmp_path.iterdir()] == [folder]
    reader = open_reader(path)
    assert reader.keys() == {EVENT[:3]}
    reader.close()


@pytest.mark.parametrize("opened", [open_reader, open_writer])
@pytest.mark.parametrize("content", [b"", b"no database at all\n" * 300])
def test_what_is_no_store_is_told_with_what_to_do(tmp_path, opened, content):
    path = tmp_path / "store.sqlite3"
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match="diadema restore FILE") as told:
        opened(path)
    assert str(path) in str(told.value)
    assert path.read_bytes() == content


def test_a_creation_that_was_cut_short_leaves_no_store(tmp_path):
    path = tmp_path / "store.sqlite3"
    (tmp_path / "store.sqlite3.new").write_bytes(b"")
    (tmp_path / "store.sqlite3.new-wal").write_bytes(b"cut short")
    stored(path)
    assert {file.name for file in tmp_path.iterdir()} == {path.name, "records.key"}


def test_damage_while_it_is_open_is_no_passing_trouble(tmp_path):
    path = tmp_path / "store.sqlite3"
    stored(path, 2000)
    writer = open_writer(path)
    with path.open("r+b") as file:  # all pages but the first
        file.seek(4096)
        file.write(b"\xa5" * (path.stat().st_size - 4096))
    with pytest.raises(StoreDamaged, match="backup"):
        writer.commit(Batch(events=[(*EVENT[:2], 3000, *EVENT[3:])]))
    writer.close()


def test_a_store_that_another_program_holds_is_told(tmp_path, monkeypatch):
    path = tmp_path / "store.sqlite3"
    stored(path)
    monkeypatch.setattr("diadema.store.database.BUSY_MS", 1)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(DiademaError, match="end whatever holds it"):
        open_writer(path)
    holder.close()
