"""Capture files: what is written is read; what is broken is said with its line."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speedsign.capture import CaptureHeader, CaptureReader, CaptureWriter, open_capture
from speedsign.errors import CaptureError

HEADER = '{"speedsign_capture":1,"radar":"ops243","baud":115200,"site":"Bauska"}\n'


def reader(text: str) -> CaptureReader:
    return CaptureReader(io.StringIO(text), "x.jsonl")


@given(st.lists(st.tuples(st.floats(0, 1000), st.binary(max_size=60))))
def test_what_is_written_is_read(chunks: list[tuple[float, bytes]]) -> None:
    chunks = sorted((round(t, 4), data) for t, data in chunks)
    out = io.StringIO()
    writer = CaptureWriter(
        out, CaptureHeader("ops243", 9600, mounting_angle_deg=10.0, profile="text"), start_mono_s=500.0
    )
    for t_s, data in chunks:
        writer.add(data, 500.0 + t_s)
    read = reader(out.getvalue())
    assert read.header == CaptureHeader("ops243", 9600, mounting_angle_deg=10.0, profile="text")
    assert [data for _, data in read] == [data for _, data in chunks]


def test_the_header_keeps_what_it_does_not_know() -> None:
    header = reader(HEADER).header
    assert (header.radar, header.baud, header.extra) == ("ops243", 115200, {"site": "Bauska"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "x.jsonl:1: this is not a capture file"),
        ("V+033.2\n", "x.jsonl:1: this is not a capture file"),
        ('{"radar":"ops243"}\n', "the header has no"),
        ('{"speedsign_capture":9,"radar":"ops243"}\n', "of another version"),
        ('{"speedsign_capture":1}\n', "does not name the radar"),
        ('{"speedsign_capture":1,"radar":"a","baud":-3}\n', "whole number, not -3"),
        ('{"speedsign_capture":1,"radar":"a","profile":3}\n', "the name of a dialect, not 3"),
        ('{"speedsign_capture":1,"radar":"a","mounting_angle_deg":"steep"}\n', "from 0 to 60"),
        (HEADER + '{"t":1}\n', 'x.jsonl:2: expected {"t": seconds'),
        (HEADER + '{"t":1,"hex":"0"}\n', "x.jsonl:2: hex is not pairs"),
        (HEADER + '{"t":"1","hex":"00"}\n', "x.jsonl:2: t must be seconds"),
        (HEADER + '{"t":NaN,"hex":"00"}\n', "x.jsonl:2: t must be seconds"),
        (HEADER + '{"t":2,"hex":"00"}\n\n{"t":1,"hex":"00"}\n', "x.jsonl:4: t goes back"),
        (HEADER + "[" * 5000 + "\n", "x.jsonl:2: no JSON"),
    ],
)
def test_what_is_broken_is_said_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(CaptureError) as caught:
        list(reader(text))
    assert expected in str(caught.value)


def test_a_power_cut_costs_the_last_line_only() -> None:
    read = reader(HEADER + '{"t":0.5,"hex":"5632"}\n{"t":0.6,"he')
    assert list(read) == [(0.5, b"V2")]
    assert read.cut_short


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(CaptureError, match="no such file"):
        open_capture(tmp_path / "none.jsonl")
    (tmp_path / "picture").write_bytes(b"\x89PNG\xff\xff")
    with open_capture(tmp_path / "picture") as file, pytest.raises(CaptureError, match="not text"):
        CaptureReader(file, "picture")
