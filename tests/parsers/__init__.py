"""What must hold of every parser, for the hypothesis tests and for the bench's fuzzer alike."""

import tests.support  # noqa: F401 - before anything of the firmware
