"""Source that runs at the head of a station's `main.py`: what lies between an input and its light
is watched from inside the VM.
"""

# the world's command `answered` tells, since power came: what people did that a light answered,
# and within that reads of a slot, and collections: how often the memory in use fell by more than
# the bytes that code in C frees by itself (157 were seen, of a collection 2 688 and more)
ANSWERED = """
def _trace():
    import esp32
    import gc
    import time
    import wire

    told = {"lit": 0, "reads": 0, "drops": 0}
    held = None  # in use at the last look, while an input is not answered

    def look():
        nonlocal held
        if held is not None:
            now = gc.mem_alloc()
            told["drops"] += held - now > 1024
            held = now

    def post(app, name, *more):
        nonlocal held
        if name != "command":  # of a person
            held = gc.mem_alloc()
        taken(app, name, *more)

    def ticks():
        look()
        return ticks_ms()

    def read(flash, block, buffer, offset=0):
        told["reads"] += held is not None and flash.info()[4].startswith("slot")
        return readblocks(flash, block, buffer, offset)

    def show(lights, levels):
        nonlocal held
        own(lights, levels)
        look()
        told["lit"] += held is not None
        held = None

    wire.on("answered", lambda command: told)
    ticks_ms, time.ticks_ms = time.ticks_ms, ticks  # the firmware asks for them all the time
    readblocks, esp32.Partition.readblocks = esp32.Partition.readblocks, read
    import packed  # the program's files are found by it
    from drivers.lights import Lights
    from lib.app import App

    taken, App.post = App.post, post
    own, Lights.show = Lights.show, show


_trace()

"""
