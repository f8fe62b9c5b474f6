"""What programs of several codecs' tests have in common, as source: it runs on the VM."""

FAILS = """
from lib.errors import PartError
def fails(call, *arguments):
    try:
        call(*arguments)
    except PartError as error:
        print(error)
"""

HEARD = """
def heard(sink, source):
    return round(model.paths()[sink][source], 4)
"""
