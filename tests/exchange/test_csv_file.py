"""Lines and fields of files as they come from old devices and spreadsheets."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.exchange import csv_file
from telemetry.exchange.csv_file import BLOCK, LONGEST, CsvFile, FileRefused

WANTED = ("time", "direction", "speed_kmh")


def opened(content: bytes) -> CsvFile:
    return CsvFile(io.BytesIO(content), "old.csv", WANTED)


def lines(file: CsvFile) -> list[tuple[int, str]]:
    return [pair for first, found in file.blocks() for pair in enumerate(found, first)]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_marks_line_ends_and_separators(mark: bytes, end: bytes, separator: str) -> None:
    rows = [["Time", " DIRECTION", '"speed_kmh"'], ["a", "b", "c"], ["d", "e", "f"]]
    file = opened(mark + end.join(separator.join(row).encode() for row in rows))
    assert file.columns == WANTED
    assert file.separator == separator
    assert lines(file) == [(2, separator.join("abc")), (3, separator.join("def"))]
    assert file.fields(separator.join("abc")) == ["a", "b", "c"]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_empty_lines_before_the_header_are_lines(mark: bytes) -> None:
    file = opened(mark + b"\r\n  \n\ntime,direction,speed_kmh\na,b,c\n")
    assert file.columns == WANTED
    assert lines(file) == [(5, "a,b,c")]


def test_a_quote_that_is_not_closed_spoils_its_own_line_only() -> None:
    file = opened(b'time,direction,speed_kmh\n"a,b,c\nd,e,f\n')
    (_, first), (_, second) = lines(file)
    assert file.fields(first) == ["a,b,c"]
    assert file.fields(second) == ["d", "e", "f"]
    assert file.fields('"a,1",b,"c"') == ["a,1", "b", "c"]


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30)),
    st.integers(1, 40),
)
def test_lines_are_the_same_in_blocks_of_any_size(found: list[str], block: int) -> None:
    content = "\n".join(["time,direction,speed_kmh", *found]).encode()
    whole = lines(opened(content))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_file, "BLOCK", max(block, len("time,direction,speed_kmh\n")))
        assert lines(opened(content)) == whole
    assert [text for _, text in whole] == (found if not found or found[-1] else found[:-1])
    assert [number for number, _ in whole] == list(range(2, len(whole) + 2))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        (b"\xff\xfet\x00i\x00", "UTF-16"),
        (b"x" * (LONGEST + 1), "line 1 has more than"),
        (b"time,direction,time", "names time twice"),
    ],
)
def test_what_is_no_csv_file_is_refused(content: bytes, said: str) -> None:
    with pytest.raises(FileRefused, match=said):
        opened(content)


def test_a_line_without_an_end_is_refused_before_it_fills_the_memory() -> None:
    file = opened(b"time,direction,speed_kmh\n1,2,3\n" + b"x" * (10 * BLOCK))
    with pytest.raises(FileRefused, match="line 3 has more than"):
        lines(file)
    assert file.bytes_read <= 2 * BLOCK


def test_missing_columns_are_named_with_those_that_are_there() -> None:
    with pytest.raises(FileRefused, match=r"no column direction and no speed_kmh.*names 'time, v'"):
        opened(b"time,v\n").places(WANTED)
