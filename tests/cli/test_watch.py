"""The picture of `speedsign watch` on screens of all sizes, and the plain lines; pure, drawn by pyte."""

from __future__ import annotations

import json
from typing import Any

import pyte
import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.cli.watch_model import KEPT, KEPT_REASONS, Model
from speedsign.cli.watch_paint import Painter
from speedsign.cli.watch_plain import JsonLines, WordLines, summary
from speedsign.cli.watch_rows import fit, strength_bar
from speedsign.cli.watch_screen import BAD, Row, draw
from speedsign.live.shapes import LIVE, Line, passed
from speedsign.model import Direction, Vehicle
from tests.docs import pages

SIZES = [(79, 24), (39, 24), (39, 12), (31, 20), (31, 10), (19, 4)]
FACE = {"number": 57, "word": "", "blink": False, "beacon": False}
DARK = {"number": None, "word": "", "blink": False, "beacon": False}


def shown(lit: Line | None = FACE, face: Line = FACE, why: str = "over", **more: Any) -> Line:
    text = "57 km/h is over the limit of 50"
    return {"event": "shown", "t_s": 109.0, "face": face, "lit": lit, "id": 2, "zone": "over", "why": why} | {
        "text": text,
        **more,
    }


def state(t_s: float, measured_s: float, faults: tuple[str, ...] = ()) -> Line:
    return {
        "event": "state",
        "t_s": t_s,
        "utc": "2026-05-04T07:00:09+00:00",
        "clock": "ok",
        "faults": [{"device": "radar", "code": "silent", "text": text} for text in faults],
        "panel": {"known": True, "by_plan": False, "beacon": False},
        "limit_kmh": 50,
        "radar": {},
        "tracker": {},
        "noise_kmh": 0.31,
        "noise_level": 0.2,
        "measured_s": measured_s,
        "running_s": t_s,
        "vehicles": 3,
    }


def reading(t_s: float, speed_kmh: float, strength: float | None = 100.0) -> Line:
    return {
        "event": "reading",
        "t_s": t_s,
        "direction": "approaching",
        "speed_kmh": speed_kmh,
        "strength": strength,
        "range_m": None,
        "rank": 0,
    }


def track(number: int, **more: Any) -> Line:
    return {
        "id": number,
        "direction": "receding",
        "speed_kmh": 48.5,
        "readings": 12,
        "confirmed": True,
        "shown": False,
        "age_s": 1.4,
        "unseen_s": 0.0,
        "strength": 88.0,
        "range_m": None,
        "flags": [],
        **more,
    }


HELLO = {
    "event": "hello", "live": LIVE, "t_s": 100.0, "sign": "bauska-3", "radar": "ops243",
    "mounting_angle_deg": 12.5,
}  # fmt: skip
VEHICLE = Vehicle(7, Direction.APPROACHING, 103.0, 106.0, 52.4, 52.0, 53.0, 53.5, 40, flags=("long?",))


def busy() -> Model:
    """A sign in the middle of its work."""
    model = Model()
    for line in (
        HELLO,
        state(100.0, 90.0),
        state(104.0, 93.0),
        *[reading(100.0 + i / 10, 50.0 + i / 10, 10.0 * 2**i) for i in range(10)],
        *[{"event": "rejected", "t_s": 101.0, "reason": "checksum wrong"}] * 3,
        {"event": "rejected", "t_s": 101.5, "reason": "slower than [tracking] min_speed_kmh = 10"},
        passed(VEHICLE, 107.0, "shown", "over"),
        {"event": "tracks", "t_s": 108.0, "tracks": [
            track(1, unseen_s=1.2), track(2, shown=True),
            track(3, confirmed=False, range_m=42.0, flags=["image?"]),
        ]},
        shown(),
    ):  # fmt: skip
        model.take(line)
    return model


def picture(model: Model, columns: int, rows: int) -> list[str]:
    return [row.text for row in draw(model, columns, rows)]


