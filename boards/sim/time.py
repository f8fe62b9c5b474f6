"""`time` on the simulated clock. Ticks count from power-on and wrap at 2**30, as on the ESP32."""

import builtin
import manners
import wire

_EPOCH_2000 = 946684800  # seconds from 1970 to the ESP32 port's epoch
_WRAP = 1 << 30

gmtime = builtin.time.gmtime
mktime = builtin.time.mktime
rtc_offset_ms = 0  # set through machine.RTC: ms to add to the uptime for the wall clock since 2000


def ticks_ms():
    return (wire.uptime() + manners.ticks_from) & (_WRAP - 1)


def ticks_us():
    return (wire.micros() + 1000 * manners.ticks_from) & (_WRAP - 1)


def ticks_add(ticks, delta):
    if not -_WRAP // 2 < delta < _WRAP // 2:
        raise OverflowError("ticks interval overflow")
    return (ticks + delta) & (_WRAP - 1)


def ticks_diff(later, earlier):
    """Signed difference, as the chip's ring of 2**30 has it (the VM's own ring is wider)."""
    return ((later - earlier + _WRAP // 2) & (_WRAP - 1)) - _WRAP // 2


def ticks_cpu():
    return ticks_us()


def sleep_ms(ms):
    wire.wait(wire.now() + (ms if ms > 0 else 0))


def sleep_us(us):
    # Below the resolution of the world's clock: time does not pass for less than a millisecond.
    if us >= 1000:
        sleep_ms(us // 1000)


def sleep(seconds):
    sleep_ms(int(seconds * 1000))


def time():
    return (wire.uptime() + rtc_offset_ms) // 1000


def time_ns():
    return (wire.uptime() + rtc_offset_ms) * 1000000


def localtime(seconds=None):
    return gmtime((time() if seconds is None else seconds) + _EPOCH_2000)
