"""The journal on NOR in memory: order, wrap, acknowledgement, full, torn, and cuts of power."""

import struct
import sys
from binascii import crc32

from lib.errors import JournalError, JournalFull
from lib.journal import EVENT, SNAPSHOT, Journal
from lib.journal_start import begin

from tests.support.nor import SECTOR, Nor, PowerCut


def payload(n, size=100):
    text = '{"k":"test","n0":' + str(n) + ',"pad":"'
    return (text + "x" * (size - len(text) - 2) + '"}').encode()


def mounted(nor, visit=None):
    journal = Journal(nor, lambda: b'{"state":1}')
    journal.mount(visit)
    return journal


def fill(journal, count, size=100):
    for _ in range(count):
        n = journal.append(payload(journal.last + 1, size))
        journal.ack(n)


def everything(journal):
    """All (n, payload) that can be read, from the oldest on."""
    found = []
    n = journal.first
    while True:
        read = journal.read(n)
        if read is None or read[1] is None:
            return found
        found.append(read)
        n = read[0] + 1


def raises(error, call, *arguments):
    try:
        call(*arguments)
    except error:
        return True
    return False


def test_a_new_partition_is_formatted_once():
    nor = Nor()
    journal = mounted(nor)
    assert (journal.first, journal.last, journal.acked) == (1, 0, 0)
    erases = nor.erases
    again = mounted(nor)
    assert again.epoch == journal.epoch != 0
    assert nor.erases == erases


def test_events_come_back_after_a_mount():
    nor = Nor()
    journal = mounted(nor)
    wanted = []
    for n in range(1, 60):
        body = payload(n, 60 + n)
        assert journal.append(body) == n
        wanted.append((n, body))
    assert everything(journal) == wanted
    again = mounted(nor)
    assert again.last == 59
    assert everything(again) == wanted
    assert again.append(b"{}") == 60


def test_reading_from_any_number():
    journal = mounted(Nor(8))
    for n in range(1, 120):
        journal.append(payload(n))
    for n in (1, 119, 60, 61, 59, 2, 118, 30, 31):
        assert journal.read(n) == (n, payload(n))
    assert journal.read(120) is None


def test_the_ring_goes_round_and_counts_its_erases():
    nor = Nor()
    journal = mounted(nor)
    before = nor.erases
    fill(journal, 400)
    size = 112 * 400
    assert journal.last == 400
    assert (nor.erases - before) * SECTOR <= size * 1.2
    again = mounted(nor)
    assert again.last == 400
    assert again.read(400) == (400, payload(400))
    assert again.first > 1


def test_nothing_unacknowledged_is_overwritten():
    nor = Nor()
    journal = mounted(nor)
    written = 0
    try:
        while True:
            written = journal.append(payload(written + 1))
    except JournalFull:
        pass
    assert written > 100
    assert [n for n, _ in everything(journal)] == list(range(1, written + 1))
    again = mounted(nor)
    assert [n for n, _ in everything(again)] == list(range(1, written + 1))
    assert raises(JournalFull, again.append, payload(0))
    again.ack(40)
    assert again.append(payload(written + 1)) == written + 1
    assert again.read(41) == (41, payload(41))


def test_low_value_stops_first_then_the_reserve():
    journal = mounted(Nor(8))
    n = 0
    while not raises(JournalFull, journal.append, payload(n + 1), True):
        n += 1
    assert not journal.reserve
    while not journal.reserve:
        n = journal.append(payload(n + 1))
    left = 0
    try:
        while True:
            journal.append(payload(0))
            left += 1
    except JournalFull:
        pass
    assert left * 112 >= 2 * (SECTOR - 200)


def test_erase_ahead_spares_the_append():
    nor = Nor()
    journal = mounted(nor)
    fill(journal, 34)
    mounted(nor)  # a boot: what was erased before is not trusted
    journal = mounted(nor)
    assert journal.wants_erase
    journal.erase_ahead()
    assert not journal.wants_erase
    erases = nor.erases
    fill(journal, 36)
    assert nor.erases == erases


