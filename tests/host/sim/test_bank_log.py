"""The reader of the real call log, against files whose right answer is known by construction."""

import itertools
import random
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from diadema_sim import bank_log
from hypothesis import given
from hypothesis import strategies as st

HEADER = (
    "vru+line\tcall_id\tcustomer_id\tpriority\ttype\tdate\tvru_entry\tvru_exit\tvru_time\tq_start"
    "\tq_exit\tq_time\toutcome\tser_start\tser_exit\tser_time\tserver"
)


def truth(day: bank_log.BankDay) -> dict[str, tuple[int, int]]:
    """(contacts, talk seconds) of each agent, straight from the file."""
    return {
        agent: (len(calls), sum(call.talk_s for call in calls))
        for agent, calls in sorted(day.calls.items())
    }


def row(start: int, end: int, server: str, *, outcome: str = "AGENT", day: str = "990201") -> str:
    start_text, end_text = bank_log.clock_text(start), bank_log.clock_text(end)
    return (
        f"AA0101\t7\t0\t0\tPS\t{day}\t7:02:47\t7:02:56\t9\t0:00:00\t0:00:00\t0\t{outcome}"
        f"\t{start_text}\t{end_text}\t{end - start}\t{server}"
    )


def write(folder: Path, rows: list[str], *, header: str = HEADER) -> Path:
    path = folder / "calls.tsv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_a_call_over_midnight_makes_a_row_of_the_next_day_impossible(tmp_path):
    rows = [row(86_280, 86_700, "A"), row(180, 400, "A", day="990202")]
    rows.append(row(300, 500, "A", day="990202"))
    path = write(tmp_path, rows)
    read = bank_log.read_day(path, "990202")
    assert [row.line for row in read.impossible] == [3]
    assert "line 2" in read.impossible[0].why
    assert truth(read) == {"A": (1, 200)}
    assert truth(bank_log.read_day(path, "990201")) == {"A": (1, 420)}
    assert bank_log.read_days(path)["990202"] == read


@dataclass
class Made:
    """Rows, what the reader must say of them, and which of them are impossible."""

    rows: list[str] = field(default_factory=list)
    impossible: list[str] = field(default_factory=list)
    truth: dict[str, tuple[int, int]] = field(default_factory=dict)
    hang: int = 0
    phantom: int = 0


@st.composite
def days(draw: st.DrawFn) -> Made:
    made = Made()
    for server in draw(st.lists(st.sampled_from("ABCDE"), unique=True, max_size=4)):
        now, contacts, talk = draw(st.integers(0, 80_000)), 0, 0
        last_start = -1
        steps = st.tuples(st.integers(0, 900), st.integers(0, 4_000), st.booleans())
        for gap, length, overlapped in draw(st.lists(steps, max_size=12)):
            start = now + max(gap, now == last_start)  # of equal starts the file's order decides
            if start >= bank_log.DAY_S:
                break
            last_start, now = start, start + length
            made.rows.append(row(start, now, server))
            contacts, talk = contacts + 1, talk + length
            if overlapped and length > 1 and start + 1 < bank_log.DAY_S:
                latest = min(now - 1, bank_log.DAY_S - 1)
                inside = draw(st.integers(start + 1, latest))
                made.impossible.append(row(inside, inside + draw(st.integers(0, 900)), server))
        if contacts:
            made.truth[server] = (contacts, talk)
    for start in draw(st.lists(st.integers(0, 86_000), max_size=3)):
        made.impossible.append(row(start, start + 5, "NO_SERVER"))
    made.hang, made.phantom = draw(st.integers(0, 3)), draw(st.integers(0, 3))
    return made


