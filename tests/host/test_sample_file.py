"""A draw as a file that anybody can check: what was altered in it is found, and named."""

import io
import json
import multiprocessing
import random
import sys
import zipfile

import pytest
from diadema.base.errors import DiademaError
from diadema.cli import main
from diadema.quality.frame import Frame, hash_of
from diadema.quality.sample_file import (
    Listed,
    keep_frame,
    listed,
    read_frame,
    sample_of,
    verify,
    write_sample,
)
from diadema.quality.sampling import Earlier, SamplePeriod, commitment, draw, replacement
from diadema.site.directory.quality import SamplePlan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

SECRET, OTHER = bytes(range(32)), bytes(range(1, 33))
WEEK = SamplePeriod("2026-W48", 1_000_000, 2_000_000, 7, 900_000)
PLAN = SamplePlan(
    code="P1", label="Semanal", scorecard="F1", monitors=("zoila", "beto"), strata=("motive",)
)
S = "DIA-0123456789ab"


def frame(agents=6, each=20):
    rows = sorted(
        f"{S},1,{at * each + n},A{at:02},{n % 2}".encode()
        for at in range(agents)
        for n in range(1, each + 1)
    )
    return Frame(rows, hash_of(rows), {"not_answered": 4, "short": 2})


FRAME = frame()
DRAWN = draw(PLAN, FRAME.rows, SECRET)


def sample(found=FRAME, drawn=DRAWN, secret=SECRET, **more):
    return sample_of("D00000000001", PLAN, 3, WEEK, secret, found, drawn, **more)


def packed(about, rows=FRAME.rows, calls=None):
    file = io.BytesIO()
    write_sample(file, about, rows, listed(DRAWN) if calls is None else calls)
    return file.getvalue()


WHOLE = packed(sample())


def members(data=WHOLE):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return {name: file.read(name) for name in file.namelist()}


