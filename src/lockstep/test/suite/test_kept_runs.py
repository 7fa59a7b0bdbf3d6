"""Runs of references that are kept: the same again, or made anew."""

import fcntl
import os
import time
from dataclasses import replace

import pytest
from lockstep.component import Contract
from lockstep.run.resources import Resources
from lockstep.run.result import RunResult
from lockstep.suite.ground import digest_of_reference
from lockstep.suite.kept_runs import KeptRuns
from lockstep.verify.fingerprints import Fingerprint
from lockstep.verify.model import Verification

CONTRACT = Contract("pkg:A", (), (), (), ())


def verification(folder, **changes):
    data = {
        "implementations": {"python": {"component": "pkg:A"}, "cpp": {"executable": "pkg/a"}},
        "reference": "python",
        "inputs": {"bag": str(folder / "drive"), "topics": {"a": "/a"}},
        "run": {"mode": "direct"},
    }
    return Verification.model_validate({**data, **changes}, context={"folder": folder})


def parts(sources="1"):
    return {"python": Fingerprint({"sources": {"a.py": sources}}, None)}


@pytest.fixture(params=["folder", "url"])
def place(request, tmp_path):
    """Where runs are kept."""
    return tmp_path / "kept" if request.param == "folder" else f"file://{tmp_path}/kept"


@pytest.fixture
def inputs(tmp_path):
    """A folder with the bag of inputs."""
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive/drive.mcap").write_bytes(b"inputs")
    return tmp_path


def made(folder):
    """A run as a verification makes it."""
    bag = folder / "python/bag"
    bag.mkdir(parents=True)
    (bag / "bag_0.mcap").write_bytes(b"outputs")
    resources = Resources(0.25, 1 << 20, None)
    return RunResult("python", bag, {"/a": 3}, {"/b": 3}, 17, 0.5, 100.0, 200.0, resources)


def kept(place, inputs, name="first"):
    """Keep a run, and give what keeps it."""
    keeper = KeptRuns(place)
    with keeper.of_a_case():
        assert keeper.find(verification(inputs), parts(), inputs / name / "python") is None
        keeper.keep(verification(inputs), parts(), CONTRACT, made(inputs / name))
    assert keeper.remarks == []
    return keeper


def test_a_run_is_found_by_all_that_it_rests_on(place, inputs):
    keeper = kept(place, inputs)
    with keeper.of_a_case():
        found = keeper.find(verification(inputs), parts(), inputs / "second/python")
    assert found.contract == CONTRACT
    assert found.result == replace(made(inputs / "third"), bag=inputs / "second/python/bag")
    assert (found.result.bag / "bag_0.mcap").read_bytes() == b"outputs"
    for changed, changed_parts in (
        (verification(inputs), parts("2")),
        (verification(inputs, run={"mode": "direct", "repeat": 3}), parts()),
        (verification(inputs, compare={"align": "cause"}), parts()),
    ):
        with keeper.of_a_case():
            assert keeper.find(changed, changed_parts, inputs / "fourth/python") is None


def test_other_inputs_of_the_same_name_need_another_run(inputs):
    before = digest_of_reference(verification(inputs), parts())
    (inputs / "drive/drive.mcap").write_bytes(b"others")
    assert digest_of_reference(verification(inputs), parts()) not in (None, before)


def test_what_is_compared_with_it_changes_nothing(inputs):
    other = {"python": {"component": "pkg:A"}, "rust": {"executable": "pkg/b"}}
    tolerant = {"tolerance": {"x": {"abs": 1.0}}}
    digests = {
        digest_of_reference(verification(inputs), parts()),
        digest_of_reference(verification(inputs, implementations=other), parts()),
        digest_of_reference(verification(inputs, compare=tolerant), parts()),
    }
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("implementation", "run", "fingerprint"),
    [
        ({"command": ["box"]}, {"rtf": 1.0}, Fingerprint({"binary": {}}, None)),
        ({"component": "pkg:A"}, {}, Fingerprint({"sources": {}}, "it was not built")),
        ({"command": ["sh"]}, {"mode": "direct"}, Fingerprint({"not_tracked": True}, None)),
    ],
)
def test_what_may_do_something_else_is_run_each_time(inputs, implementation, run, fingerprint):
    implementations = {"python": implementation, "cpp": {"executable": "pkg/a"}}
    contract = "pkg:A" if "command" in implementation else None
    asked = verification(inputs, implementations=implementations, run=run, contract=contract)
    assert digest_of_reference(asked, {"python": fingerprint}) is None


def damage_bag(entry):
    (entry / "python").mkdir(exist_ok=True)
    file = next(entry.rglob("*.mcap"))
    file.unlink()
    file.write_bytes(b"outputZ")


def damage_result(entry):
    text = (entry / "entry.json").read_text()
    assert '"recorded": {"/b": 3}' in text
    (entry / "entry.json").write_text(
        text.replace('"recorded": {"/b": 3}', '"recorded": {"/b": 4}')
    )


