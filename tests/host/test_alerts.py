"""Rules for Prometheus: of metrics that there are, tried by promtool; and the guide's table."""

import json
import re
import subprocess

import pytest
from diadema.cli.main import app
from diadema.web.prometheus import FAMILIES
from typer.testing import CliRunner

from tests import metrics
from tests.support.made_part import renewed

DAY = 86_400
SERIES = {  # alert → what the hub says while it holds, and which labels it names
    "DiademaWebDown": ({}, {}),
    "DiademaHubDown": ({"live": 0}, {}),
    "DiademaBrokerDown": ({"nats_up": 0}, {}),
    "DiademaDiskLow": ({"disk_low": 1}, {}),
    "DiademaDiskFilling": ({"disk_free_bytes": 9, "disk_reserve_bytes": 5}, {}),
    "DiademaIngestBehind": ({"stream_behind_messages": 1001}, {}),
    "DiademaCertificateEnds": ({"certificate_end_seconds": 31 * DAY}, {"file": "web.pem"}),
    "DiademaBackupOld": ({"backup_time_seconds": -DAY}, {}),
    "DiademaBackupNone": ({"live": 1}, {}),
    "DiademaStandbySilent": ({"standby_seen_time_seconds": DAY}, {"standby": "reserva"}),
    "DiademaStandbyBehind": ({"standby_behind_messages": 1001}, {"standby": "reserva"}),
    "DiademaStandbyBackupOld": (
        {"standby_backup_time_seconds": DAY, "standby_backup_interval_seconds": 900},
        {"standby": "reserva"},
    ),
    "DiademaWebhookFailing": ({"webhook_failing": 1}, {"webhook": "avisos"}),
    "DiademaRecordingPauses": ({"recording_pauses": 1}, {}),
    "DiademaSwitchDown": ({"switch_up": 0}, {}),
    "DiademaSwitchBehind": ({"switch_unsent_events": 101}, {}),
    "DiademaReportFailed": ({"report_failed": 1}, {"schedule": "diario"}),
    "DiademaStationLost": ({"station_up": 0}, {"seat": "A-01"}),
    "DiademaStationClock": (
        {"station_up": 1, "station_clock_error_seconds": 61},
        {"seat": "A-01"},
    ),
    "DiademaJournalFull": ({"station_journal_ratio": 0.81}, {"seat": "A-01"}),
}
RIGHT = {  # what it says while nothing is wrong
    "live": 1, "nats_up": 1, "disk_low": 0, "disk_free_bytes": 11, "disk_reserve_bytes": 5,
    "stream_behind_messages": 1000, "backup_time_seconds": DAY,
    "certificate_end_seconds": 64 * DAY, "webhook_failing": 0, "report_failed": 0, "station_up": 1,
    "standby_seen_time_seconds": 26 * 3600 - 119, "standby_behind_messages": 1000,
    "standby_backup_time_seconds": 26 * 3600 - 2699, "standby_backup_interval_seconds": 900,
    "switch_up": 1, "switch_unsent_events": 100,
    "station_clock_error_seconds": 59, "station_journal_ratio": 0.79,
}  # fmt: skip
LABELS = {"seat": "A-01", "file": "web.pem", "webhook": "avisos", "schedule": "diario",
          "standby": "reserva"}  # fmt: skip
AT = "26h"


def printed(language="es"):
    done = CliRunner().invoke(app, ["--lang", language, "alerts"])
    assert done.exit_code == 0, done.output
    return done.stdout


def names(rules):
    return re.findall(r"alert: (\w+)", rules)


def series(values):
    found = []
    for name, value in values.items():
        labels = {"job": "diadema", "instance": "hub"}
        if of := FAMILIES[name].labels:
            labels[of] = LABELS[of]
        text = ",".join(f'{label}="{one}"' for label, one in labels.items())
        found.append({"series": f"diadema_web_{name}{{{text}}}", "values": f"{value}x200"})
    return found


