"""How often the way over Wi-Fi is tried again, and what of its failures is a fault."""

from lib.errors import LinkError, PartError
from lib.links import Links

import tests.support  # noqa: F401 - MicroPython's names, where CPython lacks them

HALF_HOUR_MS = 1_800_000


class App:
    """Notes faults and console."""

    def __init__(self):
        self.faults = []
        self.lines = []
        self.serial = self
        self.log = self.lines.append

    def fault(self, part, code):
        self.faults.append((part, code))


class Alone(Links):
    """Without its tasks: `fails` is what one of them would meet."""

    def __init__(self, joined=False, reconnects=0):
        self._app = App()
        self._wait_ms = self._failures = self._unanswered = 0
        self._code = ""
        self._joined, self.reconnects = joined, reconnects
        self.wireless = False
        self.radio = None

    def fails(self, error, times=1):
        """The waits after it, in seconds; each is made longer by up to its half."""
        waits = []
        for _ in range(times):
            self._ended(error)
            waits.append(self._wait_ms // 1000)
        return waits

    @property
    def faults(self):
        return self._app.faults


MENDS = [
    (RuntimeError("Wifi Internal Error"), "radio"),
    (OSError(19), "radio"),
    (MemoryError(), "no_memory"),
    (PartError("wifi", "no_memory", "is the image for its PSRAM?"), "no_memory"),
    (PartError("wifi", "wrong_password", "mend it"), "wrong_password"),
    (PartError("wifi", "other_security", "mend it"), "other_security"),
    (LinkError("another certificate", "certificate"), "certificate"),
    (LinkError("the hub refuses it", "refused"), "refused"),
]


def test_what_somebody_has_to_mend_is_a_fault_and_tried_with_a_growing_wait():
    for error, code in MENDS:
        links = Alone()
        assert links.fails(error, 6) == [60, 120, 240, 360, 360, 360], code
        assert links.faults == [("wifi", code)] * 6
        assert links._app.lines == ["wifi: " + str(error)] * 6


def test_in_half_an_hour_it_is_tried_a_few_times():
    for longer in (2, 3):  # halves of the wait
        links, ms, tries = Alone(), 0, 0
        while ms < HALF_HOUR_MS:
            ms += links.fails(OSError(19))[0] * 500 * longer
            tries += 1
        assert 2 <= tries <= 8


def test_what_comes_back_by_itself_is_tried_soon_and_told_after_three():
    links = Alone()
    error = PartError("wifi", "no_network", "is the access point on?")
    assert links.fails(error, 2) == [1, 2]
    assert links.faults == []
    assert links.fails(error, 3) == [4, 7, 7]
    assert links.faults == [("wifi", "no_network")] * 3


def test_what_worked_before_may_work_again_by_itself():
    links = Alone(joined=True)
    error = PartError("wifi", "wrong_password", "mend it")
    assert links.fails(error, 2) == [1, 2] and links.faults == []
    assert links.fails(error) == [60] and links.faults == [("wifi", "wrong_password")]
    links = Alone(joined=True, reconnects=1)
    error = LinkError("another certificate", "certificate")
    assert links.fails(error, 2) == [1, 2] and links.faults == []
    assert links.fails(error) == [60] and links.faults == [("wifi", "certificate")]
