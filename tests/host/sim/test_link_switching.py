"""Stations that go over to Wi-Fi and back in a replayed day, which must not show in its totals."""

import random
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from diadema.exchange.bank_rows import clock_text
from diadema_sim import bank_log
from diadema_sim.centre import Centre
from diadema_sim.link_switching import plan
from diadema_sim.replay import ReplayOptions, Watcher, Workday, run_replay
from diadema_sim.station import Station
from diadema_sim.witness import Witnessed
from hypothesis import given
from hypothesis import strategies as st

ZONE = ZoneInfo("Asia/Jerusalem")
HEADER = "call_id\ttype\tdate\tvru_entry\toutcome\tser_start\tser_exit\tserver"
NINE = 9 * 3600
AGENTS = ("AVNI", "DORIT", "TOVA")
HANDSHAKES_S = 3


@pytest.fixture
def day(tmp_path: Path) -> bank_log.BankDay:
    """Half an hour of three agents: calls of every length, some end to end."""
    chance = random.Random(3)
    lines = [HEADER]
    for agent in AGENTS:
        at = NINE + chance.randrange(60)
        while at < NINE + 1800:
            seconds = chance.choice((1, 3, 20, 90, 240, 400))
            times = f"{clock_text(at)}\tAGENT\t{clock_text(at)}\t{clock_text(at + seconds)}"
            lines.append(f"7\tPS\t990201\t{times}\t{agent}")
            at += seconds + chance.choice((0, 2, 30, 200))
    path = tmp_path / "log.tsv"
    path.write_text("\n".join(lines) + "\n")
    return bank_log.read_day(path, "990201")


class Cables(Watcher):
    """Sees what each station had last written of a contact when its cable went out and in."""

    def __init__(self) -> None:
        self.pulled: list[str] = []
        self.plugged: list[str] = []
        self._last: dict[str, str] = {}

    async def begun(self, centre: Centre, workday: Workday) -> None:
        centre.world.witness.listeners.append(self._look)
        for station in centre.world.stations.values():
            cable = station.cable
            cable.pull = self._noting(station, self.pulled, cable.pull)  # type: ignore[method-assign]
            cable.plug = self._noting(station, self.plugged, cable.plug)  # type: ignore[method-assign]

    def _noting(
        self, station: Station, moves: list[str], move: Callable[[], None]
    ) -> Callable[[], None]:
        def do() -> None:
            moves.append(self._last.get(station.id, ""))
            move()

        return do

    def _look(self, station: str, seen: Witnessed) -> None:
        if seen.event["k"] in ("contact.answered", "contact.ended"):
            self._last[station] = seen.event["k"]


async def test_totals_are_those_of_the_log(day: bank_log.BankDay) -> None:
    """As they are of a day on the cable: `test_replay_run.py`."""
    cables = Cables()
    switching = await run_replay(ReplayOptions(day, ZONE, link_rounds=2, seed=5), cables)
    for row in (switching["total"], *switching["agents"]):
        assert row["contacts"] == row["file_contacts"]
        # a key that is pressed within a handshake is heard after it
        assert abs(row["talk_s"] - row["file_talk_s"]) <= HANDSHAKES_S
    assert [row["agent"] for row in switching["agents"]] == list(AGENTS)
    assert switching["total"]["contacts"] > 15
    assert switching["typified"] == switching["total"]["contacts"]
    assert (switching["undelivered"], switching["interrupted"]) == ([], [])
    assert (switching["lost"], switching["doubled"]) == (0, 0)
    assert switching["waited_in_vain"] == []
    assert switching["events_journaled"] == switching["events_stored"]
    assert sum(switching["links"].values()) == switching["events_stored"]
    assert switching["links"]["usb"] > 20 and switching["links"]["wifi"] > 20
    assert switching["switches"] >= 4  # any two are one each way
    assert switching["cables_pulled"] == len(cables.plugged) == 6
    assert "contact.answered" in cables.pulled[:6] and "contact.answered" in cables.plugged
    assert 1 <= switching["without_any_link"] <= len(AGENTS)


@given(
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 900)), min_size=1, max_size=40),
    st.integers(1, 5),
    st.integers(0, 1000),
)
def test_absences_are_apart_and_a_silent_one_ends_before_the_next_call(
    lengths: list[tuple[int, int]], rounds: int, seed: int
) -> None:
    talks, at = [], 10**12
    for pause_s, talk_s in lengths:
        talks.append((at + 1000 * pause_s, at + 1000 * (pause_s + talk_s)))
        at = talks[-1][1]
    absences = plan(talks, rounds, random.Random(seed))
    assert absences == plan(talks, rounds, random.Random(seed))
    assert len(absences) <= rounds
    assert all(one.out_ms < one.back_ms for one in absences)
    assert all(one.back_ms + 90_000 < other.out_ms for one, other in pairwise(absences))
    starts = [start for start, _ in talks]
    for absence in absences:
        assert talks[0][0] <= absence.out_ms <= talks[-1][1]
        if absence.silent:
            assert any(start < absence.out_ms < end for start, end in talks)
            assert not any(absence.out_ms <= start <= absence.back_ms for start in starts)


def test_a_long_day_has_all_its_absences() -> None:
    talks = [(600_000 * number, 600_000 * number + 240_000) for number in range(50)]
    for seed in range(20):
        absences = plan(talks, 4, random.Random(seed))
        assert len(absences) == 4
        assert sum(absence.silent for absence in absences) == 1
