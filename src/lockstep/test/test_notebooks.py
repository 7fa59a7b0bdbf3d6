"""What a notebook shows of bags, datasets and comparisons."""

from __future__ import annotations

from pathlib import Path

from lockstep.bag import Bag
from lockstep.compare import compare
from lockstep.dataset import Dataset
from made_bags import STRING, STRING_DEFINITION, string_cdr, write_payloads

HOSTILE = "/<img src=x onerror=alert(1)>\x1b[2K"
ESCAPED = "/&lt;img src=x onerror=alert(1)&gt;\\x1b[2K"


def bag(path: Path, words: list[str]) -> Bag:
    messages = [(i * 10**9, string_cdr(word.encode())) for i, word in enumerate(words)]
    return Bag(write_payloads(path, STRING, STRING_DEFINITION, messages, topic=HOSTILE))


def test_a_bag_is_a_table_of_its_topics_and_no_markup_of_its_names(tmp_path: Path) -> None:
    shown = bag(tmp_path / "bag", ["a", "b", "c"])._repr_html_()
    assert f"<caption>{tmp_path / 'bag'}: 3 messages in 2.000 s</caption>" in shown
    assert f"<td>{ESCAPED}</td><td>{STRING}</td><td>3</td>" in shown


def test_a_dataset_is_a_table_of_its_keys() -> None:
    dataset = Dataset.create()
    dataset.append("speed", 1.5)
    dataset.append("speed", 2.5)
    shown = dataset._repr_html_()
    assert "<caption>dataset of 2 values</caption>" in shown
    assert "<td>speed</td><td>any</td><td>2</td>" in shown


def test_a_comparison_is_its_verdict_a_table_and_its_summary(tmp_path: Path) -> None:
    a, b = bag(tmp_path / "a", ["x", "y"]), bag(tmp_path / "b", ["x", "<b>"])
    shown = compare(a, b, names=("old", "new"))._repr_html_()
    assert "<caption>DIFFERENT: new does not do what old does</caption>" in shown
    assert f"<td>{ESCAPED}</td><td>{STRING}</td><td>2</td><td>1</td><td>wrong values</td>" in shown
    assert "&lt;b&gt;" in shown
    assert "<b>" not in shown and "\x1b" not in shown
