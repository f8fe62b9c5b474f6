"""Which program runs, and how an update gets into a slot, on flash with NOR's rules."""

import slots
from slots import BAD, GOOD, TOLD, TRIED, Slot, choose
from update import Intake, UpdateError

from tests.support.nor import Nor, PowerCut
from tests.support.slot_bench import (
    BODY,
    KEY,
    body_of,
    bundle,
    manifest,
    new_slot,
    parts,
    seal,
    sign,
)


def intake(slot, least=1001, board="sim", key=KEY):
    return Intake({None: (slot, least, None)}, board, key)


def good_bundle(body=BODY, **more):
    line = manifest(body, **more)
    return bundle(line, sign(line), body)


def refused(content, **more):
    slot = new_slot()
    erases = slot.flash.erases
    taking = intake(slot, **more)
    try:
        for part in parts(content):
            taking.add(part)
    except UpdateError as error:
        assert not Slot(slot.flash, "slot_b").whole
        return error.reason, slot.flash.erases - erases
    return None, 0


def test_a_good_program_runs_and_a_newer_one_once():
    first, second = seal(Nor(4)), seal(Nor(4), b"2", 2000, good=False)
    assert choose([first, second]) == (second, True, None)
    assert choose([first, second]) == (first, False, second)  # it never said that it works
    assert second.has(BAD) and second.news
    second.mark(TOLD)
    assert choose([first, second]) == (first, False, None) and not second.news


def test_three_starts_of_a_trial_may_lose_their_power():
    first, second = seal(Nor(4)), seal(Nor(4), b"2", 2000, good=False)
    assert choose([first, second]) == (second, True, None)
    for _ in range(3):
        again = Slot(second.flash, "slot_b")
        assert choose([first, again], True) == (again, True, None)
    assert choose([first, Slot(second.flash, "slot_b")], True)[:2] == (first, False)
    assert Slot(second.flash, "slot_b").has(BAD)


def test_what_came_to_be_good_goes_on_running():
    first, second = seal(Nor(4)), seal(Nor(4), b"2", 2000, good=False)
    assert choose([second, first])[:2] == (second, True)
    second.mark(GOOD)
    again = Slot(second.flash, "slot_b")
    assert again.news and choose([first, again]) == (again, False, None)


def test_nothing_runs_of_slots_without_a_program():
    blank, torn = new_slot(), seal(Nor(4))
    torn.flash.image[-4096 + 20] = 0
    assert choose([blank, Slot(torn.flash, "slot_a")]) == (None, False, None)


def test_a_bundle_is_taken_part_by_part():
    slot = new_slot()
    taking = intake(slot)
    answers = [taking.add(part) for part in parts(good_bundle())]
    assert answers[0] is None and answers[1] == 3 and answers[-1] == 0
    taken = Slot(slot.flash, "slot_b")
    assert (taken.sequence, taken.version, taken.board) == (2000, "2", "sim")
    assert taken.usable and not taken.has(TRIED) and body_of(taken) == BODY


def test_it_goes_on_after_a_restart_where_the_flash_has_it():
    slot = new_slot()
    commands = parts(good_bundle())
    taking = intake(slot)
    for part in commands[:15]:
        taking.add(part)
    assert taking.add(commands[20]) == 16
    assert taking.add(commands[20]) is None  # said once
    again = intake(Slot(slot.flash, "slot_b"))
    told = again.add(dict(commands[0], i=2))
    assert 10 <= told <= 15
    for part in commands[told - 1 :]:
        last = again.add(part)
    assert last == 0 and body_of(Slot(slot.flash, "slot_b")) == BODY


def test_what_failed_here_comes_anew():
    slot = new_slot()
    commands = parts(good_bundle())
    taking = intake(slot)
    for part in commands:
        taking.add(part)
    slot = Slot(slot.flash, "slot_b")
    slot.mark(TRIED)
    slot.mark(BAD)
    again = intake(slot)
    for part in commands:
        last = again.add(part)
    assert last == 0 and Slot(slot.flash, "slot_b").usable


def test_what_failed_here_comes_anew_also_when_a_cut_left_it_half_forgotten():
    commands = parts(good_bundle())
    slot = new_slot()
    taking = intake(slot)
    for part in commands:
        taking.add(part)
    slot = Slot(slot.flash, "slot_b")
    slot.mark(TRIED)
    slot.mark(BAD)
    image = slot.flash.image
    for budget in range(0, 88 + 44, 3):
        flash = Nor(image=bytearray(image), budget=budget)
        try:
            Slot(flash, "slot_b").forget()
        except PowerCut:
            flash.budget = None
        again = intake(Slot(flash, "slot_b"))
        told = again.add(commands[0]) or 2
        while told:
            told = again.add(commands[told - 1]) or (told < len(commands) and told + 1)
        assert Slot(flash, "slot_b").usable and body_of(Slot(flash, "slot_b")) == BODY, budget


def test_who_signed_it_which_board_and_how_old_is_asked_before_anything_is_erased():
    other = bytearray(KEY)
    other[200] ^= 1
    line = manifest()
    assert refused(bundle(line, sign(line + b" "))) == ("bad_signature", 0)
    assert refused(bundle(line, sign(line)), key=bytes(other)) == ("bad_signature", 0)
    assert refused(bundle(line, b"")) == ("bad_signature", 0)
    assert refused(bundle(line, sign(line)), key=None) == ("no_key", 0)
    assert refused(good_bundle(), board="lyrat_v4_3") == ("wrong_board", 0)
    assert refused(good_bundle(), least=2001) == ("downgrade", 0)
    assert refused(good_bundle(micropython="99.1")) == ("old_micropython", 0)
    assert refused(good_bundle(length=len(BODY) + 256)) == ("wrong_length", 0)
    assert refused(good_bundle(length=1 << 20)) == ("wrong_length", 0)
    assert refused(good_bundle(what="bluetooth")) == ("no_slots", 0)
    assert refused(good_bundle(made="soon")) == ("bad_manifest", 0)
    assert refused(b"{" * 6000) == ("bad_manifest", 0)


def test_a_program_that_is_not_what_was_signed_does_not_count():
    line = manifest()
    wrong = bytearray(BODY)
    wrong[5000] ^= 4
    assert refused(bundle(line, sign(line), bytes(wrong)))[0] == "bad_hash"


def test_parts_that_are_none_are_refused():
    part = parts(good_bundle())[0]
    for wrong in (
        {"part": 0}, {"parts": "2"}, {"sha256": "00"}, {"data": None}, {"data": "AAAA"},
        {"part": 99}, {"sha256": None},
    ):  # fmt: skip
        try:
            intake(new_slot()).add(dict(part, **wrong))
        except UpdateError as error:
            assert error.reason == "bad_command"
        else:
            raise AssertionError(wrong)


def test_states_that_a_cut_left_halfway_do_not_count_yet():
    slot = seal(Nor(4), good=False)
    slot.flash.image[-4096 + 88 + GOOD] = 0x5A
    again = Slot(slot.flash, "slot_a")
    assert not again.has(GOOD)
    again.mark(GOOD)
    assert Slot(slot.flash, "slot_a").has(slots.GOOD)
