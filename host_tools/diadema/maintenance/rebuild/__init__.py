"""Works everything out again that follows from the raw events, and compares it with what stands.

`rebuild` is for programs; `diadema rebuild` for people. No hub may run on the directory meanwhile.
"""

from diadema.maintenance.rebuild.rebuild import Outcome, rebuild

__all__ = ["Outcome", "rebuild"]