def test_acknowledgements_are_written_seldom_and_before_a_reclaim():
    nor = Nor()
    journal = mounted(nor)
    for n in range(1, 32):
        journal.append(b'{"k":"x"}')
        journal.ack(n)
    assert mounted(nor).acked == 0
    journal.append(b'{"k":"x"}')
    journal.ack(32)
    assert mounted(nor).acked == 32
    journal.append(b'{"k":"x"}')
    journal.ack(33)
    journal.erase_ahead()
    assert mounted(nor).acked == 32  # there is room yet
    while not journal.wants_erase:
        journal.append(b'{"k":"x"}')
    journal.erase_ahead()
    assert mounted(nor).acked == 33


def test_an_acknowledgement_may_go_back():
    nor = Nor()
    journal = mounted(nor)
    fill(journal, 90)
    free = journal.free
    journal.ack(10)
    assert journal.free < free
    assert mounted(nor).acked == 10


def test_an_acknowledgement_beyond_the_end_moves_it():
    journal = mounted(Nor())
    fill(journal, 3)
    journal.ack(10)
    assert journal.append(b"{}") == 11
    assert journal.read(4) == (11, b"{}")


def test_the_snapshot_opens_every_sector_and_is_visited_first():
    nor = Nor()
    state = [b'{"a":1}']
    journal = Journal(nor, lambda: state[0])
    journal.mount()
    fill(journal, 20)
    state[0] = b'{"a":2}'
    fill(journal, 20)
    seen = []
    mounted(nor, lambda kind, n, body: seen.append((kind, n, body)))
    assert seen[0] == (SNAPSHOT, seen[1][1] - 1, b'{"a":2}')
    assert all(kind == EVENT for kind, _, _ in seen[1:])
    assert seen[-1][1] == 40


def test_a_worn_record_is_skipped_counted_and_told():
    nor = Nor()
    journal = mounted(nor)
    for n in range(1, 6):
        journal.append(payload(n))
    at = nor.programs[-3][0]
    nor.image[at + 50] = 0
    again = mounted(nor)
    assert again.torn == 1
    assert again.last == 5
    assert again.read(3) == (4, payload(4))


def test_a_worn_header_closes_the_sector():
    nor = Nor()
    journal = mounted(nor)
    for n in range(1, 6):
        journal.append(payload(n))
    at = nor.programs[-2][0]
    nor.image[at + 3] ^= 0x01
    again = mounted(nor)
    assert again.last == 3
    assert again.append(b"{}") == 4
    assert again.torn == 1
    assert mounted(nor).read(4) == (4, b"{}")


def test_a_snapshot_that_no_record_takes_stops_no_event():
    nor = Nor()
    journal = mounted(nor)
    journal.snapshot = lambda: b"x" * 513
    fill(journal, 150)
    assert len(everything(mounted(nor))) > 60 and not journal.bad


def test_a_worn_snapshot_falls_back_to_the_sector_before():
    nor = Nor()
    journal = mounted(nor)
    fill(journal, 40)
    second = SECTOR + 32
    nor.image[second + 10] = 0
    seen = []
    again = mounted(nor, lambda kind, n, body: seen.append((kind, n)))
    assert again.last == 40
    assert seen[0] == (SNAPSHOT, 0)
    assert [n for kind, n in seen if kind == EVENT] == list(range(1, 41))


def test_a_record_that_does_not_read_back_is_written_again():
    nor = Nor()
    journal = mounted(nor)
    journal.append(b'{"k":"a"}')
    nor.image[journal._offset + 12] &= 0xFE  # a bit that will not read as programmed
    honest = nor.writeblocks

    def worn(block, buf, offset=None):
        keep = nor.image[block * SECTOR + offset + 12]
        nor.image[block * SECTOR + offset + 12] = 0xFF
        honest(block, buf, offset)
        nor.image[block * SECTOR + offset + 12] &= keep

    nor.writeblocks = worn
    assert journal.append(b'{"k":"b"}') == 2
    nor.writeblocks = honest
    assert journal.rewritten <= 1
    again = mounted(nor)
    assert [n for n, _ in everything(again)] == [1, 2]