@given(made=days(), seed=st.integers())
def test_counts_and_impossible_rows_whatever_the_order_of_the_file(
    made: Made, seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = made.rows + made.impossible
    rows += [row(0, 0, "NO_SERVER", outcome="HANG")] * made.hang
    rows += [row(0, 0, "NO_SERVER", outcome="PHANTOM")] * made.phantom
    rows += [row(100, 200, "A", day="990202")]
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    path = write(
        tmp_path_factory.mktemp("bank"),
        [rows[place] for place in order] + [row(0, 9, "Z", outcome="HANG")],
    )

    read = bank_log.read_day(path, "990201")

    first_impossible = len(made.rows)
    last_impossible = first_impossible + len(made.impossible)
    lines = [
        line
        for line, place in enumerate(order, start=2)
        if first_impossible <= place < last_impossible
    ]
    assert truth(read) == made.truth
    assert [bad.line for bad in read.impossible] == lines
    assert (read.hang, read.phantom) == (made.hang + 1, made.phantom)
    for calls in read.calls.values():
        pairs = itertools.pairwise(calls)
        assert all(later.start_s >= earlier.end_s for earlier, later in pairs)


def test_a_call_over_midnight_ends_the_next_day(tmp_path: Path) -> None:
    path = write(tmp_path, [row(bank_log.DAY_S - 10, bank_log.DAY_S + 95, "A")])
    (call,) = bank_log.read_day(path, "990201").calls["A"]
    assert (call.start_s, call.end_s, call.talk_s) == (86_390, 86_495, 105)


def test_repeated_call_ids_are_known_by_their_line(tmp_path: Path) -> None:
    path = write(tmp_path, [row(0, 10, "A"), row(10, 20, "A"), row(15, 30, "A")])
    read = bank_log.read_day(path, "990201")
    assert [(call.line, call.call_id) for call in read.calls["A"]] == [(2, "7"), (3, "7")]
    (bad,) = read.impossible
    assert (bad.line, bad.call_id) == (4, "7")
    assert "0:00:15" in bad.why and "line 3" in bad.why and "0:00:20" in bad.why


def test_of_equal_starts_the_first_in_the_file_is_kept(tmp_path: Path) -> None:
    brief_first = bank_log.read_day(write(tmp_path, [row(5, 5, "A"), row(5, 9, "A")]), "990201")
    assert (truth(brief_first), brief_first.impossible) == ({"A": (2, 4)}, [])
    long_first = bank_log.read_day(write(tmp_path, [row(5, 9, "A"), row(5, 5, "A")]), "990201")
    assert (truth(long_first), [bad.line for bad in long_first.impossible]) == (
        {"A": (1, 4)},
        [3],
    )


def test_columns_may_stand_in_another_order_with_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "calls.tsv"
    names = list(reversed(HEADER.split("\t")))
    cells = list(reversed(row(5, 9, "A").split("\t")))
    path.write_bytes(("\ufeff" + "\t".join(names) + "\r\n" + "\t".join(cells) + "\r\n").encode())
    assert truth(bank_log.read_day(path, "990201")) == {"A": (1, 4)}


@pytest.mark.parametrize(
    ("rows", "day", "said"),
    [
        ([row(0, 1, "A"), "AA0101\t7"], "990201", ["line 3", "2 columns", "17"]),
        (
            [row(0, 1, "A").replace("0:00:00\t0:00:01", "24:00:00\t0:00:01")],
            "990201",
            ["line 2", "ser_start", "'24:00:00'", "time of day"],
        ),
        ([row(0, 1, "A").replace("\t0:00:01", "\t0:61:01")], "990201", ["line 2", "ser_exit"]),
        ([row(0, 1, "A", outcome="LOST")], "990201", ["line 2", "outcome", "'LOST'", "AGENT"]),
        ([row(0, 1, "A", day="990231")], "990201", ["line 2", "date", "'990231'"]),
        ([row(0, 1, "")], "990201", ["line 2", "server", "NO_SERVER"]),
        ([row(0, 1, "A")], "990202", ["no row of day 990202", "990201 to 990201"]),
        ([row(0, 1, "A")], "1 Feb", ["'1 Feb'", "990201"]),
        ([], "990201", ["no row of day 990201"]),
    ],
)
def test_bad_files_say_where_and_what_to_do(
    tmp_path: Path, rows: list[str], day: str, said: list[str]
) -> None:
    with pytest.raises(bank_log.BankError) as error:
        bank_log.read_day(write(tmp_path, rows), day)
    assert all(part in str(error.value) for part in said), error.value


def test_a_file_without_the_columns_or_without_text(tmp_path: Path) -> None:
    with pytest.raises(bank_log.BankError, match=r"line 1: no column 'server'"):
        bank_log.read_days(write(tmp_path, [], header=HEADER.removesuffix("\tserver")))
    with pytest.raises(bank_log.BankError, match=r"Cannot read .*No such file"):
        bank_log.read_days(tmp_path / "absent.tsv")
    (tmp_path / "packed").write_bytes(b"\x1f\x8b\xff\xfe")
    with pytest.raises(bank_log.BankError, match="not text in UTF-8"):
        bank_log.read_days(tmp_path / "packed")


def test_every_day_of_the_real_file(shared_data: Path) -> None:
    path = shared_data / "anonymous_bank_1999_02.tsv"
    read = bank_log.read_days(path)
    assert len(read) == 21
    served = sum(len(calls) for day in read.values() for calls in day.calls.values())
    impossible = [bad for day in read.values() for bad in day.impossible]
    hang = sum(day.hang for day in read.values())
    phantom = sum(day.phantom for day in read.values())
    lines = sum(1 for _ in path.open()) - 1
    assert (served + len(impossible), hang, phantom) == (lines - 4770 - 221, 4770, 221)
    assert sum(bad.why == "served by NO_SERVER" for bad in impossible) == 384
    assert list(read) == sorted(read)
    first = bank_log.read_day(path, "990201")
    assert first == read["990201"]
    assert (truth(first)["IDIT"], len(first.impossible)) == ((130, 16541), 37)
