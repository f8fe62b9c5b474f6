"""Plain contacts and lamps of a board: buttons, lights and the headset's socket on their nets."""

import wire


class Buttons:
    """Keys to ground, pulled up; key 1 is the first of `nets`."""

    def __init__(self, nets):
        self._nets = nets

    def press(self, key, bounce=0):
        self._move(self._nets[key - 1], 0, bounce)

    def release(self, key, bounce=0):
        self._move(self._nets[key - 1], 1, bounce)

    def _move(self, net, level, bounce):
        """Contacts close at once and may chatter for `bounce` ms (datasheets say up to 5)."""
        net.drive(level)
        for ms in range(1, bounce + 1):
            chatter = level ^ (ms & 1)
            wire.alarm(wire.now() + ms, lambda chatter=chatter: net.drive(chatter))
        if bounce & 1:
            wire.alarm(wire.now() + bounce + 1, lambda: net.drive(level))


class Pads(Buttons):
    """Buttons first, then touch pads (`parts.touch.Pad`), which do not bounce; `fault`: theirs."""

    def __init__(self, nets, pads):
        super().__init__(nets)
        self._pads = pads

    @property
    def fault(self):
        return self._pads[0].fault

    @fault.setter
    def fault(self, kind):
        for pad in self._pads:
            pad.fault = kind

    def press(self, key, bounce=0):
        self._touch(key, True) or super().press(key, bounce)

    def release(self, key, bounce=0):
        self._touch(key, False) or super().release(key, bounce)

    def _touch(self, key, touched):
        at = key - 1 - len(self._nets)
        if at >= 0:
            self._pads[at].touched = touched
        return at >= 0


class Knob(Buttons):
    """A rotary encoder (`parts.encoder.Encoder`); its push is key 1, buttons may follow."""

    def __init__(self, encoder, nets):
        super().__init__(nets)
        self.turn = encoder.turn


class Lamps:
    """One on each of `nets`, lit at the level `active`; dark in reset."""

    def __init__(self, nets, active=1):
        self._nets = nets
        self._active = active
        for line in nets:
            line.level = 1 - active

    def lit(self):
        return [line.level == self._active for line in self._nets]


class Socket:
    """The headset's contact: its level when plugged."""

    def __init__(self, net, plugged=0):
        self._net = net
        self._plugged = plugged
        net.level = 1 - plugged

    def plug(self, plugged):
        self._net.drive(self._plugged if plugged else 1 - self._plugged)
