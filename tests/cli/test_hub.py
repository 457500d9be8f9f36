"""speedsign hub and hub signs, as commands; with a real broker and a real database."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from speedsign.cli.hub_words import age
from speedsign.clock import SystemClock
from speedsign.model import ClockQuality, Interval
from telemetry.hub.port import Heard
from telemetry.hub.store import SqliteHubStore
from telemetry.message import messages
from telemetry.rows import to_ms
from tests.cli.command import as_json, process, speedsign
from tests.hub.said import EPOCH, SIGN, agg, birth, gap, health, interval, named, place, quarter, state
from tests.support import run, until
from tests.telemetry.broker import Broker, Listener

NOW = datetime(2026, 5, 4, 12, 7, tzinfo=UTC)
NOW_MS = to_ms(NOW)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(SystemClock, "now_utc", lambda _self: NOW)
    return tmp_path / "hub.db"


def fill(path: Path, *heard: Heard) -> None:
    with closing(SqliteHubStore(path)) as store:
        store.take(
            [replace(one, at_ms=NOW_MS - 60_000 if one.at_ms >= NOW_MS else one.at_ms) for one in heard]
        )


def at(hours_ago: float, sign: str = SIGN, n: int = 3) -> Interval:
    start = NOW.replace(minute=0) - timedelta(hours=hours_ago)
    return interval(start, n)


def well(sign: str, hours_ago: float = 0.25) -> list[Heard]:
    """A sign that measured for a day and has nothing to complain of."""
    day = [agg(seq, at(hours_ago + (seq - 2) / 4), sign=sign) for seq in range(2, 98)]
    begins = NOW - timedelta(days=3)
    return [
        replace(one, at_ms=NOW_MS - 60_000)
        for one in (
            birth(sign=sign), state("on", sign=sign), place(1, sign=sign, begins=begins), *day,
            health({"queue": {}, "machine": {"temp_c": 30.5, "disk_free": 0.5}}, sign=sign),
        )
    ]  # fmt: skip


def signs(path: Path, *words: str) -> Any:
    return speedsign("hub", "signs", "--db", path, *words)


def wait_for(condition: Callable[[], object]) -> None:
    run(until(condition, 20.0))


# --------------------------------------------------------------------------- hub signs


def test_a_sign_that_is_well_is_one_line(path: Path) -> None:
    fill(path, *well("bauska-1"))
    result = signs(path, "--check")
    assert result.exit_code == 0
    head, line = result.stdout.splitlines()
    assert head.split() == ["sign", "state", "heard", "counted", "24", "h", "waiting", "missing"]
    assert line.split() == ["bauska-1", "on", "1", "min", "7", "min", "100", "%", "0", "0"]


def test_what_has_to_be_looked_at_is_said_below(path: Path) -> None:
    fill(path, *well("bauska-1"), *well("iecava-2", hours_ago=8), state("lost", sign="iecava-2"))
    fill(path, *[replace(one, at_ms=NOW_MS) for one in (agg(200, sign="bauska-1"),)])
    result = signs(path, "--check")
    assert result.exit_code == 1
    text = result.stdout
    assert "lost for 1 min, newest numbers are 7 h old" in text
    assert "102 messages are missing" in text
    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize(("late", "code"), [("7h", 1), ("9h", 0), ("1d", 0), ("400min", 1)])
def test_how_late_is_late_can_be_said(path: Path, late: str, code: int) -> None:
    fill(path, *well("bauska-1", hours_ago=8.25))
    assert signs(path, "--check", "--late", late).exit_code == code


@pytest.mark.parametrize("late", ["", "2", "h", "2 weeks", "-1h", "1e9h"])
def test_a_time_that_is_none_is_refused(path: Path, late: str) -> None:
    fill(path, *well("bauska-1"))
    result = signs(path, "--late", late)
    assert (result.exit_code, "write minutes, hours or days" in result.stderr) == (2, True)


def test_a_sign_that_was_switched_off_is_not_late(path: Path) -> None:
    fill(path, *well("bauska-1", hours_ago=60), state("off"))
    assert signs(path, "--check").exit_code == 0


def test_what_still_waits_at_the_sign_is_not_missing(path: Path) -> None:
    """A backlog with the newest first leaves holes for a while: the sign says that it has them."""
    fill(path, *well("bauska-1"), agg(110), replace(health({"queue": {"raw": 12}}), at_ms=NOW_MS - 1))
    assert as_json(signs(path, "--json"))[0]["missing"] == 12
    assert signs(path, "--check").exit_code == 0


def test_numbers_of_the_future_are_a_trouble_and_hide_nothing(path: Path) -> None:
    ten_years = interval(NOW.replace(year=2036, minute=0))
    fill(path, *well("bauska-1", hours_ago=8.25), agg(98, ten_years))
    result = signs(path, "--check")
    assert result.exit_code == 1
    assert "newest numbers are 8 h old, numbers up to 2036-05-04: its clock was wrong" in flat(result.stdout)
    (one,) = as_json(signs(path, "--json"))
    assert one["troubles"] == ["late", "ahead"]
    assert (one["counted_to"], one["ahead_to"]) == ("2026-05-04T07:00:00+03:00", "2036-05-04T15:15:00+03:00")


def test_a_clock_that_is_a_little_ahead_is_none(path: Path) -> None:
    fill(path, *well("bauska-1"), agg(98, interval(NOW.replace(minute=0) - timedelta(minutes=0))))
    assert as_json(signs(path, "--json"))[0]["troubles"] == ["ahead"], "12:15, and it is 12:07"
    fill(path, *well("iecava-2"))
    assert as_json(signs(path, "--json"))[1]["troubles"] == []


def test_one_of_a_thing_is_one_and_just_now_is_no_span(path: Path) -> None:
    soon = [replace(one, at_ms=NOW_MS - 20_000) for one in (state("lost"), named("agg", 100, {}))]
    fill(path, *well("bauska-1"), gap(99, ("raw", 98, 98)), agg(102, at(0.25)), *soon)
    text = flat(signs(path).stdout)
    for said in ("lost just now", "1 message is missing", "1 message dropped", "1 message could not be read"):
        assert said in text
    assert "1 messages" not in text + flat(signs(path, "bauska-1").stdout)


def test_health_without_a_queue_says_that_nothing_waits(path: Path) -> None:
    fill(path, *well("bauska-1"), replace(health({}), at_ms=NOW_MS - 1))
    assert as_json(signs(path, "--json"))[0]["waiting"] == 0
    assert signs(path).stdout.splitlines()[1].split()[-2:] == ["0", "0"]
    assert "waiting        nothing" in signs(path, "bauska-1").stdout
    fill(path, birth(sign="iecava-2"))
    assert as_json(signs(path, "--json"))[1]["waiting"] is None


@pytest.mark.parametrize(("minutes", "troubles"), [(1, []), (19, []), (21, ["never counted"])])
def test_a_new_sign_has_a_while_to_count(minutes: int, troubles: list[str], path: Path) -> None:
    first_ms = NOW_MS - 60_000 * minutes
    begun = (birth(), state("on"), place(1, begins=NOW - timedelta(minutes=minutes)))
    fill(path, *[replace(one, at_ms=first_ms) for one in begun])
    assert as_json(signs(path, "--json"))[0]["troubles"] == troubles


def flat(text: str) -> str:
    """Without the breaks of lines."""
    return " ".join(text.split())


def test_as_json(path: Path) -> None:
    fill(path, *well("bauska-1"), gap(99, ("raw", 98, 98)), replace(named("agg", 100, {}), at_ms=NOW_MS))
    (one,) = as_json(signs(path, "--json"))
    assert one["state"] == "on"
    assert one["heard"] == "2026-05-04T15:06:00+03:00"
    assert one["counted_to"] == "2026-05-04T15:00:00+03:00"
    assert (one["late_s"], one["coverage_24h"]) == (420.0, 1.0)
    assert (one["waiting"], one["missing"], one["dropped"], one["refused"]) == (0, 0, 1, 1)
    assert (one["temperature_c"], one["disk_free"], one["clock_ok"]) == (30.5, 0.5, True)
    assert one["troubles"] == ["dropped", "refused"]
    assert one["stores"][0]["epoch"] == EPOCH
    assert one["stores"][0]["up_to"] == 100


def test_all_that_is_known_of_one(path: Path) -> None:
    reply = {"at": 1, "key": "office", "counter": 4, "action": "set", "outcome": "applied"}
    fill(path, *well("bauska-1"), named("reply", 98, reply), agg(120), agg(130), *well("iecava-2"))
    result = signs(path, "bauska-1")
    assert result.exit_code == 0
    assert "iecava" not in result.stdout
    for words in (
        "bauska-1, Bauska, Rīgas iela",
        "missing: 99 to 119",
        "missing: 121 to 129",
        "office set applied",
        f"store {EPOCH}",
    ):
        assert words in result.stdout


def test_a_sign_that_was_never_heard_is_refused(path: Path) -> None:
    fill(path, *well("bauska-1"))
    result = signs(path, "riga-9")
    assert (result.exit_code, "there are bauska-1" in result.stderr) == (2, True)


def test_nobody_was_heard_yet(path: Path) -> None:
    fill(path)
    assert signs(path).stdout == "nothing was heard yet\n"
    assert as_json(signs(path, "--json")) == []


def test_a_config_names_the_database(path: Path, tmp_path: Path) -> None:
    fill(path, *well("bauska-1"))
    config = tmp_path / "hub.toml"
    config.write_text(f'[hub]\ndatabase = "{path}"\n[mqtt]\nhost = "localhost"\n')
    assert "bauska-1" in speedsign("hub", "signs", "--config", config).stdout


def test_a_database_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    result = speedsign("hub", "signs", "--db", tmp_path / "none.db")
    assert (result.exit_code, result.stderr.count("\n")) == (1, 1)
    assert "check [hub] database or --db, or start the hub once" in result.stderr


@pytest.mark.parametrize("words", [("hub", "signs"), ("hub", "--host", "localhost")])
def test_a_file_of_another_program_is_said_in_the_hubs_words(words: tuple[str, ...], path: Path) -> None:
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE other (a)")
    result = speedsign(*words, "--db", path)
    assert (result.exit_code, "give [hub] database or --db another name" in result.stderr) == (1, True)
    assert "[store]" not in result.stderr


def test_without_a_config_the_database_can_be_named(tmp_path: Path) -> None:
    result = speedsign("hub", "signs", "--config", tmp_path / "none.toml")
    assert result.exit_code == 2
    assert "no such file; name the database with --db FILE, or the config with --config FILE" in result.stderr


def test_a_word_that_is_no_key_leads_to_the_hubs_page(tmp_path: Path) -> None:
    config = tmp_path / "hub.toml"
    config.write_text('[hbu]\n[hub]\ndatabse = "x"\n[mqtt]\nhost = "localhost"\nprot = 1\n')
    said = speedsign("hub", "--config", config).stderr.splitlines()
    pages = {line.partition(": [")[2].partition("]")[0]: line.rpartition("docs/")[2][:6] for line in said}
    assert pages == {"hbu": "hub.md", "hub": "hub.md", "mqtt": "config"}


def test_a_port_in_the_hosts_name_is_one_sentence(path: Path) -> None:
    result = speedsign("hub", "--db", path, "--host", "localhost:11883")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("speedsign hub: --host 'localhost:11883': must be a name or an address alone")
    assert "--port" in line


def test_numbers_without_a_believable_time_are_numbers(path: Path) -> None:
    wrong = replace(interval(datetime(1970, 1, 1, tzinfo=UTC)), clock=ClockQuality.UNKNOWN)
    fill(path, *[replace(one, at_ms=NOW_MS - 3_600_000) for one in (birth(), place(1))])
    assert as_json(signs(path, "--json"))[0]["troubles"] == ["never counted"]
    fill(path, agg(2, wrong))
    (one,) = as_json(signs(path, "--json"))
    assert (one["troubles"], one["counted_to"]) == ([], None)


def test_ages() -> None:
    assert [age(seconds) for seconds in (None, 0, 59, 60, 3599, 3600, 172_799, 172_800)] == [
        "-", "now", "now", "1 min", "59 min", "1 h", "47 h", "2 d",
    ]  # fmt: skip


# --------------------------------------------------------------------------- hub


def test_options_of_what_stands_behind_stand_behind_it() -> None:
    result = speedsign("hub", "--db", "x.db", "signs")
    assert (result.exit_code, "stand behind it" in result.stderr) == (2, True)


@pytest.mark.parametrize("words", [("--db", "x.db"), ("--host", "localhost"), ("--config", "none.toml")])
def test_without_a_config_database_and_broker_have_to_be_named(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("speedsign.cli.hub_options.DEFAULT_CONFIG", tmp_path / "none.toml")
    result = speedsign("hub", *words)
    assert (result.exit_code, "no such file" in result.stderr) == (2, True)


def test_another_machine_needs_a_certificate(tmp_path: Path) -> None:
    result = speedsign("hub", "--db", tmp_path / "x.db", "--host", "broker.example")
    assert (result.exit_code, "certificate_file" in result.stderr) == (2, True)


class Sign:
    """What a sign's end of the wire does, in a few lines of paho."""

    def __init__(self, port: int) -> None:
        self.client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def say(self, *heard: Heard, retain: bool = False) -> None:
        for one in heard:
            topic = messages.topic(one.sign, one.kind)
            self.client.publish(topic, one.payload, qos=1, retain=retain).wait_for_publish(10)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
        self.client._reset_sockets()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path) as found:
        yield found