def group(name, values, alerts):
    """What promtool is to compare while this is so: {alert: (labels, sentence), or None where it
    is to be silent}.
    """
    return {
        "name": name,
        "interval": "10m",
        "input_series": series(values),
        "alert_rule_test": [
            {
                "eval_time": AT,
                "alertname": alert,
                "exp_alerts": [
                    {"exp_labels": labels, "exp_annotations": {"summary": told}}
                    for labels, told in filter(None, [expected])
                ],
            }
            for alert, expected in alerts.items()
        ],
    }


def run(promtool, *words):
    done = subprocess.run([promtool, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def tried(promtool, folder, *groups):
    (folder / "rules.yml").write_text(printed())
    test = {"rule_files": ["rules.yml"], "evaluation_interval": "10m", "tests": groups}
    (folder / "test.yml").write_text(json.dumps(test))
    return run(promtool, "test", "rules", folder / "test.yml")


@pytest.fixture
def promtool(system_program):
    return system_program("promtool", "promtool")


def test_each_rule_is_of_metrics_that_there_are():
    expressions = re.findall(r"expr: (.+?)\n        \w", printed(), re.DOTALL)
    assert len(expressions) == len(names(printed())) == len(SERIES)
    for expression in expressions:
        used = re.findall(r"diadema_web_(\w+)", expression)
        assert used and {*used} <= FAMILIES.keys(), expression


def test_promtool_takes_the_rules(promtool, tmp_path):
    files = [tmp_path / f"{language}.yml" for language in ("es", "en")]
    for file in files:
        file.write_text(printed(file.stem))
    code, output = run(promtool, "check", "rules", *files)
    assert code == 0, output
    assert output.count(f"{len(SERIES)} rules found") == 2


def test_each_rule_has_its_sentence_in_both_languages():
    spanish, english = (
        re.findall(r'summary: "(.+)"}', printed(language)) for language in ("es", "en")
    )
    assert len({*spanish}) == len({*english}) == len(SERIES)
    assert not {*spanish} & {*english}
    assert "say(" not in printed() and "limit(" not in printed()


def expected(rules, alert):
    wrong, labels = SERIES[alert]
    rule = rules[rules.index(f"alert: {alert}\n") :]
    found = {"severity": re.search(r"severity: (\w+)", rule)[1], **labels}
    if wrong:
        found |= {"job": "diadema", "instance": "hub"}
    summary = re.search(r'summary: "(.+)"', rule)[1]
    told = re.sub(r"{{ \$labels\.(\w+) }}", lambda label: found.get(label[1], ""), summary)
    return found, told


def test_each_alerts_of_what_is_wrong_and_is_silent_else(promtool, tmp_path):
    rules = printed()
    no_hour = {name: value for name, value in RIGHT.items() if "clock" not in name}
    code, output = tried(
        promtool,
        tmp_path,
        *(
            group(alert, wrong, {alert: expected(rules, alert)})
            for alert, (wrong, _) in SERIES.items()
        ),
        group("all is right", RIGHT, dict.fromkeys(SERIES)),
        group("no hour", no_hour, {"DiademaStationClock": expected(rules, "DiademaStationClock")}),
        group(
            "a standby without a backup",
            {"standby_backup_interval_seconds": 900},
            {"DiademaStandbyBackupOld": expected(rules, "DiademaStandbyBackupOld")},
        ),
    )
    assert code == 0, output


def test_promtool_tells_a_rule_that_is_silent(promtool, tmp_path):
    wanted = expected(printed(), "DiademaJournalFull")
    code, output = tried(promtool, tmp_path, group("", RIGHT, {"DiademaJournalFull": wanted}))
    assert code != 0 and "DiademaJournalFull" in output


def test_the_guide_has_each_metric():
    page = metrics.README.read_text(encoding="utf-8")
    assert page == renewed(page, "metrics", metrics.made()), (
        "run `python -m tests.metrics` and commit"
    )
