import json

from benchmarks.figure import Figure, GoalOn
from benchmarks.performance_page import regenerate
from benchmarks.report import read, table, write

FAST = Figure(name="fast", value=9.5, unit="us", floor=1.0, goal=10, goal_on=GoalOn.RATIO, low=9.0, high=12.0, runs=5)
SLOW = Figure(name="slow", value=700.0, unit="1/s", goal=1000.0, at_least=True)


def test_the_table_says_what_is_asked_and_whether_it_is_reached():
    _, fast, slow = table([FAST, SLOW]).splitlines()
    assert fast.split() == ["fast", "9.50", "us", "9", "-", "12", "1", "9.50", "<=", "10x", "yes"]
    assert slow.split() == ["slow", "700", "1/s", ">=", "1000", "NO"]


def test_what_is_written_is_read_again(tmp_path):
    sections = {"handler": [FAST], "grpc": [SLOW, FAST]}
    write(sections, tmp_path / "results.json")
    assert read(tmp_path / "results.json") == sections


def test_a_program_finds_ratio_and_goal_beside_each_value(tmp_path):
    write({"handler": [FAST]}, tmp_path / "results.json")
    (member,) = json.loads((tmp_path / "results.json").read_text())["figures"]
    asked = ("name", "value", "unit", "floor", "ratio", "goal", "met")
    assert tuple(member[name] for name in asked) == ("fast", 9.5, "us", 1.0, 9.5, 10, True)


def test_nothing_was_measured_where_there_is_no_file(tmp_path):
    assert read(tmp_path / "results.json") == {}


PAGE = (
    "# Title\n\n<!-- figures: handler -->\nold\n<!-- end -->\n\nProse.\n\n<!-- figures: grpc -->\nkept\n<!-- end -->\n"
)


def test_only_the_tables_of_what_was_measured_are_made_anew():
    page = regenerate(PAGE, {"handler": [FAST], "elsewhere": [SLOW]})
    assert "old" not in page
    assert "| fast | 9.50 | us | 9 - 12 | 1 | 9.50 | <= 10x | yes |" in page
    assert "Prose.\n\n<!-- figures: grpc -->\nkept\n" in page
    assert "slow" not in page
    assert regenerate(page, {"handler": [FAST]}) == page
