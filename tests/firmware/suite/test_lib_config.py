"""Configuration: blocks, validation with key and reason, and two files that outlive a cut."""

import json
import os
from binascii import b2a_base64, hexlify
from hashlib import sha256

from lib import saved_wifi
from lib.config import Config
from lib.config_check import ConfigError, validate
from lib.config_store import ConfigStore

STATION = "DIA-0200000000a1"
GOOD = {
    "generation": 3,
    "site": "Centro",
    "station": STATION,
    "seat": "A-01",
    "language": "es",
    "utc_offset_min": -300,
    "badge_key": "5a" * 32,
    "ring_limit_s": 20,
    "wrapup_limit_s": 60,
    "agents": [["a001", "QUISPE R.", ["0" * 32, "1" * 32]], ["a002", "ÑAUPA J.", []]],
    "reasons": [["refrigerio", "Refrigerio", 0], ["sshh", "SS. HH.", 1]],
    "tree": {"version": 1, "nodes": [["1", "Uno", [["11", "Once", [["111", "Ciento once"]]]]]]},
}


def commands(data, number=5, size=480):
    text = json.dumps(data).encode() if isinstance(data, dict) else data
    digest = hexlify(sha256(text).digest()).decode()
    parts = max((len(text) + size - 1) // size, 1)
    generation = data["generation"] if isinstance(data, dict) else 1
    return [
        {
            "cmd": "config",
            "i": number,
            "generation": generation,
            "part": part + 1,
            "parts": parts,
            "data": b2a_base64(text[part * size : part * size + size]).decode().strip(),
            "sha256": digest,
        }
        for part in range(parts)
    ]


class Folder:
    """An empty folder for the two files, removed at the end."""

    def __enter__(self):
        self._path = "/tmp/diadema-" + hexlify(os.urandom(6)).decode()
        os.mkdir(self._path)  # noqa: PTH102 - runs on MicroPython
        return self._path

    def __exit__(self, *_error):
        for name in os.listdir(self._path):  # noqa: PTH208
            os.remove(self._path + "/" + name)  # noqa: PTH107
        os.rmdir(self._path)  # noqa: PTH106


def told(call, *arguments):
    """The (key, reason) of the ConfigError that a call raises."""
    try:
        call(*arguments)
    except ConfigError as error:
        return error.key, error.reason
    return None


def wrong(**changes):
    data = json.loads(json.dumps(GOOD))
    data.update(changes)
    return told(validate, data, STATION)


def send(store, data, **options):
    got = None
    for command in commands(data, **options):
        assert got is None
        got = store.add(command)
    return got


def test_blocks_become_a_configuration_that_stays():
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        assert store.load().generation == 0
        config = send(store, GOOD, size=100)
        assert config.generation == 3
        assert config.name_of("a002") == "ÑAUPA J."
        assert config.reason_label("sshh") == "SS. HH."
        assert ConfigStore(STATION, folder + "/").load().seat == "A-01"


def test_a_configuration_without_a_key_leaves_the_one_that_is_there():
    key = bytes(range(32))
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        assert send(store, dict(GOOD, key=key.hex())).key == key
        for generation in (4, 5, 6):  # also when the file that brought it is gone
            store = ConfigStore(STATION, folder + "/")
            held = store.load().key
            for command in commands(dict(GOOD, generation=generation)):
                config = store.add(command, held)
            assert (config.generation, config.key) == (generation, key)
        store = ConfigStore(STATION, folder + "/")
        assert (store.load().key, store.broken) == (key, 0)
        other = commands(dict(GOOD, key="5a" * 32))
        assert [store.add(command, key) for command in other][-1].key == b"\x5a" * 32
        store.erase()
        assert store.load().key is None


def test_a_network_told_before_counts_until_a_configuration_names_one():
    told = {"ssid": "Piso 4", "password": ""}
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        saved_wifi.save(told)
        assert store.load().wifi == ConfigStore(STATION, folder + "/").load().wifi == told
        assert send(store, GOOD).wifi == told
        assert send(store, dict(GOOD, generation=4, wifi=WIFI, broker=BROKER)).wifi == WIFI
        assert send(store, dict(GOOD, generation=5)).wifi is None
        saved_wifi.save(told)
        store.erase()
        assert store.load().wifi is None


def in_lines(data):
    """As the host writes it: the agents a row a line."""
    rows = [json.dumps(row) for row in data["agents"]]
    text = json.dumps(dict(data, agents=["here"]), separators=(",", ":"))
    return text.replace('["here"]', "[\n" + ",\n".join(rows) + "\n]").encode()


def test_a_row_a_line_says_the_same():
    with Folder() as folder:
        badges = ["2" * 32]
        coded = dict(GOOD, generation=1, agents=[["a", "A", badges, ["ab" * 16], PIN, "1234"]])
        for said in (dict(GOOD, generation=1), coded):
            config, plain = send(ConfigStore(STATION, folder + "/"), in_lines(said)), Config(said)
            assert [json.loads(row) for row in config.agents] == said["agents"]
            assert (config.secure, config.codes) == (plain.secure, plain.codes)
            assert config.reasons == plain.reasons
            assert ConfigStore(STATION, folder + "/").load().agents == config.agents


def test_a_row_that_is_none():
    with Folder() as folder:
        for row in (b'["a001"', b'["a001","QUISPE R."]', b""):
            text = in_lines(dict(GOOD, generation=1, agents=[])).replace(b"[\n", b"[\n" + row)
            assert told(send, ConfigStore(STATION, folder + "/"), text)[0] == "agents[0]"


def test_each_goes_over_the_older_file():
    with Folder() as folder:
        for generation in (1, 2, 3, 2):
            data = dict(GOOD)
            data["generation"] = generation
            store = ConfigStore(STATION, folder + "/")
            store.load()
            assert send(store, data).generation == generation
            assert ConfigStore(STATION, folder + "/").load().generation == generation


def test_a_cut_while_writing_leaves_the_one_before():
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        store.load()
        send(store, GOOD)
        data = dict(GOOD)
        data["generation"] = 4
        for cut in range(len(commands(data, size=60))):
            store = ConfigStore(STATION, folder + "/")
            store.load()
            for command in commands(data, size=60)[:cut]:
                assert store.add(command) is None
            again = ConfigStore(STATION, folder + "/")
            assert again.load().generation == 3, cut


def test_a_broken_file_falls_back():
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        store.load()
        send(store, GOOD)
        data = dict(GOOD)
        data["generation"] = 4
        send(store, data)
        name = folder + "/config.0"
        with open(name, "rb") as file:  # noqa: PTH123 - runs on MicroPython
            text = bytearray(file.read())
        text[200] ^= 4
        with open(name, "wb") as file:  # noqa: PTH123
            file.write(text)
        again = ConfigStore(STATION, folder + "/")
        assert again.load().generation == 3
        assert again.broken == 1
        later = ConfigStore(STATION, folder + "/")  # it was told once
        assert (later.load().generation, later.broken) == (3, 0)
        data["generation"] = 5
        assert send(again, data).generation == 5


def damage(name, at):
    with open(name, "rb") as file:  # noqa: PTH123 - runs on MicroPython
        text = bytearray(file.read())
    text[at] ^= 4
    with open(name, "wb") as file:  # noqa: PTH123
        file.write(text)


def test_whatever_byte_of_the_newer_file_is_damaged():
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        for generation in (3, 4):
            send(store, dict(GOOD, generation=generation))
        size = os.stat(folder + "/config.1")[6]  # noqa: PTH116
        for at in (0, 4, 11, 12, 75, 76, 83, 84, 85, size - 1):
            damage(folder + "/config.0", at)
            assert ConfigStore(STATION, folder + "/")._heads[0] == 0, at
            damage(folder + "/config.0", at)
        assert ConfigStore(STATION, folder + "/").load().generation == 4


def test_both_files_damaged_are_left_for_who_looks_and_a_new_one_is_taken():
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        for generation in (3, 4):
            send(store, dict(GOOD, generation=generation))
        for name in ("/config.0", "/config.1"):
            damage(folder + name, 99)
        for _ in range(2):
            store = ConfigStore(STATION, folder + "/")
            assert (store.load().generation, store.broken) == (0, 2)
        assert send(store, dict(GOOD, generation=5)).generation == 5
        assert ConfigStore(STATION, folder + "/").load().generation == 5


def test_the_key_of_updates_is_mended_from_the_configuration():
    with Folder() as folder:
        key = "A" * 512
        store = ConfigStore(STATION, folder + "/")
        send(store, dict(GOOD, update_key=key))
        for text in (b"", b"\xff\xfe", key[:100].encode(), b"\xc3" + key.encode()):
            with open(folder + "/update.key", "wb") as file:  # noqa: PTH123
                file.write(text)
            store = ConfigStore(STATION, folder + "/")
            assert (store.load().generation, store.broken) == (3, 0)
            with open(folder + "/update.key", "rb") as file:  # noqa: PTH123
                assert file.read() == key.encode()


def test_a_damaged_network_is_told_and_goes():
    with Folder() as folder:
        saved_wifi.save({"ssid": "Piso 4", "password": ""})
        damage("wifi.json", 3)
        store = ConfigStore(STATION, folder + "/")
        assert (store.load().wifi, store.broken) == (None, 1)
        store = ConfigStore(STATION, folder + "/")
        assert (store.load().wifi, store.broken) == (None, 0)


def test_a_lost_block_waits_for_the_repetition():
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        store.load()
        blocks = commands(GOOD, size=100)
        assert store.add(blocks[0]) is None
        for command in blocks[2:]:
            assert store.add(command) is None
        assert send(store, GOOD, size=100).generation == 3


def test_what_does_not_add_up_is_refused_with_its_key():
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        store.load()
        send(store, GOOD)
        command = commands(GOOD)[0]
        command["data"] = command["data"][4:]
        command["parts"] = 1
        assert told(store.add, command)[0] == "sha256"
        for field, value, key in (
            ("part", 0, "part"),
            ("part", 99, "part"),
            ("parts", 71, "parts"),
            ("parts", None, "parts"),
            ("data", None, "data"),
            ("data", b2a_base64(b"x" * 481).decode(), "data"),
            ("sha256", "zz", "sha256"),
        ):
            command = commands(GOOD)[0]
            command[field] = value
            assert told(store.add, command)[0] == key, field
        command = commands(GOOD, size=2000)[0]
        assert told(store.add, command)[0] == "data"
        assert told(send, store, b"[1, 2]") == ("data", "not an object")
        assert told(send, store, b'{"generation":')[0] == "data"
        mixed = commands(GOOD)
        for command in mixed:
            command["generation"] = 9
        assert [told(store.add, command) for command in mixed][-1][0] == "generation"
        bad = dict(GOOD)
        bad["language"] = "fr"
        assert told(send, store, bad) == ("language", "es or en")
        assert ConfigStore(STATION, folder + "/").load().generation == 3


def test_validation_names_the_key():
    assert told(validate, GOOD, STATION) is None
    assert told(validate, GOOD, "DIA-0200000000a2")[0] == "station"
    assert wrong(generation=0)[0] == "generation"
    assert wrong(generation=True)[0] == "generation"
    assert wrong(site="")[0] == "site"
    assert wrong(seat="x" * 17)[0] == "seat"
    assert wrong(utc_offset_min=900)[0] == "utc_offset_min"
    assert wrong(badge_key="5A" * 32)[0] == "badge_key"
    assert wrong(ring_limit_s=0)[0] == "ring_limit_s"
    assert wrong(wrapup_limit_s="60")[0] == "wrapup_limit_s"
    assert wrong(agents=None)[0] == "agents"
    assert wrong(agents=[["a", "A", []], ["b", "B"]])[0] == "agents[1]"
    assert wrong(agents=[["a", "A", []], ["a", "B", []]]) == ("agents[1]", "a is there twice")
    assert wrong(agents=[["a", "A", ["0" * 32]], ["b", "B", ["0" * 32]]])[0] == "agents[1]"
    assert wrong(agents=[["a", "A", ["0" * 31]]]) == ("agents[0]", "32 lower-case hex digits")
    assert wrong(agents=[["a", "x" * 17, []]])[0] == "agents[0]"
    assert wrong(reasons=[["a", "A", 8]])[0] == "reasons[0]"
    assert wrong(tree=None)[0] == "tree"
    assert wrong(tree={"version": 0, "nodes": []})[0] == "tree.version"
    assert wrong(tree={"version": "2026-1", "nodes": []}) is None
    short = {"version": 1, "nodes": [["1", "Uno", [["11", "Once", []]]]]}
    assert wrong(tree=short)[0] == "tree.nodes[0][0]"
    twice = {"version": 1, "nodes": [["1", "Uno", [["11", "Once", [["1", "Otra vez"]]]]]]}
    assert wrong(tree=twice) == ("tree.nodes[0][0][0]", "1 is there twice")
    deep = {"version": 1, "nodes": [["1", "U", [["11", "O", [["111", "C", [["x", "y"]]]]]]]]}
    assert wrong(tree=deep)[0] == "tree.nodes[0][0][0]"
    assert wrong(tree={"version": 1, "nodes": [["1", "x" * 17, []]]})[0] == "tree.nodes[0]"
    for key in GOOD:
        data = dict(GOOD)
        del data[key]
        assert told(validate, data, STATION)[0].startswith(key), key


def test_erasing_forgets_both_generations():
    with Folder() as folder:
        store = ConfigStore(STATION, folder + "/")
        store.erase()
        for number in (5, 6):
            send(store, dict(GOOD, generation=number), number=number)
        store.erase()
        assert ConfigStore(STATION, folder + "/").load().generation == 0
        assert store.load().generation == 0
        assert send(store, GOOD, number=7).generation == 3


BROKER = {"host": "hub.local", "port": 8883, "ca": "AAEC", "user": STATION, "password": "p" * 43}
WIFI = {"ssid": "Piso 3", "password": "contrasena"}


def test_key_wifi_and_broker_may_be_there():
    assert wrong(key="0a" * 32, wifi=WIFI, broker=BROKER) is None
    assert wrong(broker=BROKER) is None
    assert wrong(key="0A" * 32)[0] == "key"
    assert wrong(wifi=WIFI)[0] == "broker"
    assert wrong(wifi={"ssid": "x" * 33, "password": "y"}, broker=BROKER)[0] == "wifi.ssid"
    assert wrong(wifi={"ssid": "x"}, broker=BROKER)[0] == "wifi.password"
    assert wrong(wifi="x", broker=BROKER)[0] == "wifi"
    for ssid, password in (
        ("Abierta", ""), ("x" * 32, "p" * 63), ("ñ" * 16, "ñ" * 31), ("x", "0123456789ABCDEF" * 4),
    ):  # fmt: skip
        assert wrong(wifi={"ssid": ssid, "password": password}, broker=BROKER) is None
    assert wrong(wifi={"ssid": "ñ" * 17, "password": ""}, broker=BROKER)[0] == "wifi.ssid"
    for password in ("p" * 7, "p" * 64, "ñ" * 32, 12345678, None):
        told = wrong(wifi={"ssid": "x", "password": password}, broker=BROKER)
        assert told[0] == "wifi.password", password
    for name, value in (("host", ""), ("port", 0), ("port", "1"), ("ca", "AAE"), ("user", 5)):
        assert wrong(broker=dict(BROKER, **{name: value}))[0] == "broker." + name


def test_what_it_holds_of_the_brokers_authorities_has_a_name():
    """The host makes the same one of the text that it has sent."""
    assert Config(GOOD).ca == ""
    config = Config(dict(GOOD, wifi=WIFI, broker=BROKER))
    assert config.ca == hexlify(sha256(b"AAEC").digest()).decode()[:8]
    assert Config(dict(GOOD, broker=dict(BROKER, ca="AAED"))).ca != config.ca


def test_a_time_server_may_be_named():
    for server in ("10.0.0.1:123", "pool.example.pe:123", "h:65535"):
        assert wrong(sntp=server) is None
        assert Config(dict(GOOD, sntp=server)).sntp == server
    assert Config(GOOD).sntp is None
    for server in ("", "h", ":123", "h:", "h:0", "h:65536", "h:1x", 5, None, "h" * 260 + ":1"):
        assert wrong(sntp=server)[0] == "sntp"


def test_an_agent_may_have_card_keys():
    hashes, keys = ["0" * 32, "1" * 32], ["a" * 32, "b" * 32]
    assert wrong(agents=[["a", "A", hashes, keys], ["b", "B", []]]) is None
    assert wrong(agents=[["a", "A", hashes, keys[:1]]]) is None
    config = Config(dict(GOOD, agents=[["a", "A", hashes, keys[:1]], ["b", "B", ["2" * 32]]]))
    assert config.secure and not Config(GOOD).secure
    assert config.card_key(hashes[0]) == b"\xaa" * 16
    assert config.card_key(hashes[1]) is config.card_key("2" * 32) is None
    assert config.find("iso14443a", b"\1\2\3\4")[1] is None
    for broken in ([keys[0], keys[1], "c" * 32], ["a" * 31], ["A" * 32], [5], None, "a" * 32):
        assert wrong(agents=[["a", "A", hashes, broken]])[0] == "agents[0]", broken
    assert wrong(agents=[["a", "A", hashes, keys, keys]])[0] == "agents[0]"


PIN = b2a_base64(bytes(24)).decode().strip()


def test_an_agent_may_have_a_pin_and_a_code():
    assert wrong(agents=[["a", "A", [], [], PIN]]) is None
    assert wrong(agents=[["a", "A", [], [], PIN, "1234"], ["b", "B", [], [], PIN, "6541"]]) is None
    assert not Config(dict(GOOD, agents=[["a", "A", [], [], PIN]])).secure
    for pin in (PIN[:-4], PIN + PIN, 5, None, [], "=" * 32, "ñ" * 32):
        assert wrong(agents=[["a", "A", [], [], pin]])[0] == "agents[0]", pin
    for code in ("123", "12345", "1237", 1234, None, "0123"):
        assert wrong(agents=[["a", "A", [], [], PIN, code]])[0] == "agents[0]", code
    assert wrong(agents=[["a", "A", [], [], "", "1234"]])[0] == "agents[0]"  # a code needs a PIN
    twice = [["a", "A", [], [], PIN, "1234"], ["b", "B", [], [], PIN, "1234"]]
    assert wrong(agents=twice) == ("agents[1]", "1234 is there twice")
    assert wrong(agents=[["a", "A", [], [], PIN, "1234", 0]])[0] == "agents[0]"
    once = b2a_base64(bytes(24) + (1_795_000_600).to_bytes(4, "big")).decode().strip()
    assert wrong(agents=[["a", "A", [], [], once]]) is None
    config = Config(dict(GOOD, agents=[["a", "A", [], [], once], ["b", "B", [], [], PIN]]))
    assert (config.one_use("a"), config.one_use("b"), config.one_use("c")) == (1_795_000_600, 0, 0)
    for policy in ("none", "always", "clonable"):
        assert wrong(pin=policy) is None
        assert Config(dict(GOOD, pin=policy)).pin == policy
    assert Config(GOOD).pin == "none"
    for policy in ("", "sometimes", None, 1, []):
        assert wrong(pin=policy) == ("pin", "none, always or clonable"), policy


def test_reasons_may_have_limits():
    assert wrong(reasons=[["a", "A", 7], ["b", "B", 6, 900], ["c", "C", 1, 0]]) is None
    for row in (["a", "A", 0, -1], ["a", "A", 0, "9"], ["a", "A", 1, 60], ["a", "A", 0, 9, 9]):
        assert wrong(reasons=[row])[0] == "reasons[0]", row


WORK = {
    "areas": [["caja", "Caja", 0], ["legal", "Legal", 1]],
    "help": [["cliente", "Cliente molesto"]],
    "faults": [["audio", "Audio", [["mic", "Micrófono"]]], ["luz", "Luz", []]],
    "campaigns": [
        ["ventas", "Ventas", [["greeting", 1], ["identity", 0]], [480, 1200, 31], 1],
        ["otra", "Otra", [], None, 0],
    ],
    "methods": [["dni", "DNI"]],
    "playbooks": [["1", "guion-1", 3], ["2", "guion-2", "2026-1"]],
    "materials": [["guia", "Guía"]],
    "tools": [["crm", "CRM abre"]],
    "selftest": 1,
}


def test_what_a_site_need_not_have():
    assert wrong(**WORK) is None
    config, plain = Config(dict(GOOD, **WORK)), Config(GOOD)
    for name in WORK:
        assert getattr(config, name) == WORK[name]
        assert getattr(plain, name) == (0 if name == "selftest" else [])
        assert wrong(**{name: None})[0] == name
        assert wrong(**{name: {}})[0] == name
    for name in WORK:
        if name == "selftest":
            continue
        row = WORK[name][0]
        code, long = list(row), list(row)
        code[0], long[1] = 5, "x" * 17
        for bad in (row[:1], row + row, 5, code, long):
            assert wrong(**{name: [bad]})[0] == name + "[0]", bad
        assert wrong(**{name: [row, row]})[0] == name + "[1]"
    assert wrong(selftest=2)[0] == "selftest"
    assert wrong(areas=[["caja", "Caja", 2]])[0] == "areas[0]"
    assert wrong(playbooks=[["1", "g", 0]])[0] == "playbooks[0]"
    for parts in (None, [["mic"]], [["m", "M"], ["m", "M"]]):
        assert wrong(faults=[["audio", "Audio", parts]])[0][:9] == "faults[0]", parts


def test_campaigns_name_steps_hours_and_consent():
    for steps, hours, consent in (
        (None, None, 0), ([["hello", 0]], None, 0), ([["need", 2]], None, 0), ([[[], 0]], None, 0),
        ([["need", 0], ["need", 0]], None, 0), ([["need"]], None, 0), ([], [0, 1440], 0),
        ([], [0, 1441, 1], 0), ([], [0, 1440, 128], 0), ([], 5, 0), ([], None, 2),
    ):  # fmt: skip
        campaign = ["v", "V", steps, hours, consent]
        assert wrong(campaigns=[campaign])[0] == "campaigns[0]", campaign
    assert wrong(campaigns=[["v", "V", [], [1200, 480, 0], 0]]) is None  # a night, no day
