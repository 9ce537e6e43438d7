"""The scenario format."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.scenario import Action, ScenarioError, State, expected, read, write

fields = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r"))
numbers = st.integers(0, 10**18 - 1)


def actions_of(command: str, rest: st.SearchStrategy[tuple[str, ...]]) -> st.SearchStrategy[Action]:
    return st.builds(Action, numbers, numbers, fields, st.just(command), fields, rest)


anything = st.one_of(
    actions_of("register", st.tuples(fields, fields)),
    actions_of("register", st.tuples(fields, fields, fields)),
    *(actions_of(command, st.tuples(fields)) for command in ("tweet", "follow", "unfollow")),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(anything, min_size=1))
def test_what_is_written_is_read_back(tmp_path: Path, actions: list[Action]) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    write(first, actions)
    assert read(first) == actions
    write(second, read(first))
    assert second.read_bytes() == first.read_bytes()


def test_nothing_is_quoted(tmp_path: Path) -> None:
    file = tmp_path / "scenario"
    row = b'0\t15\t1582246860738\tregister\tAda "B" C\ta+b@c.d\t"=)[\\{\'\n'
    file.write_bytes(row + "1\t2\tx\ttweet\tAda\tline\u2028one\x85two\n\n".encode())
    first, second = read(file)
    assert first == Action(
        0, 15, "1582246860738", "register", 'Ada "B" C', ("a+b@c.d", "\"=)[\\{'")
    )
    assert second.rest == ("line\u2028one\x85two",)


@pytest.mark.parametrize("around", [b"\xef\xbb\xbf%s", b"%s\r\n", b"%s\n\n\n", b"%s"])
def test_harmless_variants_are_read(tmp_path: Path, around: bytes) -> None:
    file = tmp_path / "scenario"
    file.write_bytes(around % b"7\t0\tt\ttweet\tA B\thello")
    assert read(file) == [Action(7, 0, "t", "tweet", "A B", ("hello",))]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (b"1\t2\tx\ttweet\tA", "5 fields"),
        (b"1 2 x tweet A text", "1 fields"),
        (b"one\t2\tx\ttweet\tA\ttext", "id is not a whole number: 'one'"),
        (b"1\t-2\tx\ttweet\tA\ttext", "delay is not a whole number: '-2'"),
        (b"1\t2\tx\tlike\tA\ttext", "unknown command 'like'"),
        (b"1\t2\tx\tregister\tA\ta@b", "register without a password"),
        (b"1\t2\tx\ttweet\tA\ttext\tmore", "tweet with 2 fields"),
        (b"1\t2\tx\ttweet\tA\t\xff", "is not UTF-8"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: bytes, why: str) -> None:
    file = tmp_path / "scenario"
    file.write_bytes(b"0\t0\tx\ttweet\tA\tfine\n" + row + b"\n")
    with pytest.raises(ScenarioError) as error:
        read(file)
    assert str(error.value).startswith(f"{file}:2: ")
    assert why in str(error.value)


def test_missing_and_empty_files(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        read(tmp_path / "none")
    (tmp_path / "empty").write_bytes(b"\n")
    with pytest.raises(ScenarioError, match="holds no actions"):
        read(tmp_path / "empty")


@pytest.mark.parametrize("bad", ["a\tb", "a\nb", "a\rb"])
def test_fields_that_would_break_a_row_are_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(ScenarioError, match="action 3"):
        write(tmp_path / "scenario", [Action(3, 0, "", "tweet", "A", (bad,))])


def test_only_what_a_server_accepts_is_expected() -> None:
    rows = [
        ("register", "A", "a@x", "p"),
        ("register", "A", "other@x", "p"),
        ("register", "B", "b@x", "p"),
        ("tweet", "A", "hi"),
        ("tweet", "A", "hi"),
        ("tweet", "A", ""),
        ("tweet", "Z", "hi"),
        ("follow", "A", "B"),
        ("follow", "A", "B"),
        ("follow", "A", "Z"),
        ("follow", "Z", "A"),
        ("follow", "B", "A"),
        ("unfollow", "B", "A"),
        ("unfollow", "B", "A"),
    ]
    state = expected(Action(i, 0, "", row[0], row[1], row[2:]) for i, row in enumerate(rows))
    messages = {"A": Counter({"hi": 2}), "B": Counter[str]()}
    assert state == State({"A", "B"}, messages, {("A", "B")})


def test_a_file_of_carriage_returns_is_read_whole(tmp_path: Path) -> None:
    rows = [b"0\t0\t1\tregister\tAnn Berg\ta@b.c\tpw", b"1\t5\t2\ttweet\tAnn Berg\thello"]
    path = tmp_path / "mac"
    path.write_bytes(b"\r".join(rows) + b"\r")
    assert [action.command for action in read(path)] == ["register", "tweet"]
    path.write_bytes(rows[0] + b"\r" + rows[1] + b"\n")
    with pytest.raises(ScenarioError, match="a carriage return inside the line"):
        read(path)
