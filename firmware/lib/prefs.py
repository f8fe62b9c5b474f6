"""How each agent wants to hear, be heard and read, kept in one small file of this desk: read when
the agent logs in, written some time after a change.
"""

from lib import checked
from lib.report import audio_changed
from micropython import const

_FILE = "prefs.json"
_SOON_MS = const(3_000)
_AGAIN_MS = const(60_000)
STEPS = {"volume": (0, 100, 5), "microphone": (0, 36, 3), "sidetone": (0, 100, 10)}
CHOICES = {  # the first one is usual
    "tones": ("on", "off"), "brightness": ("high", "mid", "low"), "language": ("es", "en"),
}  # fmt: skip
_CONTRAST = {"high": 0xCF, "mid": 0x60, "low": 0x20}
_METHODS = (("volume", "set_volume"), ("microphone", "set_microphone_gain"),
            ("sidetone", "set_sidetone"))  # fmt: skip


def levels(codec):
    """What it is set to, in the order of STEPS."""
    return codec.volume, codec.microphone_gain_db, codec.sidetone


def load(app):
    """Somebody sits down, or nobody is there any more. Nothing is written before the screen is
    drawn.
    """
    agent = app.desk.agent
    app.machine.prefs = dict(app.unsaved.get(agent) or _read(app).get(agent, {})) if agent else {}
    apply(app)


def apply(app):
    """Bring codec, screen and language to what is wished, else to what the desk has for all."""
    machine = app.machine
    prefs = machine.prefs

    def tune(codec):
        usual = app.usual_levels
        if usual is None:
            app.usual_levels = usual = levels(codec)
        for (name, method), level, now in zip(_METHODS, usual, levels(codec)):  # noqa: B905
            wished = prefs.get(name, level)
            if wished != now:
                getattr(codec, method)(wished)
        machine.levels = levels(codec)

    app.parts.use("codec", tune)
    app.burn_in.bright = _CONTRAST[prefs.get("brightness", "high")]
    app.speak(prefs.get("language", machine.config.language))


def keep(app):
    """The agent's wishes changed: they take effect at once, and are written a little later."""
    before = app.machine.levels
    apply(app)
    if app.machine.levels != before:
        audio_changed(app, app.parts.get("codec"))
    if app.desk.agent:
        app.unsaved[app.desk.agent] = app.machine.prefs
        app.keep_due = app.clock.now() + _SOON_MS


def write(app):
    """Put into the file what is not there yet."""
    app.keep_due = None
    all_of_them = _read(app)
    all_of_them.update(app.unsaved)
    try:
        checked.write(_FILE, all_of_them)
        app.unsaved.clear()
    except OSError as error:
        app.serial.log("{}: {}".format(_FILE, error))
        app.keep_due = app.clock.now() + _AGAIN_MS


def _read(app):
    """Those of a damaged file are lost: that is told, and the file goes."""
    try:
        return checked.read(_FILE) or {}
    except checked.Damaged:
        checked.remove(_FILE)
        app.fault("config", "damaged")
        return {}
