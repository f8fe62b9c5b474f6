"""What the second engine found wrong, each in its smallest history."""

import pytest
from diadema.report.make import make
from diadema.report.model import Scope
from diadema.report.period import around

from tests.host.test_fcr import Place as Fcr
from tests.host.test_fcr import begun, called, rows, stated
from tests.support.scripted_station import T0
from tests.support.whole_centre import STARTS, Place


@pytest.fixture
def place(tmp_path, clock):
    made = Fcr(tmp_path / "data", clock)
    yield made
    made.writer.close()


def lived(tmp_path, *lines):
    """A log of a switch alone, whose queue `IT` is our `soporte`."""
    made = Place(tmp_path, *STARTS[3])
    at = made.now // 1000
    log = "".join(f"{at + after}|{rest}\n" for after, rest in lines)
    made.take(log).now += 3_600_000
    return made


def report(made, kind, of="floor", code=""):
    return make(made.data, kind, around("day", made.day), Scope(of=of, code=code), made.now)


def test_a_ring_that_nobody_took_is_of_the_queue_that_the_switch_means(tmp_path):
    made = lived(tmp_path, (0, "1.1|IT|NONE|ENTERQUEUE||099000001|1"),
                 (20, "1.1|IT|SIP/201|RINGNOANSWER|20000"))  # fmt: skip
    (row,) = rows(report(made, "llamadas"), "calls_queues")
    assert (row["queue"], row["missed"]) == ("Soporte", 1)
    assert stated(report(made, "llamadas", "queue", "soporte"), "no contestados") == (1, 1)


def test_users_of_a_queue_whose_name_is_another_at_the_switch(tmp_path):
    made = lived(tmp_path, (0, "1.1|IT|NONE|ENTERQUEUE||099000001|1"),
                 (20, "1.1|IT|SIP/204|CONNECT|20|9|2"),
                 (80, "1.1|IT|SIP/204|COMPLETECALLER|20|60|1"))  # fmt: skip
    assert stated(report(made, "consolidado", "queue", "soporte"), "con referencia") == (1, 1)


def test_the_longest_wait_is_not_of_an_agent(tmp_path):
    made = lived(tmp_path, (0, "1.1|IT|NONE|ENTERQUEUE||099000001|1"),
                 (20, "1.1|IT|SIP/204|CONNECT|20|9|2"),
                 (80, "1.1|IT|SIP/204|COMPLETECALLER|20|60|1"))  # fmt: skip
    section = report(made, "intradia", "agent", "a004").section("intraday")
    assert section.rows
    assert section.total[section.at("longest_wait_s")] is None


def test_what_only_the_switch_tells_has_no_hold_by_motive_either(tmp_path):
    made = lived(tmp_path, (0, "1.1|IT|NONE|ENTERQUEUE||099000001|1"),
                 (20, "1.1|IT|SIP/204|CONNECT|20|9|2"),
                 (80, "1.1|IT|SIP/204|COMPLETECALLER|20|60|1"))  # fmt: skip
    (row,) = rows(report(made, "tmo"), "aht_motives")
    assert (row["n"], row["switch_n"], row["hold_s"], row["wrap_mean_s"]) == (1, 1, None, None)
    assert "consults" not in row  # nobody counts those by code


def test_who_gives_the_same_code_again_corrects_nothing(place):
    script = called(begun(), "c1", None, code="111")
    for code, n in (("111", 0), ("112", 1)):
        script.contact("retypified", "c1", code=code, version=1, author="monitor")
        place.take(script)
        assert stated(place.report("tipificacion"), "corregidas por otro")[0] == n


def test_a_call_that_goes_on_is_in_the_join_at_once(place):
    place.switch(T0, "entered", "9.9").switch(T0 + 9000, "connected", "9.9", wait_ms=9000)
    script = begun().call("c1")
    for n in (1, 2):
        place.take(script)
        (row,) = rows(place.report("servicio"), "joined")
        assert (row["joined_contacts"], row["contacts_alone"]) == (n, n)
        script.offer("c2").contact("answered", "c2", 3000, via="key", ring_ms=3000)