def repacked(**changed):
    """The file with some members another, by the first part of their name."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in members().items():
            body = changed.get(name.partition(".")[0], body)
            if body is not None:
                made.writestr(name, body)
    return file.getvalue()


@pytest.fixture
def checked(tmp_path):
    """What is wrong with these bytes as a file, in English."""

    def look(data, **more):
        file = tmp_path / "sample.zip"
        file.write_bytes(data)
        return [str(one) for one in verify(file, **more).faults]

    return look


def test_a_file_as_it_was_written_is_right_and_says_what_it_is(tmp_path):
    file = tmp_path / "sample.zip"
    file.write_bytes(WHOLE)
    found = verify(file)
    assert found.faults == []
    about = found.sample
    assert (about.draw, about.plan.code, about.period.word, about.version) == (
        "D00000000001", "P1", "2026-W48", 3,
    )  # fmt: skip
    assert (about.frame, found.chosen, found.replaced) == (120, 12, 0)
    assert about.commit == commitment(SECRET)
    assert about.excluded == {"not_answered": 4, "short": 2}
    assert packed(sample()) == WHOLE  # nothing of the moment is in it


def test_who_evaluates_is_not_in_it():
    assert b"zoila" not in b"".join(members().values())
    assert sample().plan.monitors == ()


def test_the_frame_can_be_checked_by_hand():
    """What `sha256sum frame.csv` says is what was published."""
    import hashlib

    assert hashlib.sha256(members()["frame.csv"]).hexdigest() == FRAME.hash


@pytest.mark.parametrize("at", [0, 57, 119])
def test_one_altered_row_is_found_and_its_stratum_named(checked, at):
    rows = list(FRAME.rows)
    s, e, n, agent, stratum = rows[at].decode().split(",")
    rows[at] = f"{s},{e},{n}99,{agent},{stratum}".encode()
    body = b"".join(row + b"\n" for row in sorted(rows))
    (fault, *more) = checked(repacked(frame=body))
    assert "altered" in fault and f"{agent} {stratum}" in fault
    assert more and "list was not checked" in more[-1]


def test_a_row_that_is_gone_or_was_put_in_is_found_and_named(checked):
    gone = FRAME.rows[5].decode()
    body = b"".join(row + b"\n" for row in FRAME.rows if row.decode() != gone)
    agent, stratum = gone.split(",")[3:]
    found = checked(repacked(frame=body))
    assert "119 rows" in found[0] and "120" in found[0]
    assert f"{agent} {stratum}" in found[1]
    more = sorted([*FRAME.rows, f"{S},1,9999,A77,0".encode()])
    found = checked(repacked(frame=b"".join(row + b"\n" for row in more)))
    assert "A77 0" in found[1]


@pytest.mark.parametrize("row", [b"", b"x", b"DIA-1,1,A1,0", b"DIA-1,1,2,A1,0,0", b"\xff,1,1,a,",
                                 b"a,1,-1,A1,", b"a,1,1,A 1,", b"a" * 5000])  # fmt: skip
def test_what_is_no_row_is_found_by_its_line(checked, row):
    rows = [*FRAME.rows[:9], row, *FRAME.rows[9:]]
    found = checked(repacked(frame=b"".join(one + b"\n" for one in rows)))
    assert "line 10 of frame.csv" in found[0]


def test_rows_out_of_order_or_twice_are_found_by_their_line(checked):
    rows = list(FRAME.rows)
    rows[3], rows[4] = rows[4], rows[3]
    found = checked(repacked(frame=b"".join(one + b"\n" for one in rows)))
    assert "line 5 of frame.csv" in found[0]
    rows = [*FRAME.rows[:4], FRAME.rows[3], *FRAME.rows[4:]]
    found = checked(repacked(frame=b"".join(one + b"\n" for one in rows)))
    assert "line 5 of frame.csv" in found[0]


def changed(**fields):
    return json.dumps(json.loads(members()["sample.json"]) | fields).encode()


def test_another_secret_is_found_and_named(checked):
    found = checked(repacked(sample=changed(secret=OTHER.hex())))
    assert len(found) == 2
    assert "secret is not the one" in found[0]
    assert "list was not checked" in found[1]


def test_another_secret_with_its_own_hash_is_found_by_what_was_published(checked):
    """Somebody who drew again has a file that is right by itself."""
    drawn = draw(PLAN, FRAME.rows, OTHER)
    file = io.BytesIO()
    write_sample(file, sample(drawn=drawn, secret=OTHER), FRAME.rows, listed(drawn))
    assert checked(file.getvalue()) == []
    (fault,) = checked(file.getvalue(), commit=commitment(SECRET))
    assert "another commitment" in fault
    assert checked(WHOLE, commit=commitment(SECRET).upper(), frame_hash=FRAME.hash) == []
    (fault,) = checked(WHOLE, frame_hash="0" * 64)
    assert "other contacts" in fault


def test_a_swapped_contact_is_found_and_named(checked):
    calls = listed(DRAWN)
    drawn = {(call.s, call.e, call.n) for call in calls}
    row = next(row for row in FRAME.rows if row.endswith(f"{calls[0].agent},0".encode())
               and (S, 1, int(row.split(b",")[2])) not in drawn)  # fmt: skip
    at = next(at for at, call in enumerate(calls) if call.agent == calls[0].agent
              and call.stratum == "0")  # fmt: skip
    old = calls[at]
    calls[at] = Listed(old.agent, old.stratum, old.rank, S, 1, int(row.split(b",")[2]))
    (fault,) = checked(packed(sample(), calls=calls))
    assert f"line {at + 2} of list.csv" in fault
    assert f"{S}|1|{calls[at].n}" in fault and f"{S}|1|{old.n}" in fault


def test_a_drawn_contact_that_is_missing_or_one_too_many_is_named(checked):
    calls = listed(DRAWN)
    (fault,) = checked(packed(sample(), calls=calls[1:]))
    assert f"{S}|1|{calls[0].n}" in fault and "missing" in fault
    one = calls[-1]
    following = replacement(FRAME.rows, SECRET, one.agent, one.stratum, one.rank)
    more = Listed(one.agent, one.stratum, one.rank + 1, *following.key)
    (fault,) = checked(packed(sample(), calls=[*calls, more]))
    assert f"{S}|1|{more.n}" in fault and "was not drawn" in fault
    nobody = Listed("A99", "", 1, S, 1, 1)
    (fault,) = checked(packed(sample(), calls=[*calls, nobody]))
    assert "A99" in fault and "was not drawn" in fault
    (fault,) = checked(packed(sample(), calls=[*calls, calls[0]]))
    assert "was not drawn" in fault


def test_one_that_was_replaced_stays_listed_and_the_next_follows_it(checked, tmp_path):
    calls = listed(DRAWN)
    one = calls[0]
    following = replacement(FRAME.rows, SECRET, one.agent, one.stratum, one.rank)
    gone = Listed(one.agent, one.stratum, one.rank, one.s, one.e, one.n, "unplayable")
    new = Listed(one.agent, one.stratum, following.rank, *following.key)
    assert checked(packed(sample(), calls=[gone, new, *calls[1:]])) == []
    found = verify(tmp_path / "sample.zip")
    assert (found.chosen, found.replaced) == (12, 1)
    # without the one that it takes the place of, it is one too many
    assert "was not drawn" in checked(packed(sample(), calls=[*calls, new]))[0]
    assert "missing" in checked(packed(sample(), calls=[gone, *calls[1:]]))[0]


def test_a_stratum_that_was_replaced_to_its_end_is_right(checked):
    small = frame(agents=1, each=4)
    drawn = draw(PLAN, small.rows, SECRET)
    every = draw(SamplePlan(code="x", label="", scorecard="", per_agent=4, strata=("motive",)),
                 small.rows, SECRET)  # fmt: skip
    calls = [Listed(*one, "nobody") for one in (
        (call.agent, call.stratum, call.rank, call.s, call.e, call.n) for call in listed(every)
    )]  # fmt: skip
    assert checked(packed(sample(small, drawn), small.rows, calls)) == []


def test_more_or_fewer_of_a_stratum_than_the_plan_wants_is_named(checked):
    strata = json.loads(members()["sample.json"])["strata"]
    strata[2]["taken"] += 1
    (fault,) = checked(repacked(sample=changed(strata=strata)))
    assert "A01 0" in fault and "2" in fault and "1" in fault


def test_the_supplementary_draw_is_checked_with_what_was_taken_before(checked):
    late = frame(agents=8, each=3)
    rows = [row.replace(b",1,", b",2,", 1) for row in late.rows]
    late = Frame(sorted(rows), hash_of(sorted(rows)), {})
    earlier = Earlier.of(DRAWN)
    drawn = draw(PLAN, late.rows, SECRET, earlier)
    about = sample(late, drawn, of="D00000000001", earlier=earlier)
    calls = listed(drawn)
    assert {call.agent for call in calls} == {"A06", "A07"}
    assert checked(packed(about, late.rows, calls)) == []


NO_FILES = {
    "empty": b"", "text": b"hola", "cut": WHOLE[:-100], "no list": repacked(list=None),
    "no json": repacked(sample=b"{"), "other json": repacked(sample=b"[]"),
    "no frame": repacked(frame=None), "no hash": repacked(sample=changed(commit="x")),
    "no secret": repacked(sample=changed(secret="00")),
    "other format": repacked(sample=changed(format=2)),
    "no such plan": repacked(sample=changed(plan={"code": "P1"})),
    "negative": repacked(sample=changed(frame=-1)),
}  # fmt: skip


@pytest.mark.parametrize("name", NO_FILES)
def test_what_is_no_such_file_is_said_with_what_to_do(tmp_path, name):
    file = tmp_path / "sample.zip"
    file.write_bytes(NO_FILES[name])
    with pytest.raises(DiademaError, match=r"sample\.zip.*export"):
        verify(file)


def test_nothing_else_may_be_in_the_file(tmp_path):
    file = tmp_path / "sample.zip"
    file.write_bytes(WHOLE)
    with zipfile.ZipFile(file, "a") as made:
        made.writestr("list_of_mine.csv", b"x")
    with pytest.raises(DiademaError, match=r"sample\.zip.*export"):
        verify(file)


def test_no_file_at_all_is_said(tmp_path):
    with pytest.raises(DiademaError, match=r"none\.zip"):
        verify(tmp_path / "none.zip")
    with pytest.raises(DiademaError, match="cannot"):
        verify(tmp_path)


def test_an_empty_frame_or_list_is_named(checked):
    found = checked(repacked(frame=b""))
    assert any("0 rows" in one for one in found)
    head = members()["list.csv"].splitlines(keepends=True)[0]
    found = checked(repacked(list=head))
    assert len(found) == 12 and all("missing" in one for one in found)
    assert "line 1 of list.csv" in checked(repacked(list=b"\xff\x00"))[0]
    assert "line 2 of list.csv" in checked(repacked(list=head + b"A,x\n"))[0]


def test_what_unpacks_to_more_than_it_may_is_refused_before_it_is_unpacked(tmp_path):
    file = tmp_path / "sample.zip"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in members().items():
            with made.open(name, "w") as member:
                if name == "sample.json":
                    for _ in range(70):
                        member.write(bytes(1 << 20))
                else:
                    member.write(body)
    with pytest.raises(DiademaError, match=r"sample\.zip"):
        verify(file)


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.integers(0, 2**32))
def test_whatever_bytes_are_changed_it_is_right_wrong_or_no_such_file(tmp_path, seed):
    order = random.Random(seed)
    data = bytearray(WHOLE)
    for _ in range(order.randint(1, 4)):
        data[order.randrange(len(data))] = order.randrange(256)
    file = tmp_path / "bent.zip"
    file.write_bytes(bytes(data))
    try:
        found = verify(file)
    except DiademaError as error:
        assert "bent.zip" in str(error)
        return
    for one in found.faults:
        assert str(one)


@settings(max_examples=40, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(st.integers(0, 2**32))
def test_any_change_of_a_member_is_found(tmp_path, seed):
    """But of what only tells: nothing that a draw is made of can be another unseen."""
    order = random.Random(seed)
    name = order.choice(["frame", "list"])
    body = bytearray(members()[f"{name}.csv"])
    at = order.randrange(len(body) - 1)
    body[at] = order.choice([byte for byte in b"0123456789A,\n-/" if byte != body[at]])
    file = tmp_path / "bent.zip"
    file.write_bytes(repacked(**{name: bytes(body)}))
    assert verify(file).faults


# the frame that a draw was made from, on the hub's disk


def test_a_frame_is_written_once_and_read_again_and_again(tmp_path):
    path = tmp_path / "P1.2026-W48.csv"
    keep_frame(path, FRAME.rows)
    rows = read_frame(path)
    assert [*rows] == FRAME.rows and [*rows] == FRAME.rows
    assert draw(PLAN, rows, SECRET) == DRAWN
    with pytest.raises(DiademaError, match=r"2026-W48.*drawn"):
        keep_frame(path, FRAME.rows[1:])
    assert [*read_frame(path)] == FRAME.rows
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def _draws(path, gate, answers):
    gate.wait()
    try:
        keep_frame(path, FRAME.rows)
        answers.put("drawn")
    except DiademaError:
        answers.put("refused")


def test_of_two_draws_at_once_one_is_made(tmp_path):
    context = multiprocessing.get_context("spawn")
    gate, answers = context.Barrier(2), context.Queue()
    path = tmp_path / "P1.2026-W48.csv"
    both = [context.Process(target=_draws, args=(path, gate, answers)) for _ in range(2)]
    for one in both:
        one.start()
    assert sorted(answers.get(timeout=300) for _ in both) == ["drawn", "refused"]
    for one in both:
        one.join(300)
    assert [*read_frame(path)] == FRAME.rows


# the command


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    """Runs `diadema quality sample verify` in an empty directory, with the file alone."""
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)

    def run(data, *arguments, code=0, lang="en"):
        (folder / "s.zip").write_bytes(data)
        words = ["diadema", "--lang", lang, "quality", "sample", "verify", "s.zip", *arguments]
        monkeypatch.setattr(sys, "argv", words)
        got = 0
        try:
            main.main()
        except SystemExit as end:
            got = end.code or 0
        out, errors = capsys.readouterr()
        assert got == code, out + errors
        assert [one.name for one in folder.iterdir()] == ["s.zip"]
        return out or errors

    return run


def test_the_command_needs_no_hub_and_says_what_to_compare(shell):
    out = shell(WHOLE)
    assert "D00000000001" in out and "12" in out and "120" in out
    assert commitment(SECRET) in out and FRAME.hash in out
    told = json.loads(shell(WHOLE, "--json"))
    assert told["right"] and told["faults"] == [] and told["commit"] == commitment(SECRET)
    assert "Compromiso" in shell(WHOLE, lang="es")


def test_the_command_ends_with_1_where_something_is_wrong(shell):
    wrong = repacked(sample=changed(secret=OTHER.hex()))
    assert "secret is not the one" in shell(wrong, code=1)
    told = json.loads(shell(wrong, "--json", code=1))
    assert not told["right"] and len(told["faults"]) == 2
    assert "another commitment" in shell(WHOLE, "--commit", "0" * 64, code=1)
    assert "other contacts" in shell(WHOLE, "--frame-hash", "0" * 64, code=1)
    assert "export" in shell(b"", code=2)
    head = members()["list.csv"].splitlines(keepends=True)[0]
    many = Frame(frame(30).rows, frame(30).hash, {})
    drawn = draw(PLAN, many.rows, SECRET)
    body = packed(sample(many, drawn), many.rows, [])
    assert head in members(body)["list.csv"]
    out = shell(body, code=1)
    assert out.count("missing") == 20 and "40 more" in out
    assert len(json.loads(shell(body, "--json", code=1))["faults"]) == 60