def cut_off(entry):
    text = (entry / "entry.json").read_text()
    (entry / "entry.json").write_text(text[: len(text) // 2])


def lose_bag(entry):
    next(entry.rglob("*.mcap")).unlink()


@pytest.mark.parametrize("damage", [damage_bag, damage_result, cut_off, lose_bag])
def test_a_damaged_entry_is_found_and_made_anew(tmp_path, place, inputs, damage):
    keeper = kept(place, inputs)
    (entry,) = (path for path in (tmp_path / "kept").iterdir() if path.is_dir())
    damage(entry)
    with keeper.of_a_case():
        assert keeper.find(verification(inputs), parts(), inputs / "second/python") is None
        assert "a kept run was damaged and is made anew" in keeper.remarks[0]
        assert not (inputs / "second/python").exists()
        keeper.keep(verification(inputs), parts(), CONTRACT, made(inputs / "second"))
    with keeper.of_a_case():
        assert keeper.find(verification(inputs), parts(), inputs / "third/python")


def test_a_reference_that_changed_while_it_ran_is_not_kept(tmp_path, inputs):
    keeper = KeptRuns(tmp_path / "kept")
    with keeper.of_a_case():
        keeper.find(verification(inputs), parts(), inputs / "first/python")
        keeper.keep(verification(inputs), parts("2"), CONTRACT, made(inputs / "first"))
    assert not [path for path in (tmp_path / "kept").iterdir() if path.is_dir()]


def has(keeper, inputs, name):
    """Whether a run is kept, looked for once."""
    with keeper.of_a_case():
        place = inputs / "again" / name / "python"
        return keeper.find(verification(inputs), parts(name), place) is not None


def keep(keeper, inputs, name):
    with keeper.of_a_case():
        keeper.find(verification(inputs), parts(name), inputs / name / "python")
        keeper.keep(verification(inputs), parts(name), CONTRACT, made(inputs / name))


def test_the_least_recently_used_go_when_there_is_no_room(place, inputs):
    keeper = KeptRuns(place, most_bytes=15)  # two of seven bytes each
    keep(keeper, inputs, "first")
    keep(keeper, inputs, "second")
    assert has(keeper, inputs, "first")
    keep(keeper, inputs, "third")
    assert [has(keeper, inputs, name) for name in ("third", "second")] == [True, False]


def age(entry, days):
    """As if an entry had been made and used so long ago."""
    long_ago_s = time.time() - days * 86_400
    for path in (*entry.rglob("*"), entry):
        os.utime(path, (long_ago_s, long_ago_s))


def test_what_nobody_has_used_for_long_goes(tmp_path, place, inputs):
    keeper = KeptRuns(place, most_days=30)
    keep(keeper, inputs, "first")
    (entry,) = (path for path in (tmp_path / "kept").iterdir() if path.is_dir())
    age(entry, 31)
    keep(keeper, inputs, "second")
    assert [has(keeper, inputs, name) for name in ("first", "second")] == [False, True]


@pytest.mark.parametrize("years", [-1, 1])
def test_a_clock_that_is_wrong_makes_no_entry_old(place, inputs, monkeypatch, years):
    keeper = KeptRuns(place, most_days=30)
    keep(keeper, inputs, "first")
    wrong_s = time.time() + years * 365 * 86_400
    monkeypatch.setattr(time, "time", lambda: wrong_s)
    keep(keeper, inputs, "second")
    assert [has(keeper, inputs, name) for name in ("first", "second")] == [True, True]


def test_while_one_makes_a_run_others_wait_for_it(tmp_path, inputs):
    keeper = KeptRuns(tmp_path / "kept")
    with keeper.of_a_case():
        keeper.find(verification(inputs), parts(), inputs / "first/python")
        (lock,) = (tmp_path / "kept").glob(".*.lock")
        with lock.open("ab") as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with lock.open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


@pytest.mark.parametrize("prefix", ["", "file://"])
def test_a_full_disk_is_told_and_changes_nothing_else(tmp_path, small_disk, inputs, prefix):
    place = f"{prefix}{small_disk}"
    keeper = KeptRuns(place if prefix else small_disk)
    keep(keeper, inputs, "first")
    assert keeper.remarks == []
    run = made(inputs / "second")
    (run.bag / "bag_1.mcap").write_bytes(bytes(100_000))
    with keeper.of_a_case():
        keeper.find(verification(inputs), parts("second"), inputs / "second/python")
        keeper.keep(verification(inputs), parts("second"), CONTRACT, run)
    assert "the run of python is not kept: " in keeper.remarks[0]
    assert "No space left on device" in keeper.remarks[0]
    assert [has(keeper, inputs, name) for name in ("first", "second")] == [True, False]


def test_a_folder_that_cannot_be_written_is_told(tmp_path, inputs):
    (tmp_path / "kept").touch()
    keeper = KeptRuns(tmp_path / "kept")
    with keeper.of_a_case():
        assert keeper.find(verification(inputs), parts(), inputs / "first/python") is None
        keeper.keep(verification(inputs), parts(), CONTRACT, made(inputs / "first"))
    assert "runs cannot be kept in" in keeper.remarks[0]