def on_terminal(sent: str, columns: int, rows: int) -> list[str]:
    screen = pyte.Screen(columns, rows)
    pyte.Stream(screen).feed(sent)
    return [line.rstrip() for line in screen.display]


# --------------------------------------------------------------------------- the picture


def test_all_of_it_at_80_by_24() -> None:
    assert picture(busy(), 79, 24) == [
        "bauska-3  ops243 12.5 deg  limit 50                                07:00:09 UTC",
        "no faults, radar measuring 75%, noise 0.3 km/h                           q ends",
        " ####  ####        PANEL 57",
        " #        #        57 km/h is over the limit of 50",
        " ####    #",
        "    #   #",
        " ####   #",
        "IN SIGHT           km/h    n    age  strength",
        "*   2 receding     48.5   12    1.4      88.0",
        "?   3 receding     48.5   12    1.4      88.0  42 m image?",
        "    1 receding     48.5   12    1.4      88.0  unseen 1.2 s",
        "",
        "READINGS             km/h  strength  (10)",
        "   0.90 approaching  50.9      5120 ##########",
        "   0.80 approaching  50.8      2560 ########",
        "   0.70 approaching  50.7      1280 #######",
        "   0.60 approaching  50.6     640.0 #####",
        "PASSED               km/h entry  exit    n  (1)",
        "    7.0 approaching  52.4  52.0  53.0   40  shown over long?",
        "",
        "",
        "REJECTED  (4)",
        "    1 x slower than [tracking] min_speed_kmh = 10",
        "    3 x checksum wrong",
    ]


def test_a_phone_of_40_columns() -> None:
    assert picture(busy(), 39, 14) == [
        "bauska-3  ops243 12.5 deg  limit 50",
        "ok, radar 75%, noise 0.3         q ends",
        "  57  57 km/h is over the limit of 50",
        "",
        "IN SIGHT    km/h    n   age",
        "*   2 rec   48.5   12   1.4",
        "?   3 rec   48.5   12   1.4 42 m image?",
        "READINGS      km/h  (10)",
        "   0.90 appr  50.9 ##########",
        "   0.80 appr  50.8 ########",
        "PASSED        km/h  (1)",
        "    7.0 appr  52.4 shown over long?",
        "REJECTED  (4)",
        "    1 x slower than [tracking] min_spee",
    ]


def test_the_page_shows_what_is_drawn() -> None:
    part = pages.section(pages.text("docs/cli.md"), "## speedsign watch")
    for columns, rows in ((79, 24), (39, 14)):
        assert "\n".join(picture(busy(), columns, rows)) in part


@pytest.mark.parametrize(("columns", "rows"), SIZES)
def test_it_fits(columns: int, rows: int) -> None:
    drawn = picture(busy(), columns, rows)
    assert len(drawn) <= rows
    assert all(len(text) <= columns and text.isascii() for text in drawn)
    sent = Painter(colour=False).paint([Row(text) for text in drawn])
    assert on_terminal(sent, columns + 1, rows) == drawn + [""] * (rows - len(drawn))
    assert any("57" in text for text in drawn), "what is shown is never crowded out"


def test_what_is_wrong_is_told_in_whole() -> None:
    model = busy()
    fault = "radar /dev/ttyUSB0: silent for 31 s; check its power and its wires"
    model.take(state(105.0, 93.0, (fault, "b", "c", "d")))
    for columns, rows in SIZES[:4]:
        drawn = draw(model, columns, rows)
        bad = " ".join(row.text for row in drawn if row.style == BAD)
        assert bad == f"FAULT {fault} FAULT b and 2 more: speedsign doctor"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            shown(lit=None, why="panel_fault", text="panel: no answer"),
            ["PANEL not known", "panel: no answer"],
        ),
        (shown(face=FACE | {"number": 60}), ["PANEL 57", "wants 60, not confirmed yet"]),
        (shown(lit=DARK, face=DARK, text="nobody is seen"), ["PANEL dark", "nobody is seen"]),
        (shown(lit=FACE | {"blink": True, "beacon": True}), ["PANEL 57, blinking, beacon"]),
        (shown(lit=DARK | {"word": "SLOW"}), ["PANEL SLOW", "   SLOW"]),
        (
            shown(lit=None, face=DARK, why="no_panel", text="this sign has no panel"),
            ["this sign has no panel"],
        ),
    ],
)
def test_what_the_panel_shows(line: Line, said: list[str]) -> None:
    model = busy()
    model.take(line)
    rows = picture(model, 79, 24)[2:7]
    for text in said:
        assert any(text in row for row in rows), rows