def test_what_is_too_long_or_too_small_is_refused():
    journal = mounted(Nor())
    assert raises(JournalError, journal.append, b"x" * 513)
    assert raises(JournalError, Journal, Nor(3))


def test_cuts_of_power_lose_and_double_nothing():
    """A cut at every byte of a stretch that appends, acknowledges, erases and opens a sector."""
    before = Nor()
    journal = mounted(before)
    fill(journal, 3 * 34 - 2)  # the ring has gone nearly round once
    start = journal.last
    wanted = dict(everything(journal))

    def stretch(nor):
        """Yields (n, payload) of each append that came back."""
        journal = mounted(nor)
        journal.erase_ahead()
        for size in (40, 130, 300, 25, 200, 120, 90, 310, 280, 70):
            body = payload(journal.last + 1, size + 30)
            yield journal.append(body), body
            if size == 130:
                journal.ack(start)

    whole = Nor(image=bytearray(before.image))
    for _ in stretch(whole):
        pass
    step = 1 if sys.implementation.name == "cpython" else 29
    for budget in range(0, whole.spent, step):
        nor = Nor(
            image=bytearray(before.image),
            budget=budget,
            erased_part=(0, 17, 2048, 4090)[budget % 4],
        )
        kept = {}
        try:
            for n, body in stretch(nor):
                kept[n] = body
        except PowerCut:
            pass
        again = Journal(Nor(image=nor.image), lambda: b"{}")
        again.mount()
        found = everything(again)
        numbers = [n for n, _ in found]
        assert numbers == list(range(numbers[0], again.last + 1)), budget
        assert again.last in (start + len(kept), start + len(kept) + 1), budget
        for n, body in found:
            assert body == kept.get(n, wanted.get(n, body)), (budget, n)
        assert again.first <= start + 1
        assert again.append(b'{"k":"after"}') == again.last
        last = Journal(Nor(image=nor.image), lambda: b"{}")
        last.mount()
        assert last.last == again.last
        assert everything(last)[-1] == (again.last, b'{"k":"after"}')


def why_not(nor):
    """The code with which a partition is reported instead of used."""
    before = bytes(nor.image)
    try:
        mounted(nor)
    except JournalError as error:
        assert bytes(nor.image) == before
        return error.code
    return None


def test_a_first_format_that_was_cut_begins_again():
    whole = Nor()
    mounted(whole)
    for budget in range(whole.spent):
        nor = Nor(budget=budget)
        raises(PowerCut, mounted, nor)
        again = mounted(Nor(image=nor.image))
        assert (again.last, again.append(b"{}")) == (0, 1), budget


def test_a_partition_of_another_size_is_reported_and_left_alone():
    nor = Nor(4)
    fill(mounted(nor), 300)
    assert why_not(Nor(image=nor.image + b"\xff" * (2 * SECTOR))) == "other_size"
    nor = Nor(6)
    fill(mounted(nor), 20)
    assert why_not(Nor(image=nor.image[: 5 * SECTOR])) == "other_size"


def test_a_partition_of_another_layout_is_reported_and_left_alone():
    nor = Nor()
    fill(mounted(nor), 20)
    nor.image[4] = 2
    assert why_not(nor) == "other_layout"


def test_a_sector_that_says_it_begins_before_the_first_event_is_none_of_ours():
    """The check is right, but a greeting with such a number would be refused for good."""
    nor = Nor()
    fill(mounted(nor), 3)
    nor.image[16:20] = bytes(4)
    nor.image[28:32] = struct.pack("<I", crc32(nor.image[:28]))
    assert why_not(nor) is not None


