"""Looks at a board that says no hello through MicroPython's prompt, by mpremote's transport."""

import contextlib
import io
import json
import struct

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

_ANSWER_S = 5.0  # to one character
_LOOK = """
import json, os, sys
try:
    import machine
    chip = ''.join('%02x' % byte for byte in machine.unique_id())
except (ImportError, AttributeError):
    chip = ''
print(json.dumps({'version': '.'.join(str(n) for n in sys.implementation[1][:3]),
    'chip': chip, 'program': 'slots.mpy' in os.listdir('/')}))
"""
# mpremote unpacks what a pulled cable left short
_TROUBLE = (TransportError, OSError, ValueError, KeyError, TypeError, struct.error)


def what_answers(port: str) -> str | None:
    """What to do about it, in words; None when there is no prompt either."""
    try:
        line = SerialTransport(port, baudrate=115_200, timeout=_ANSWER_S)
    except _TROUBLE:
        return None
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it did not expect
            line.enter_raw_repl(soft_reset=False)
            told = json.loads(line.exec(_LOOK))
        return _words(line, told)
    except _TROUBLE:
        return None
    finally:
        with contextlib.suppress(*_TROUBLE):  # the cable may be gone
            line.close()


def _words(line: SerialTransport, told: dict[str, str]) -> str:
    name = f"MicroPython {told['version']}" + (f" on chip {told['chip']}" if told["chip"] else "")
    if not told["program"]:
        return (
            f"{name} runs there, but no station's program: write it with `diadema flash`, which "
            "keeps its journal and its files"
        )
    with contextlib.suppress(*_TROUBLE):
        line.exec_raw_no_follow("import machine; machine.reset()")
    return (
        f"{name} stood at its prompt; it was started again: repeat the command. If it stands "
        "there again, write it anew with `diadema flash`: what is its own stays"
    )
