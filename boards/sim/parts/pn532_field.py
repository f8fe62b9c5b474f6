"""The field of a PN532 and the cards in it, as far as its commands tell them apart: a card is
idle, active, or halted (ISO/IEC 14443-3 §6.2), and forgets which once the field was away for
5.1 ms (NFC Forum, Activity, «FIELD_OFF»).

What a listing makes of a card that is still active from the one before differs between chips and
cards, and the manual does not say; `manner` has what people saw:
"lists"   found each time (the manual's §7.3.5 read so, ESP32 users of MIFARE Classic);
"second"  it is not found and falls idle, so each second listing finds it (Adafruit-PN532 #52,
          esphome #9875, NXP community 481864, with two targets); one of ISO/IEC 14443-4 hears no
          request at all in this state and hangs (libfreefare #44);
"never"   not found until it was away from the field, even after its release (ESPuino #444).
"""

import wire

_RESET_MS = 6  # 5.1 in whole ones
MANNERS = ("lists", "second", "never")


class Field:
    def __init__(self):
        self.manner = "second"
        self.cards = []
        self.power()

    def power(self):
        self.targets = []  # of the last listing, as its numbers have it
        self._off_at = wire.now() - _RESET_MS
        self.on = False

    def enter(self, card):
        """{"uid": bytes, "sak", "atqa", "torn": bool, "chip"} comes in.

        `chip.answer(bytes)` is what a card of ISO/IEC 14443-4 says; one without has no commands.
        """
        self.cards.append(card)
        self._forget(card)

    def clear(self):
        self.cards = []

    def _forget(self, card):
        card["state"], card["deaf"] = "idle", False
        if "chip" in card:
            card["chip"].field()

    def switch(self, on):
        if on and not self.on and wire.now() - self._off_at >= _RESET_MS:
            for card in self.cards:
                self._forget(card)
        elif self.on and not on:
            self._off_at = wire.now()
        self.on = on

    def begin(self):
        """A listing begins: who is still active from the one before."""
        self.switch(True)
        for card in self.cards:
            active = card["state"] == "active"
            card["deaf"] = active and self.manner != "lists"
            falls = self.manner == "lists" or (self.manner == "second" and "chip" not in card)
            if active and falls:
                card["state"] = "idle"

    def find(self, most):
        """Up to `most` cards that answer now; they are active then."""
        heard = ("idle",) if self.manner == "never" else ("idle", "halt")
        found = [card for card in self.cards if card["state"] in heard and not card["deaf"]]
        self.targets = found[:most]
        for card in self.targets:
            card["state"] = "active"
            if "chip" in card:
                card["chip"].field()
        return self.targets

    def release(self):
        """All targets: HLTA, or S(DESELECT) where they speak ISO/IEC 14443-4."""
        for card in self.targets:
            if card["state"] == "active" and self.on:
                card["state"] = "halt"
        self.targets = []

    def target(self, number):
        """The active card of this number, from 1 on; None when it is not there any more."""
        if not 0 < number <= len(self.targets):
            return None
        card = self.targets[number - 1]
        return card if card in self.cards and card["state"] == "active" and self.on else None
