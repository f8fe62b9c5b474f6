"""The files of a program in one, and what is told of one that is damaged."""

import pytest
from diadema.base.errors import ImageError
from diadema.stations.image.files import join_files, split_files

FILES = {
    "board.mpy": b"M\x06" + bytes(300),
    "lib/app.mpy": bytes(range(256)) * 2,
    "lib/no": b"",
    "start_files/a.mpy": bytes(range(256)) * 9,
    "start_files/b": b"x",
}


def test_they_come_out_as_they_went_in() -> None:
    made = join_files(FILES)
    assert split_files(made) == FILES
    assert made == join_files(dict(reversed(FILES.items())))
    assert FILES["board.mpy"] in made and FILES["start_files/a.mpy"] not in made
    assert len(made) < sum(map(len, FILES.values())) - 1_000


def test_each_byte_that_is_missing_or_too_many_is_told() -> None:
    made = join_files(FILES)
    for length in range(len(made)):
        with pytest.raises(ImageError, match="damaged"):
            split_files(made[:length])
    with pytest.raises(ImageError, match="too many"):
        split_files(made + b"\0")


def test_a_damaged_byte_is_told_or_is_for_the_sum_of_the_whole_to_find() -> None:
    made = join_files(FILES)
    told = 0
    for at in range(len(made)):
        damaged = bytearray(made)
        damaged[at] ^= 0x10
        try:
            split_files(bytes(damaged))
        except ImageError as error:
            told += "damaged" in str(error)
    assert told > 50
