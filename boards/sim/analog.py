"""ADC and touch pads of the simulated board: they read what a model put on the pin's net."""

import chips
import pins
from pins import Pin


def _now(reading):
    return reading() if callable(reading) else reading


class ADC:
    ATTN_0DB = 0
    ATTN_2_5DB = 1
    ATTN_6DB = 2
    ATTN_11DB = 3

    def __init__(self, pin, *, atten=ATTN_11DB):
        rules = chips.rules(pins.chip)
        self._net = (pin if isinstance(pin, Pin) else Pin(pin)).net
        if self._net.gpio not in rules.adc:
            raise ValueError("invalid pin")
        pins.dip()  # its unit gets power
        self._full = rules.full_mv[atten]

    def _millivolts(self):
        return min(max(_now(self._net.millivolts), 0), self._full)

    def read_uv(self):
        return self._millivolts() * 1000

    def read_u16(self):
        return self._millivolts() * 65535 // self._full


class TouchPad:
    def __init__(self, pin):
        if pin.net.gpio not in chips.rules(pins.chip).touch:
            raise ValueError("invalid pin for touchpad")
        self._net = pin.net

    def read(self):
        return _now(self._net.touch)