def test_a_sign_that_goes_away_and_comes_back() -> None:
    model = busy()
    model.take({"event": "away", "t_s": 120.0})
    for columns, rows in SIZES[:5]:
        drawn = draw(model, columns, rows)
        assert drawn[1].text.startswith(("THE SIGN HAS GONE AWAY", "SIGN GONE"))
        assert not any("57" in row.text for row in drawn[:7]), "what it shows now nobody knows"
    model.take(HELLO)
    model.take(state(130.0, 1.0))
    assert "no faults" in picture(model, 79, 24)[1]
    assert "measuring" not in picture(model, 79, 24)[1], "the time it was away is not held against it"


def test_a_radar_alone() -> None:
    model = Model(own_radar="/dev/ttyUSB0")
    assert picture(model, 79, 24)[:2] == [
        "/dev/ttyUSB0",
        "no sign runs: the radar is heard here, the panel is not looked at",
    ]
    model.take({"event": "tracks", "t_s": 1.0, "tracks": [track(1)]})
    assert any("seen, shown to nobody" in row for row in picture(model, 79, 24))


def test_before_anything_is_known() -> None:
    for columns, rows in SIZES:
        drawn = picture(Model(), columns, rows)
        assert drawn[0].startswith("waiting for the")
        assert len(drawn) <= rows


def test_bounded_whatever_comes() -> None:
    model = Model()
    for i in range(5000):
        model.take(reading(float(i), 50.0))
        model.take({"event": "rejected", "t_s": float(i), "reason": f"reason {i}"})
    assert len(model.readings) == KEPT
    assert len(model.rejected) == KEPT_REASONS
    assert model.counts["rejected"] == 5000


nasty = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.none())
keys = st.sampled_from(
    ["t_s", "sign", "radar", "faults", "tracks", "face", "lit", "why", "text", "speed_kmh", "strength",
     "reason", "n", "measured_s", "utc", "limit_kmh", "mounting_angle_deg", "id", "readings", "flags",
     "noise_kmh", "direction", "display", "zone", "values", "range_m", "age_s"]
)  # fmt: skip
kinds = st.sampled_from(
    ["hello", "state", "tracks", "shown", "reading", "rejected", "vehicle", "skipped", "away", "news"]
)


@given(st.lists(st.tuples(kinds, st.dictionaries(keys, nasty))), st.sampled_from(SIZES))
def test_lines_of_another_version_break_nothing(
    lines: list[tuple[str, dict[str, object]]], size: tuple[int, int]
) -> None:
    model = Model()
    words = WordLines(model)
    for event, more in lines:
        line: Line = {**more, "event": event}
        model.take(line)
        words._words(line)
    drawn = draw(model, *size)
    assert len(drawn) <= size[1]
    for row in drawn:
        assert row.text == fit(row.text, size[0])


@given(st.text(), st.integers(0, 60))
def test_fit_is_what_a_terminal_makes_of_it(text: str, columns: int) -> None:
    fitted = fit(text, columns)
    screen = pyte.Screen(max(columns, 1) + 1, 2)
    pyte.Stream(screen).feed(fitted)
    assert screen.cursor.y == 0
    assert screen.cursor.x <= columns


def test_strength_in_decibels() -> None:
    assert strength_bar(100.0, 100.0) == "#" * 10
    assert strength_bar(10.0, 100.0) == "#" * 5  # 20 dB less
    assert strength_bar(0.5, 100.0) == ""
    assert strength_bar(None, 100.0) == strength_bar(5.0, 0.0) == ""