def test_a_partition_with_anything_else_is_reported_and_left_alone():
    for at, value in ((2 * SECTOR + 77, 0x7F), (3 * SECTOR, 0), (SECTOR * 4 - 1, 0)):
        nor = Nor()
        nor.image[at] = value
        assert why_not(nor) == "unreadable"
    assert why_not(Nor(image=bytearray(4 * SECTOR))) == "unreadable"
    nor = Nor()
    fill(mounted(nor), 3)
    nor.image[10] ^= 1  # the only header there is
    assert why_not(nor) == "unreadable"


def test_flash_that_does_not_answer_is_reported():
    nor = Nor()
    mounted(nor)

    def dead(block, buf, offset=0):
        raise OSError(5)

    nor.readblocks = dead
    assert why_not(nor) == "unreadable"


def test_an_explicit_format_begins_a_new_epoch_and_a_cut_one_reuses_no_number():
    nor = Nor()
    fill(mounted(nor), 200)
    image = bytearray(nor.image)
    journal = mounted(nor)
    epoch, last = journal.epoch, journal.last
    begin(journal)
    assert journal.epoch != epoch
    assert (journal.first, journal.last, journal.append(b"{}")) == (1, 0, 1)
    assert mounted(nor).read(1) == (1, b"{}")
    for budget in range(4):  # an erase counts as one
        cut = Nor(image=bytearray(image), budget=budget, erased_part=0)
        raises(PowerCut, begin, mounted(cut))
        assert mounted(Nor(image=cut.image)).last == last


class Worn(Nor):
    """One sector that is no longer erased: `error` says whether the chip tells."""

    def __init__(self, bad, error=False, **options):
        super().__init__(**options)
        self._bad = bad
        self._error = error

    def ioctl(self, command, argument=0):
        if command == 6 and argument == self._bad:
            if self._error:
                raise OSError(5)
            return 0
        return super().ioctl(command, argument)


def test_a_sector_that_cannot_be_erased_is_skipped_marked_and_counted():
    for error in (False, True):
        nor = Nor(6)
        journal = mounted(nor)
        fill(journal, 250)  # round once: every sector holds something
        worn = Worn(2, error, image=nor.image)
        journal = mounted(worn)
        for turn in range(3):
            fill(journal, 200)
            journal.erase_ahead()
            assert len(journal.bad) == 1
            assert worn.image[2 * SECTOR : 2 * SECTOR + 32] == bytes(32)
            last = journal.last
            assert last == 250 + 200 * (turn + 1)
            found = everything(journal)
            assert [n for n, _ in found] == list(range(journal.first, last + 1))
            journal = mounted(worn)
            assert (journal.last, len(journal.bad)) == (last, 1)
            assert everything(journal) == found


def test_a_bad_sector_is_no_room_for_what_is_not_acknowledged():
    nor = Nor(6)
    fill(mounted(nor), 250)
    worn = Worn(2, image=nor.image)
    journal = mounted(worn)
    fill(journal, 300)
    journal.ack(journal.last)
    begin = journal.last + 1
    while not raises(JournalFull, journal.append, payload(journal.last + 1)):
        pass
    assert journal.free == 0
    assert [n for n, _ in everything(journal) if n >= begin] == list(
        range(begin, journal.last + 1)
    )
    again = mounted(worn)
    again.ack(begin - 1)
    assert again.free == 0
    assert everything(again) == everything(journal)


def test_a_new_partition_with_a_bad_sector_is_formatted_around_it():
    class Dead(Worn):
        def writeblocks(self, block, buf, offset=None):
            if block != self._bad or not any(bytes(buf)):
                super().writeblocks(block, buf, offset)

    for bad in (0, 1, 5):
        nor = Dead(bad, image=bytearray(b"\xff" * (6 * SECTOR)))
        journal = mounted(nor)
        fill(journal, 300)
        assert len(journal.bad) == 1
        assert mounted(nor).last == 300


