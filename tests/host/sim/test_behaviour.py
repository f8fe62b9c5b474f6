"""The numbers that simulated people behave by are what the real data gives."""

import math
import random
import statistics
from pathlib import Path

import pytest
from diadema.exchange.bank_rows import BankError, clock_text
from diadema_sim import behaviour

HEADER = "call_id\ttype\tdate\tvru_entry\toutcome\tser_start\tser_exit\tserver"


def test_the_kept_numbers_are_what_the_real_file_gives(shared_data: Path) -> None:
    assert behaviour.fit(shared_data / "anonymous_bank_1999_02.tsv") == behaviour.BANK_1999_02


def test_a_fit_finds_what_a_log_was_drawn_from(tmp_path: Path) -> None:
    chance = random.Random(5)
    wanted = {
        "PS": behaviour.Service(share=0.7, brief=0.1, mu=5.0, sigma=0.8),
        "NW": behaviour.Service(share=0.3, brief=0.0, mu=4.0, sigma=0.4),
    }
    lines = [HEADER]
    calls = 4000
    for number in range(calls):
        kind = "PS" if number % 10 < 7 else "NW"
        start = 36_000 + number % 3600
        end = start + round(wanted[kind].draw(chance))
        times = f"{clock_text(start)}\tAGENT\t{clock_text(start)}\t{clock_text(end)}"
        lines.append(f"1\t{kind}\t990201\t{times}\tagent {number}")
    path = tmp_path / "log.tsv"
    path.write_text("\n".join(lines) + "\n")
    found = behaviour.fit(path)
    assert found.arrivals == (*[0.0] * 10, 1.0, *[0.0] * 13)
    assert found.busiest_hour == 10
    for kind, service in wanted.items():
        assert found.service[kind].share == service.share
        assert found.service[kind].brief == pytest.approx(service.brief, abs=0.03)
        assert found.service[kind].mu == pytest.approx(service.mu, abs=0.06)
        assert found.service[kind].sigma == pytest.approx(service.sigma, abs=0.06)


def test_a_log_too_short_to_fit_says_so(tmp_path: Path) -> None:
    path = tmp_path / "log.tsv"
    path.write_text(f"{HEADER}\n1\tPS\t990201\t9:00:00\tAGENT\t9:00:00\t9:02:00\tA\n")
    with pytest.raises(BankError, match="too few served calls"):
        behaviour.fit(path)


def test_draws_follow_their_medians_and_shares() -> None:
    chance = random.Random(11)
    drawn = [behaviour.draw_seconds((12.0, 0.6), chance) for _ in range(2000)]
    assert statistics.median(drawn) == pytest.approx(12, rel=0.1)
    kinds = [behaviour.BANK_1999_02.draw_type(chance) for _ in range(4000)]
    assert kinds.count("PS") / len(kinds) == pytest.approx(0.675, abs=0.03)
    service = behaviour.BANK_1999_02.service["PS"]
    talks = [service.draw(chance) for _ in range(4000)]
    longer = [math.log(talk) for talk in talks if talk >= 10]
    assert min(talks) >= 1
    assert statistics.median(longer) == pytest.approx(service.mu, rel=0.05)
    reasons = {behaviour.ASSUMED.draw_reason(chance) for _ in range(2000)}
    assert reasons == {code for code, _ in behaviour.ASSUMED.reason_weights}
