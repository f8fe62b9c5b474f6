"""What the world does to a board and sees of it, by role, whatever part has the role there."""

import gc
import sys

import pins
import stdin
import wire

_LIGHTS = ("ready", "busy", "ring")


def serve(models):
    """Answer the world's commands with `models` (role: model)."""

    def part(role):
        if role not in models:
            raise ValueError("this board has no " + role)
        return models[role]

    def tap(command):
        part("badge_reader").hold(command)

    def untap(command):
        part("badge_reader").untap()

    pressed = {}  # key: [alarm, what its release answered]

    def press(command):
        number, bounce = command["key"], command.get("bounce", 0)
        part("keys").press(number, bounce)
        pressed[number] = held = [None, None]
        if "ms" in command:  # by the board's own clock: a late `release` makes no press longer

            def let_go():
                held[:] = None, part("keys").release(number, bounce) or {}

            held[0] = wire.alarm(wire.now() + command["ms"], let_go)

    def release(command):
        number = command["key"]
        alarm, answer = pressed.pop(number, (None, None))
        if alarm:
            wire.cancel(alarm)
        if answer is None:
            answer = part("keys").release(number, command.get("bounce", 0))
        return answer

    def turn(command):
        part("keys").turn(command["detents"])

    def plug(command):
        if "headset" in models:
            models["headset"].plug(command["do"] == "plug")

    def fault(command):
        model = part(command["part"])
        if hasattr(model, "times"):
            model.times = command.get("times")
        model.fault = command.get("kind")

    def replug(command):
        part(command["part"]).power()

    def lights(command):
        lit = models["lights"].lit()[-3:] if "lights" in models else ()  # others' pixels before
        return {"lights": dict(zip(_LIGHTS, lit))}  # noqa: B905

    def screen(command):
        # a look takes of the station's own heap: who looks often asks for one page at a time
        panel = part("screen")
        at = command.get("page")
        ram = panel.ram if at is None else panel.ram[128 * at : 128 * at + 128]
        return {"on": panel.on, "written": panel.written, "ram": ram.hex()}

    def stall(command):
        pins.stall(command["ms"], erase=True)

    def dump(command):
        answer = {role: model.dump() for role, model in models.items() if hasattr(model, "dump")}
        since = wire.real_us()
        gc.collect()
        answer["collect_us"] = wire.real_us() - since
        answer["modules"] = list(sys.modules)
        answer["heap"] = {"free": gc.mem_free(), "used": gc.mem_alloc()}
        answer["uptime_ms"] = wire.uptime()
        answer["stdin"] = stdin.dump()
        return answer

    for name, function in (
        ("tap", tap), ("untap", untap), ("press", press), ("release", release), ("turn", turn),
        ("plug", plug), ("unplug", plug), ("replug", replug), ("stall", stall),
        ("fault", fault), ("lights", lights), ("screen", screen), ("dump", dump),
    ):  # fmt: skip
        wire.on(name, function)
    if "audio" in models:
        wire.on("listen", models["audio"].listen)
        wire.on("hush", models["audio"].hush)