@pytest.fixture
def sign(broker: Broker) -> Iterator[Sign]:
    found = Sign(broker.port)
    yield found
    found.close()


@pytest.fixture
def listener(broker: Broker) -> Iterator[Listener]:
    found = Listener(broker.port)
    yield found
    found.close()


def acks(listener: Listener) -> list[messages.Ack]:
    return [messages.parse_ack(one) for topic, one, _ in listener.heard if topic.endswith("/down/ack")]


def counted(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        found: int = db.execute("SELECT count(*) FROM interval").fetchone()[0]
        return found


def start(path: Path, broker: Broker, *more: str) -> Any:
    return process("hub", "--db", path, "--host", "127.0.0.1", "--port", str(broker.port), *more)


def ended(child: subprocess.Popen[str], number: int = signal.SIGTERM) -> tuple[int, str]:
    child.send_signal(number)
    _, said = child.communicate(timeout=20)
    return child.returncode, said


@pytest.mark.wires
def test_it_stores_answers_and_ends_cleanly(
    tmp_path: Path, broker: Broker, sign: Sign, listener: Listener
) -> None:
    path = tmp_path / "new" / "hub.db"
    sign.say(birth(), state("on"), retain=True)
    with start(path, broker) as child:
        wait_for(lambda: acks(listener) == [messages.Ack(EPOCH, 0)])
        sign.say(place(1), *[agg(seq, quarter(seq)) for seq in range(2, 30)])
        wait_for(lambda: acks(listener)[-1] == messages.Ack(EPOCH, 29))
        code, said = ended(child)
    assert code == 0
    assert "first heard" in said
    assert "has stopped" in said
    assert counted(path) == 28


@pytest.mark.wires
def test_what_comes_while_it_is_away_is_stored_when_it_is_back(
    tmp_path: Path, broker: Broker, sign: Sign, listener: Listener
) -> None:
    """The broker keeps its session; killed between storing and PUBACK, it hears all again and counts once."""
    path = tmp_path / "hub.db"
    sign.say(birth(), retain=True)
    with start(path, broker) as child:
        wait_for(lambda: acks(listener) != [])
        sign.say(place(1))
        wait_for(lambda: acks(listener)[-1].up_to == 1)
        child.kill()
        child.wait(10)
    sign.say(*[agg(seq, quarter(seq)) for seq in range(2, 12)])
    with start(path, broker) as child:
        wait_for(lambda: acks(listener)[-1].up_to == 11)
        assert ended(child)[0] == 0
    assert counted(path) == 10


@pytest.mark.wires
def test_a_group_shares_a_hubs_work(tmp_path: Path, broker: Broker, sign: Sign, listener: Listener) -> None:
    path = tmp_path / "hub.db"
    config = tmp_path / "hub.toml"
    config.write_text(
        f'[hub]\ndatabase = "{path}"\ngroup = "hubs"\nhome_assistant = "homeassistant"\n'
        f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n'
    )
    with process("hub", "--config", config) as child:
        wait_for(lambda: ("speedsign/hub/main/state", b"online") in [one[:2] for one in listener.heard])
        sign.say(birth(), state("on"), place(1), agg(2))
        wait_for(lambda: acks(listener) != [] and acks(listener)[-1].up_to == 2)
        heard = {topic: payload for topic, payload, _ in listener.heard}
        wait_for(lambda: any(one[0].startswith("homeassistant/device/") for one in listener.heard))
        assert ended(child)[0] == 0
    assert heard["speedsign/hub/main/state"] == b"online"
    assert counted(path) == 1


@pytest.mark.wires
def test_two_on_one_database_are_refused(tmp_path: Path, broker: Broker, listener: Listener) -> None:
    path = tmp_path / "hub.db"
    with start(path, broker):
        wait_for(lambda: path.with_name("hub.db.lock").exists() and path.exists())
        with start(path, broker) as second:
            _, said = second.communicate(timeout=20)
        assert second.returncode == 1
        assert "is in use by another speedsign" in said