# --------------------------------------------------------------------------- what is sent

rows_of_text = st.lists(
    st.tuples(st.text("ab 0é", max_size=19), st.sampled_from(["", "title", "bad"])), max_size=6
).map(lambda rows: [Row(text.rstrip(), style) for text, style in rows])


@given(st.lists(rows_of_text, max_size=5), st.booleans(), st.integers(0, 4))
def test_changes_alone_make_the_same_screen(pictures: list[list[Row]], colour: Any, forget_at: int) -> None:
    painter = Painter(colour=colour)
    screen = pyte.Screen(20, 6)
    stream = pyte.Stream(screen)
    stream.feed("somebody else's words\r\non the screen")
    for i, rows in enumerate(pictures):
        if i == forget_at:
            painter.forget()
            stream.feed("\x1b[1;1Hscribbled")
        stream.feed(painter.paint(rows))
        assert [line.rstrip() for line in screen.display] == [row.text for row in rows] + [""] * (
            6 - len(rows)
        )
        assert painter.paint(rows) == "", "nothing is sent for nothing new"


def test_only_what_changes_is_sent() -> None:
    painter = Painter(colour=True)
    painter.paint([Row("no faults"), Row("   0.90 approaching  50.9")])
    assert painter.paint([Row("no faults"), Row("   0.90 approaching  51.9")]) == "\x1b[2;23H1"


# --------------------------------------------------------------------------- plain lines


def test_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    model = Model()
    words = WordLines(model)
    for line in (
        HELLO,
        shown(text="nobody is seen", lit=DARK, face=DARK, why="nobody"),
        reading(100.5, 50.0),
        {"event": "tracks", "t_s": 100.6, "tracks": [track(1)]},
        shown(t_s=101.0, lit=DARK),
        shown(t_s=101.0, lit=DARK, text="another sentence of the same"),
        shown(t_s=101.2),
        state(102.0, 1.0, ("radar: silent",)),
        state(103.0, 1.0, ("radar: silent",)),
        state(104.0, 1.0),
        {"event": "rejected", "t_s": 105.0, "reason": "checksum wrong"},
        {"event": "reply", "t_s": 105.5, "values": {"Units": "km-per-hr"}},
        {"event": "restarted", "t_s": 105.6, "text": "OPS243"},
        passed(VEHICLE, 107.0, "shown", "over"),
        {"event": "skipped", "t_s": 107.5, "n": 12},
        {"event": "away", "t_s": 108.0},
    ):
        model.take(json.loads(json.dumps(line)))
        words.take(line)
    words.end(model, 8.0, 108.0)
    assert capsys.readouterr().out.splitlines() == [
        "     0.00  hello     bauska-3: ops243 at 12.5 degrees",
        "     9.00  shown     dark: nobody is seen",
        "     0.50  reading   approaching   50.0 km/h  strength 100",
        "     1.00  shown     dark (wants 57): 57 km/h is over the limit of 50",
        "     1.20  shown     57: 57 km/h is over the limit of 50",
        "     2.00  fault     radar: silent",
        "     4.00  mended    radar: silent",
        "     5.00  rejected  checksum wrong",
        "     5.50  reply     Units km-per-hr",
        "     5.60  restarted OPS243",
        "     7.00  vehicle   approaching   52.4 km/h  entry 52.0  exit 53.0  40 readings  shown over",
        "     7.50  skipped   12 lines lost: this end reads too slowly",
        "     8.00  away      the sign has gone away; waiting for it",
        "readings: 1, rejected: 1, vehicles: 1, in 8 s; lines lost on the way: 12",
    ]
    assert summary(Model(), 3.0) == "readings: 0, rejected: 0, vehicles: 0, in 3 s"


def test_the_last_line_has_its_time_too(capsys: pytest.CaptureFixture[str]) -> None:
    JsonLines().end(Model(), 8.04, 108.12341)
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["t_s"], line["seconds"]) == ("end", 108.1234, 8.0)
