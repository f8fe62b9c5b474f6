"""Runs one test file inside MicroPython: `micropython run_on_micropython.py FIRMWARE FILE`.

Each function `test_…` prints `ok NAME` or its traceback; the last line is `passed N failed M`.
"""

import sys


def main(firmware, path):
    root = __file__.rsplit("/", 3)[0]
    # the firmware first: `drivers` is its package; `machine` is the one beside the test, if any
    sys.path[:0] = [firmware, root, path.rsplit("/", 1)[0]]
    scope = {"__name__": "suite", "__file__": path}
    with open(path) as file:  # noqa: PTH123 - runs on MicroPython
        exec(compile(file.read(), path, "exec"), scope)
    passed = failed = 0
    for name in sorted(scope):
        if name.startswith("test_"):
            try:
                scope[name]()
                passed += 1
                print("ok", name)
            except Exception as error:
                failed += 1
                print("FAILED", name)
                sys.print_exception(error)
    print("passed", passed, "failed", failed)


main(sys.argv[1], sys.argv[2])
