"""Keys, lights and the headset socket: plain nets of the board, named as people see them."""

import machine
import wire


class Panel:
    def __init__(self, pins):
        self._keys = {}
        self._lights = {}
        for role, gpio in pins.items():
            if role.startswith("key"):
                self._keys[int(role[3:])] = machine.net(gpio)  # to ground, pulled up
            elif role.startswith("led_"):
                self._lights[role[4:]] = machine.net(gpio)
                machine.net(gpio).level = 0
        self._headset = machine.net(pins["headset_detect"])

    def press(self, key, bounce=0):
        self._move(self._keys[key], 0, bounce)

    def release(self, key, bounce=0):
        self._move(self._keys[key], 1, bounce)

    def _move(self, net, level, bounce):
        """Contacts close at once and may chatter for `bounce` ms (datasheets say up to 5)."""
        net.drive(level)
        for ms in range(1, bounce + 1):
            chatter = level ^ (ms & 1)
            wire.alarm(wire.now() + ms, lambda chatter=chatter: net.drive(chatter))
        if bounce & 1:
            wire.alarm(wire.now() + bounce + 1, lambda: net.drive(level))

    def plug(self, plugged):
        self._headset.drive(0 if plugged else 1)

    def lights(self):
        return {name: bool(net.level) for name, net in self._lights.items()}
