"""What the station was told: the site's people, reasons, tree and limits, and its own keys."""

import json
from binascii import a2b_base64, hexlify, unhexlify
from hashlib import sha256

from lib.seal import badge_hash


class Config:
    """A configuration, with a default for each thing that it does not say."""

    def __init__(self, data=None):
        data = data or {}
        self.generation = data.get("generation", 0)
        self.seat = data.get("seat", "")
        self.language = data.get("language", "es")
        self.utc_offset_min = data.get("utc_offset_min", -300)
        self.ring_limit_ms = data.get("ring_limit_s", 20) * 1000
        self.wrapup_limit_ms = data.get("wrapup_limit_s", 60) * 1000
        agents = data.get("agents", [])
        # each as text: as objects they would take four times the memory, and one at a time is used
        self.agents = [row if isinstance(row, bytes) else _text(row) for row in agents]
        self.secure = self.codes = False  # badges that prove themselves; codes to log in with
        for text in self.agents:
            more = json.loads(text)[3:]
            self.secure = self.secure or bool(more and more[0])
            self.codes = self.codes or bool(more[2:] and more[2])
        self.reasons = data.get("reasons", [])
        tree = data.get("tree", {})
        self.tree_version = tree.get("version", 0)
        nodes = tree.get("nodes", [])
        self.motives = [node[:2] for node in nodes]
        self.tree = nodes
        self.areas = data.get("areas", [])
        self.help = data.get("help", [])
        self.faults = data.get("faults", [])
        self.methods = data.get("methods", [])
        self.materials = data.get("materials", [])
        self.tools = data.get("tools", [])
        self.key = unhexlify(data["key"]) if "key" in data else None  # seals what comes down
        self.wifi = data.get("wifi")
        self.broker = data.get("broker")
        self.ca = _mark(self.broker["ca"]) if self.broker else ""
        self.sntp = data.get("sntp")  # host:port
        self.firmware = data.get("firmware")  # the version that stations should have
        self.pin = data.get("pin", "none")
        self.campaigns = data.get("campaigns", [])
        self.playbooks = data.get("playbooks", [])
        self.selftest = data.get("selftest", 0)
        self._badge_key = unhexlify(data["badge_key"]) if data else None

    def _holding(self, text):
        """Rows of agents of which something may be `text`."""
        mark = json.dumps(text).encode()
        for row in self.agents:
            if mark in row:
                yield json.loads(row)

    def row(self, agent):
        """What the roster has of an agent, nothing where the agent is not in it."""
        for row in self._holding(agent):
            if row[0] == agent:
                return row
        return ()

    def find(self, kind, identity):
        """(keyed hash, agent id) of a badge; None for what is not known."""
        if self._badge_key is None:
            return None, None
        badge = badge_hash(self._badge_key, kind, identity)
        for row in self._holding(badge):
            if badge in row[2]:
                return badge, row[0]
        return badge, None

    def card_key(self, badge):
        """The key (16 bytes) that the card with this hash must know; None for a plain badge."""
        for row in self._holding(badge):
            if len(row) > 3 and badge in row[2][: len(row[3])]:
                return unhexlify(row[3][row[2].index(badge)])
        return None

    def verifier(self, agent):
        """Salt and hash of an agent's PIN, in base64; "" for none. Four bytes more make it a code
        for one use.
        """
        row = self.row(agent)
        return row[4] if len(row) > 4 else ""

    def one_use(self, agent):
        """Until which second of UTC the PIN is a code, in place of which the agent chooses one;
        0 where that was done.
        """
        return int.from_bytes(a2b_base64(self.verifier(agent))[24:], "big")

    def choose(self, agent, verifier):
        """The agent has chosen a PIN; the host will say so too."""
        for at, text in enumerate(self.agents):
            row = json.loads(text)
            if row[0] == agent:
                row[4] = verifier
                self.agents[at] = _text(row)

    def with_code(self, code):
        """The agent who logs in with this code, or None."""
        for row in self._holding(code):
            if row[5:] == [code]:
                return row[0]
        return None

    def name_of(self, agent):
        row = self.row(agent)
        return row[1] if row else agent or ""

    def limit_ms(self, code):
        """For how long a reason may last, 0 without a limit."""
        for row in self.reasons:
            if row[0] == code and len(row) > 3:
                return row[3] * 1000
        return 0

    def playbook(self, motive):
        """(id, version) of a motive's, None where it has none."""
        for row in self.playbooks:
            if row[0] == motive:
                return row[1:]
        return None

    def reason_label(self, code):
        return label_of(self.reasons, code)


def _mark(ca):
    """By which the host knows which authorities of the broker are held here."""
    return hexlify(sha256(ca.encode()).digest()).decode()[:8]


def _text(rows):
    return json.dumps(rows, separators=(",", ":")).encode()


def label_of(rows, code):
    """What rows of code, label and more call a code; itself where they do not have it."""
    for row in rows:
        if row[0] == code:
            return row[1]
    return code or ""
