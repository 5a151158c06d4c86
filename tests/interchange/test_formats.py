"""Files as people send them: odd line ends, broken quotes, wrong encodings, spreadsheets in disguise."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from techex.errors import UnreadableFile
from techex.interchange.formats import Row, read_rows, write_csv, write_jsonl


def _file(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


def _rows(tmp_path: Path, name: str, content: str | bytes) -> list[Row]:
    raw = content.encode() if isinstance(content, str) else content
    return list(read_rows(_file(tmp_path, name, raw)))


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_with_any_usual_delimiter_and_line_end(tmp_path: Path, end: str, delimiter: str) -> None:
    text = end.join([f"id{delimiter}title", f"1{delimiter}Sấy nhãn", f"2{delimiter}Lọc nước"])
    assert [dict(row.values) for row in _rows(tmp_path, "a.csv", text)] == [
        {"id": "1", "title": "Sấy nhãn"},
        {"id": "2", "title": "Lọc nước"},
    ]


def test_a_byte_order_mark_is_not_part_of_the_first_column(tmp_path: Path) -> None:
    assert _rows(tmp_path, "a.csv", "\ufeffid,title\n1,x")[0].values["id"] == "1"
    assert _rows(tmp_path, "a.jsonl", '\ufeff{"id": 1}')[0].values["id"] == 1


def test_cells_may_hold_line_ends_and_quotes(tmp_path: Path) -> None:
    rows = _rows(tmp_path, "a.csv", 'id,title\n1,"two\nlines, ""quoted"""\n2,x\n')
    assert rows[0].values["title"] == 'two\nlines, "quoted"'
    assert (rows[0].line, rows[1].line) == (2, 4)


def test_an_unclosed_quote_is_reported_and_swallows_nothing_silently(tmp_path: Path) -> None:
    rows = _rows(tmp_path, "a.csv", 'id,title\n1,fine\n2,"open\n3,lost\n')
    assert rows[0].values == {"id": "1", "title": "fine"}
    assert "quotation mark" in rows[-1].problem
    assert rows[-1].line == 3


def test_ragged_rows_are_reported_with_both_counts(tmp_path: Path) -> None:
    rows = _rows(tmp_path, "a.csv", "id,title\n1\n2,b,c\n3,d\n")
    assert ["cells where the header has 2" in row.problem for row in rows] == [True, True, False]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("{", "not JSON"),
        ("[1, 2]", "is of the type list"),
        ('"text"', "is of the type str"),
        ('{"a": NaN}', "NaN"),
        ('{"a": 1, "a": 2}', "twice"),
        ("[" * 20_000 + "]" * 20_000, "nested too deeply"),
        ('{"a": ' + "1" * 5000 + "}", "not JSON"),
    ],
)
def test_a_bad_line_of_json_is_reported_and_the_next_one_read(tmp_path: Path, line: str, expected: str) -> None:
    rows = _rows(tmp_path, "a.jsonl", f'{line}\n\n{{"id": 2}}\n')
    assert expected in rows[0].problem
    assert rows[1] == Row(3, {"id": 2})


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "id,title\n1,Sấy".encode("utf-16"), "UTF-16"),
        ("a.csv", "id,title\n1,Café".encode("cp1252"), "not UTF-8"),
        ("a.csv", "id,title\n1,乾燥".encode("shift-jis"), "not UTF-8"),
        ("a.csv", b"PK\x03\x04rest of a workbook", "spreadsheet"),
        ("a.csv", b"", "is empty"),
        ("a.csv", b"id,id\n1,2", "more than one column id"),
        ("a.xlsx", b"PK\x03\x04", "damaged"),
        ("noending", b"{}", "none of the endings"),
    ],
)
def test_a_file_of_another_sort_is_refused_with_what_to_do(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    with pytest.raises(UnreadableFile, match=expected):
        _rows(tmp_path, name, content)


def test_missing_files_and_folders_get_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(UnreadableFile, match="no file"):
        list(read_rows(tmp_path / "absent.csv"))
    with pytest.raises(UnreadableFile, match="is a folder"):
        list(read_rows(tmp_path / "folder.csv"))


def test_a_header_without_rows_is_an_empty_file_without_errors(tmp_path: Path) -> None:
    assert _rows(tmp_path, "a.csv", "id,title\n") == []
    assert _rows(tmp_path, "a.jsonl", "") == []


def test_formulas_do_not_come_alive_in_a_spreadsheet() -> None:
    out = io.StringIO()
    write_csv([{"a": "=HYPERLINK(1)", "b": "@x", "c": "-1", "d": "fine"}], ["a", "b", "c", "d"], out)
    assert out.getvalue().splitlines()[1] == "'=HYPERLINK(1),'@x,'-1,fine"


_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda t: t.strip() == t)


@example(rows=[("'=1", "''+2"), ("'", "-")])
@given(rows=st.lists(st.tuples(_TEXT, _TEXT), max_size=5))
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]) -> None:
    folder = tmp_path_factory.mktemp("trip")
    dicts = [{"id": a, "title": b} for a, b in rows]
    with (folder / "a.csv").open("w", encoding="utf-8", newline="") as out:
        write_csv(dicts, ["id", "title"], out)
    with (folder / "a.jsonl").open("w", encoding="utf-8") as out:
        write_jsonl(dicts, out)
    assert [dict(row.values) for row in read_rows(folder / "a.csv")] == dicts
    assert [dict(row.values) for row in read_rows(folder / "a.jsonl")] == dicts