class Stuck(Nor):
    """Sector `bad` erases well, but its byte 2000 is no longer programmed."""

    def __init__(self, bad, **options):
        super().__init__(**options)
        self._bad = bad
        self.touched = 0  # operations on it, but for the marks in its header

    def writeblocks(self, block, buf, offset=None):
        super().writeblocks(block, buf, offset)
        if block == self._bad:
            self.touched += offset >= 32
            if offset <= 2000 < offset + len(buf):
                self.image[block * SECTOR + 2000] = 0xFF

    def ioctl(self, command, argument=0):
        self.touched += command == 6 and argument == self._bad
        return super().ioctl(command, argument)


def test_a_sector_that_does_not_take_a_record_is_left_marked_and_counted():
    for boots in (False, True):
        nor = Stuck(1, sectors=6)
        journal = mounted(nor)
        wanted = []
        touched = None
        for n in range(1, 401):
            assert journal.append(payload(n)) == n
            wanted.append((n, payload(n)))
            if n % 20 == 0 or touched is None:
                found = everything(journal)
                assert found == wanted[journal.first - 1 :]
                assert found[0][0] <= journal.acked + 1
            if journal.bad and touched is None:
                touched = nor.touched
                first_lap = n
                if boots:
                    journal = mounted(nor)
                    assert journal.last == n
                    assert everything(journal) == wanted
            journal.ack(max(n - 30, 0))
        assert first_lap < 70
        assert len(journal.bad) == 1
        assert nor.touched == touched
        again = mounted(nor)
        assert (again.last, len(again.bad)) == (400, 1)
        assert everything(again) == wanted[again.first - 1 :]
        begin(again)  # an order gives it another chance
        assert len(again.bad) == 0


def test_without_another_sector_a_record_is_tried_again_in_its_own():
    nor = Nor(6)
    journal = mounted(nor)
    while journal.free:
        journal.append(payload(journal.last + 1))
    honest = nor.writeblocks
    failures = [1]

    def once(block, buf, offset=None):
        honest(block, buf, offset)
        if failures.pop() if failures else 0:
            nor.image[block * SECTOR + offset + 50] ^= 0x10

    nor.writeblocks = once
    last = journal.last
    assert journal.append(payload(last + 1)) == last + 1
    assert (journal.rewritten, len(journal.bad)) == (1, 0)
    assert everything(mounted(nor))[-1] == (last + 1, payload(last + 1))


def test_a_first_format_that_was_cut_begins_again_though_a_sector_is_worn():
    class Scarred(Nor):
        """Each erase of a bad sector leaves a byte that is not erased."""

        bad = (0,)

        def ioctl(self, command, argument=0):
            done = super().ioctl(command, argument)
            if command == 6 and argument in self.bad:
                self.image[argument * SECTOR + 1000] = 0x55
            return done

    for bad in ((0,), (1,), (4,), (5,), (0, 5)):
        whole = Scarred(6)
        whole.bad = bad
        mounted(whole)
        for budget in range(whole.spent):
            for part in (0, 2048):
                nor = Scarred(6, budget=budget, erased_part=part)
                nor.bad = bad
                raises(PowerCut, mounted, nor)
                nor = Scarred(image=nor.image)
                nor.bad = bad
                again = mounted(nor)
                assert (again.last, again.append(b"{}")) == (0, 1), (bad, budget)


def test_a_first_format_leaves_nothing_that_would_format_again():
    whole = Nor(6)
    mounted(whole)
    for budget in range(whole.spent + 1):
        nor = Nor(6, budget=budget)
        raises(PowerCut, mounted, nor)
        nor = Nor(image=nor.image)
        journal = mounted(nor)
        journal.append(b"{}")
        for at in range(0, 6 * SECTOR, SECTOR):
            if nor.image[at : at + 4] == b"DIAJ" and nor.image[at + 8 : at + 12] != b"\xff" * 4:
                nor.image[at + 10] ^= 1  # not one header is whole
        assert why_not(nor) == "unreadable", budget
