"""What the screen shows in safe mode: why, and that help is needed."""

from lib.canvas import Canvas
from lib.parts import Parts
from lib.words_es import WORDS


def show(why):
    import board
    from start import choose_wires, make_bus

    gpios = choose_wires(print)
    parts = Parts(board.PARTS, gpios, lambda name: make_bus(name, gpios))
    if not parts.has("screen"):
        return
    canvas = Canvas()
    canvas.title(WORDS["safe_mode"], 14, 127)
    canvas.text(WORDS["safe_" + why], 0, 38, 127, True)
    parts.make("screen").show(canvas.buffer, True)
