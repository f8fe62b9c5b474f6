"""`gc` of the simulated board: its figures are the chip's bytes, as `memory` has them."""

import gc as _own

import memory

collect = _own.collect
disable = _own.disable
enable = _own.enable
isenabled = _own.isenabled
threshold = _own.threshold
mem_free = memory.left
mem_alloc = memory.held
