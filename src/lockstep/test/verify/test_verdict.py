"""What is said of a verdict: nothing that is no match reads as one."""

from __future__ import annotations

import io

import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.cdr.codec import Codec
from lockstep.cli.show import console, print_table, print_verdict
from lockstep.compare import compare
from lockstep.component import Contract
from lockstep.run.result import RunResult
from lockstep.verify.report import as_data
from lockstep.verify.verdict import Verdict, findings, outcome

CODEC = Codec("pkg/msg/X", "float64 x")


@pytest.fixture
def verdict(tmp_path):
    """Makes verdicts on implementations `b` of a reference `a`, which put out some values."""

    def made(*, values=(1.0, 2.0), stale=None, again=None, untaken=None) -> Verdict:
        bags = []
        for number, xs in enumerate(((1.0, 2.0), values, again or values)):
            with BagWriter(tmp_path / str(number)) as writer:
                writer.add_topic("/x", "pkg/msg/X", "float64 x")
                for tick, x in enumerate(xs):
                    writer.write("/x", CODEC.encode({"x": x}), tick)
            bags.append(Bag(tmp_path / str(number)))
        runs = {name: RunResult(name, tmp_path, {}, {}, 0, None, None, None) for name in ("a", "b")}
        return Verdict(
            tmp_path,
            "a",
            Contract("Same", (), (), (), ()),
            {},
            runs,
            {"b": compare(bags[0], bags[1], names=("a", "b"))},
            repeats={"b": (compare(bags[1], bags[2], names=("b", "b again")),)},
            stale=stale or {},
            untaken=untaken or {},
        )

    return made


@pytest.fixture
def printed(capsys):
    """Prints a verdict as a terminal shows it, with its table."""

    def of(verdict: Verdict) -> str:
        print_verdict(console, verdict)
        print_table(console, [verdict])
        return capsys.readouterr().out

    return of


def test_a_match_is_one(verdict, printed):
    found = verdict()
    assert (found.exit_code, outcome(found, "b")) == (0, "match")
    assert printed(found).startswith("MATCH: b does what a does")
    assert as_data(found)["verdict"] == "match"


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_stale_match_is_no_verdict(verdict, printed, side):
    found = verdict(stale={side: "its sources have changed"})
    assert (found.exit_code, outcome(found, "b")) == (3, "no verdict")
    (finding,) = findings(found)
    assert (finding.word, finding.is_match) == ("NO VERDICT", False)
    assert finding.sentence == f"{side}: its sources have changed"
    assert finding.lines[0] == "of what ran: b does what a does"
    text = printed(found)
    assert "no verdict" in text
    assert "match" not in text.lower().replace(str(found.folder), "")
    data = as_data(found)
    assert (data["match"], data["verdict"]) == (False, "no verdict")
    of_b = data["comparisons"]["b"]
    assert (of_b["match"], of_b["verdict"]) == (False, "no verdict")
    assert of_b["objections"] == [f"{side}: its sources have changed"]


def test_a_stale_difference_is_a_difference_and_the_reason_is_told(verdict):
    found = verdict(values=(1.0, 3.0), stale={"b": "its sources have changed"})
    assert (found.exit_code, outcome(found, "b")) == (1, "differs")
    assert [finding.word for finding in findings(found)] == ["DIFFERENT", "NOT WHAT IS ON DISK"]


@pytest.mark.parametrize("side", ["a", "b"])
@pytest.mark.parametrize("difference", [{"values": (1.0, 3.0)}, {"again": (1.0, 3.0)}])
def test_a_difference_that_a_loss_may_have_made_is_no_verdict(verdict, printed, side, difference):
    lost = f"{side}: the node did not take 1 of the 2 messages on /y"
    found = verdict(**difference, untaken={side: lost})
    assert (found.exit_code, outcome(found, "b")) == (3, "no verdict")
    (finding,) = findings(found)
    assert (finding.word, finding.is_match) == ("NO VERDICT", False)
    assert finding.sentence.startswith(lost)
    assert "DIFFERENT" not in printed(found)
    assert as_data(found)["comparisons"]["b"]["objections"][0] == lost


def test_a_match_in_spite_of_a_loss_is_one_and_the_loss_is_told(verdict, printed):
    lost = "b: the node did not take 1 of the 2 messages on /y"
    found = verdict(untaken={"b": lost})
    assert (found.exit_code, outcome(found, "b")) == (0, "match")
    assert lost in printed(found)


def test_what_does_not_do_the_same_again_differs(verdict, printed):
    found = verdict(again=(1.0, 3.0))
    assert (found.exit_code, outcome(found, "b")) == (1, "differs")
    (finding,) = findings(found)
    assert (finding.word, finding.is_match) == ("NOT THE SAME AGAIN", False)
    assert "match" not in printed(found).lower().replace(str(found.folder), "")
    of_b = as_data(found)["comparisons"]["b"]
    assert [again["match"] for again in of_b["against_itself"]] == [False]
    assert len(of_b["objections"]) == 1


def test_the_verdict_stays_in_the_table_of_a_terminal_of_80_columns(verdict):
    shown = io.StringIO()
    out = type(console)(file=shown, force_terminal=True, width=80)
    print_table(out, [verdict()])
    lines = shown.getvalue().splitlines()
    assert any("verdict" in line and "differing" in line for line in lines)
    assert any("\x1b[32mmatch" in line for line in lines)


def test_the_caption_of_the_table_is_one_line_in_a_file(verdict, printed):
    (caption,) = (line for line in printed(verdict()).splitlines() if "median of one" in line)
    assert caption.endswith("most memory")
