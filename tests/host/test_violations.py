"""The watch over the broker's log, while it grows and is rotated."""

from diadema.hub.admission import ViolationWatch

LINE = '[1] [ERR] 127.0.0.1:5 - mid:7 - "DIA-0123456789ab" - Publish Violation - Subject "x.y"\n'
KEPT = '"DIA-0123456789ab" - Publish Violation - Subject "x.y"'


def test_each_is_told_once_over_rotations(tmp_path):
    path = tmp_path / "nats.log"
    path.write_text(LINE)
    watch = ViolationWatch(path)
    assert watch.look() == []
    with path.open("a") as log:
        log.write("[1] [INF] all well\n" + LINE + LINE[:70])
    assert watch.look() == [KEPT]
    with path.open("a") as log:
        log.write(LINE[70:])
    assert watch.look() == [KEPT]
    path.rename(tmp_path / "nats.log.1")
    assert watch.look() == []
    path.write_text(LINE)
    assert watch.look() == [KEPT]
    assert watch.look() == []
    assert watch.count == 3
