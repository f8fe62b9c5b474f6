"""Builds a board from its table: a model for each part, behind the bus, the wires and the address
that the table has. Only the models that this board needs are loaded.

The model of a part on a bus, or of a chip with wires of its own, stands in `parts/DRIVER.py`,
named as the driver. There `made(nets, options, attach)` returns it: `nets` are the part's own
wires in the order of the table, `options` the driver's, `attach(address, model)` puts a second
chip on the same I2C bus. `ADDRESS` is that on I2C unless the options have another. A badge
reader's model answers the world by `hold(command)` and `untap()`.
"""

import wire
from buses import attach
from jacks import SOCKETS
from parts.panel import Buttons, Knob, Lamps, Pads, Socket
from pins import net


def build_board(board, pins, built):
    """{role: model} of the `board` module's parts; `pins` are its wires' GPIOs. `built`: what
    somebody soldered otherwise than the table says, which the firmware does not read: role →
    {wire: GPIO} (-1: open), name → address of OTHERS, and `fitted` → {role: (driver, {attribute of
    its model: value})} in place of the driver's own chip.
    """
    bench = Bench(board.BUSES, pins, SOCKETS.get(board.NAME), built)
    bench.others(getattr(board, "OTHERS", {}))
    return bench.parts(board.PARTS)


def _chip(driver):
    """Its module of `parts`. Raises ValueError."""
    try:
        return __import__("parts." + driver, None, None, ("made",))
    except ImportError:
        raise ValueError("no model for the driver " + driver) from None


class Astray:
    """A chip on SPI whose MOSI or MISO was soldered elsewhere: nothing but ones comes by it."""

    def __init__(self, model, deaf, mute):
        self._model = model
        self._deaf = deaf
        self._mute = mute

    def exchange(self, data):
        ones = b"\xff" * len(data)
        said = self._model.exchange(ones if self._deaf else data)
        return ones if self._mute else said


class Bench:
    def __init__(self, buses, pins, sockets, built):
        self._buses = buses
        self._pins = self._meant = pins
        self._sockets = sockets
        self._fitted = built.get("fitted", {})
        self._built = built
        self._models = {}

    def parts(self, table):
        late = []
        for role, part in table.items():
            if part[0] == "i2s_audio":  # it hangs on the codec
                late.append((role, part))
            else:
                self._part(role, part)
        for role, part in late:
            self._part(role, part)
            self._join(self._models[role], part[3])
        return self._models

    def others(self, table):
        """What is on a bus and no part of a station."""
        for name, (chip, bus, addresses) in table.items():
            model = _chip(chip).made((), {}, None)
            self._attach(bus, (), self._built.get(name, addresses[0]), model)

    def _part(self, role, part):
        driver, _, bus, wires, options = part
        self._pins = dict(self._meant, **self._built.get(role, {}))
        ways = {}
        if role in self._fitted:
            driver, ways = self._fitted[role]
            options = options if driver == part[0] else {}
        nets = [net(self._pins[name]) for name in wires]
        make = getattr(self, "_" + driver, None)
        if make:
            model, address = make(nets, options), None
        else:
            chip = _chip(driver)
            address = getattr(chip, "ADDRESS", None)
            model = chip.made(nets, options, lambda at, other: self._attach(bus, (), at, other))
            if role == "codec" and self._sockets:
                model.sockets = self._sockets
            for name, value in ways.items():
                setattr(model, name, value)
        if model:
            self._models[role] = model
        if bus:
            self._attach(bus, nets, options.get("address", address), model)

    def _attach(self, bus, nets, address, model):
        kind, _, wires, _ = self._buses[bus]
        gpio = {keyword: self._pins[name] for keyword, name in wires.items()}
        if kind.endswith("I2C"):
            attach(("i2c", gpio["scl"], gpio["sda"]), address, model)
        elif kind.endswith("SPI"):
            astray = self._astray((wires["mosi"], wires["miso"]))
            attach(
                ("spi", gpio["sck"]),
                nets[0].gpio,
                Astray(model, *astray) if any(astray) else model,
            )
            if hasattr(model, "select"):
                nets[0].watchers.append(model.select)
        else:
            attach(("uart", gpio["rx"]), 0, model)

    def _astray(self, wires):
        """For each of these wires whether it was soldered elsewhere."""
        return [self._pins[name] != self._meant[name] for name in wires]

    # ------------------------------------------------------------------ parts without a bus

    def _keys(self, nets, options):
        return Buttons(nets)

    def _keys_touch(self, nets, options):
        from parts.touch import Pad

        buttons = options.get("buttons", 0)
        pads = [Pad(wired, rises=options.get("rises", False)) for wired in nets[buttons:]]
        return Pads(nets[:buttons], pads)

    def _keys_ladder(self, nets, options):
        from parts.ladder import Ladder

        return Ladder(nets[0], options["millivolts"])

    def _encoder(self, nets, options):
        from parts.encoder import Encoder

        return Knob(Encoder(nets[0], nets[1]), nets[2:])

    def _lights(self, nets, options):
        return Lamps(nets, options.get("active", 1))

    def _lights_neopixel(self, nets, options):
        from parts.neopixel import NeoPixels

        return NeoPixels(nets[0], options.get("first", 0) + 3)

    def _headset(self, nets, options):
        return Socket(nets[0], options.get("plugged", 0))

    def _i2s_audio(self, nets, options):
        from parts.audio import Audio

        codec = self._models["codec"]
        sound = Audio(codec, wire)
        sound.mclk = self._pins.get("i2s_mclk")
        nets[3].pulses = sound.pulse
        if hasattr(codec, "adc"):
            codec.adc.watch = codec.watch
        return sound

    def _join(self, sound, wires):
        """The chip finds the sound at its own bit clock, wherever that was soldered to."""
        bck, ws, sound.mute, sound.deaf = self._astray(wires)
        sound.unclocked = bck or ws
        attach(("i2s", self._meant[wires[0]]), 0, sound)

    def _wifi(self, nets, options):
        return None  # the chip's own; `network` has it
