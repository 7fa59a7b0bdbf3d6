"""Who runs cases: which of them at a time, and what is made of workers that die, are others, or are
gone."""

import os
import pickle
import shutil
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from lockstep.errors import RunError, UsageError
from lockstep.suite import cluster_workers
from lockstep.suite.case import Case
from lockstep.suite.case_run import Place
from lockstep.suite.cluster_workers import ClusterWorkers
from lockstep.suite.elsewhere import answer, packed, result_of, tool
from lockstep.suite.local_workers import LocalWorkers
from lockstep.suite.result import Result
from lockstep.suite.turns import turn
from lockstep.suite.workers import workers

COMPONENT = {"component": "lockstep_examples:VectorNormalizer"}
VERIFY = {
    "implementations": {"python": COMPONENT, "cpp": COMPONENT},
    "reference": "python",
    "inputs": {"bag": "drive.mcap", "topics": {"vector": "/a"}},
    "run": {"mode": "direct"},
}


@pytest.fixture
def suite(tmp_path):
    """A folder with a verify file whose bag is not there."""
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "verify.yaml").write_text(yaml.safe_dump(VERIFY))
    return folder


@pytest.fixture
def place(tmp_path):
    """The folder of a run, as everybody sees it."""
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "cases.jsonl").touch()
    return Place(folder, None, None, 0, 0)


def case(folder, name="verify/cpp", **known):
    return Case(name, "verify", folder / "verify.yaml", "cpp", **known)


# on one machine


class Busy(LocalWorkers):
    """Who is just running some cases."""

    def __init__(self, count, *cases):
        super().__init__(count, None)
        self.cases = list(cases)

    @property
    def running(self):
        return self.cases


ONE, TWO, ALONE = (
    Case("a/cpp", "a", Path(), "cpp", **needs) for needs in ({}, {"cores": 2}, {"exclusive": True})
)


@pytest.mark.parametrize(
    ("running", "next_one", "has_room"),
    [
        ([], ONE, True),
        ([ONE], ONE, True),
        ([ONE, ONE], ONE, False),
        ([ONE], TWO, False),
        ([TWO], ONE, False),
        ([], replace(TWO, cores=8), True),
        ([], ALONE, True),
        ([ONE], ALONE, False),
        ([ALONE], ONE, False),
    ],
)
def test_a_case_starts_when_there_are_its_cores_and_nobody_is_to_be_alone(
    running, next_one, has_room
):
    assert Busy(2, *running).has_room_for(next_one) is has_room


@pytest.fixture
def turns(tmp_path, monkeypatch):
    """As if no other suite ran on this machine."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def taken(exclusive, order, name):
    with turn(exclusive):
        order.append(name)


@pytest.mark.usefixtures("turns")
def test_who_has_an_exclusive_turn_is_alone_and_who_waits_for_one_comes_before_later_ones():
    order = []
    with turn(False), turn(False):
        order.append("two at a time")
        alone = threading.Thread(target=taken, args=(True, order, "alone"))
        alone.start()
        time.sleep(0.2)
        later = threading.Thread(target=taken, args=(False, order, "later"))
        later.start()
        time.sleep(0.2)
        assert order == ["two at a time"]
    alone.join()
    later.join()
    assert order == ["two at a time", "alone", "later"]


# elsewhere


def given(case, place, root):
    return result_of(answer(tool(), packed(case, place, root)))


def test_a_worker_with_another_library_is_refused(suite, place):
    job = packed(case(suite), place, suite)
    with pytest.raises(UsageError, match=r"has lockstep .*, and not lockstep 0\.0\.1; give all"):
        result_of(answer("lockstep 0.0.1", job))


def test_a_worker_without_the_workspace_is_refused(suite, place):
    job = packed(case(suite), place, suite)
    (suite / "verify.yaml").unlink()
    with pytest.raises(UsageError, match=r"has no .*/suite/verify\.yaml; start it with"):
        result_of(answer(tool(), job))


def test_a_worker_with_another_verify_file_is_refused(suite, place):
    job = packed(case(suite), place, suite)
    with (suite / "verify.yaml").open("a") as stream:
        stream.write("# of yesterday\n")
    with pytest.raises(UsageError, match=r"has another verify\.yaml than there is here"):
        result_of(answer(tool(), job))


def test_a_worker_that_does_not_see_the_results_is_refused(suite, place):
    (place.folder / "cases.jsonl").unlink()
    with pytest.raises(UsageError, match=r"does not see .*/run; give --store with a URL"):
        given(case(suite), place, suite)


def test_a_bag_that_one_worker_lacks_is_no_verdict_and_names_the_machine(suite, place):
    result = given(case(suite), place, suite)
    assert result.verdict == "no verdict"
    assert "drive.mcap" in result.sentence
    assert result.sentence.endswith(f" (on {os.uname().nodename})")


def test_the_files_of_a_suite_may_be_in_the_working_folder_of_a_worker(suite, place, monkeypatch):
    bag = str(suite / "drive.mcap")
    job = packed(case(suite, bag=bag), place, suite)
    shutil.move(suite, suite.with_name("copy"))
    monkeypatch.chdir(suite.with_name("copy"))
    seen = {}
    thread = threading.Thread(target=lambda: seen.update(it=result_of(answer(tool(), job))))
    thread.start()  # whose process has this working folder
    thread.join()
    assert str(suite.with_name("copy") / "drive.mcap") in seen["it"].sentence
    assert seen["it"].definition == case(suite, bag=bag).definition


# a cluster


class Engine:
    """A cluster of two cores in this process, which is out of reach when it is told so."""

    name = "this://engine"

    def __init__(self):
        self.connected = self.tries = 0
        self.away = 0
        self.cores = [2]
        self.started = {}
        self.lost = set()

    def connect(self):
        self.tries += 1
        if self.away:
            self.away -= 1
            raise ConnectionError("nobody is there")
        self.connected += 1

    def disconnect(self):
        pass

    def machines(self):
        return self.cores

    def start(self, job, cores):
        if self.away:
            raise ConnectionError
        number = len(self.started)
        self.started[number] = (pickle.loads(job).case.name, cores)
        return number

    def ended(self, started, patience_s):
        if self.away:
            raise ConnectionError
        return list(started)

    def answer(self, started):
        name, _ = self.started[started]
        if name in self.lost:
            return "lost", b""
        return "done", pickle.dumps(Result(name, "verify", "cpp", "match", "alike"))

    def cancel(self, started, patience_s):
        self.cancelled = list(started)


@pytest.fixture
def quick(monkeypatch):
    """Nobody waits for long."""
    monkeypatch.setattr(cluster_workers, "_AWAY_S", 0.2)
    monkeypatch.setattr(cluster_workers, "_TRY_S", 0.01)
    monkeypatch.setattr(cluster_workers, "_LOOK_S", 0.0)


def verdicts(pool):
    return {one.name: found and found.verdict for one, found in pool.ended(0.1)}


def test_a_case_that_is_lost_is_told_as_such(suite, place):
    engine = Engine()
    engine.lost = {"verify/b"}
    pool = ClusterWorkers(engine, None, place, suite)
    for name in ("verify/a", "verify/b"):
        pool.start(case(suite, name))
    assert verdicts(pool) == {"verify/a": "match", "verify/b": None}
    assert pool.running == []


@pytest.mark.usefixtures("quick")
def test_a_cluster_that_comes_back_has_lost_what_ran_there(suite, place):
    engine = Engine()
    pool = ClusterWorkers(engine, None, place, suite)
    pool.start(case(suite, "verify/a"))
    engine.away = 3
    pool.start(case(suite, "verify/b"))
    assert verdicts(pool) == {"verify/a": None, "verify/b": None}
    assert engine.connected == 2
    pool.start(case(suite, "verify/a"))
    assert verdicts(pool) == {"verify/a": "match"}


@pytest.mark.usefixtures("quick")
def test_a_cluster_that_stays_away_ends_the_suite(suite, place):
    engine = Engine()
    pool = ClusterWorkers(engine, None, place, suite)
    pool.start(case(suite))
    engine.away = 10**9
    with pytest.raises(RunError, match=r"out of reach for 0\.2 s \(nobody is there\); go on with"):
        verdicts(pool)


@pytest.mark.usefixtures("quick")
def test_a_cluster_that_has_no_worker_for_long_ends_the_suite(suite, place):
    engine = Engine()
    engine.ended = lambda started, patience_s: []
    pool = ClusterWorkers(engine, None, place, suite)
    pool.start(case(suite))
    engine.cores = []
    assert verdicts(pool) == {}
    time.sleep(0.3)
    with pytest.raises(RunError, match=r"has had no worker for 0\.2 s; start some, and go on"):
        verdicts(pool)


def test_no_more_is_given_to_a_cluster_than_keeps_it_busy(suite, place):
    pool = ClusterWorkers(engine := Engine(), None, place, suite)
    pool.start(case(suite, cores=8))
    assert engine.started == {0: ("verify/cpp", 2)}
    assert not pool.has_room_for(case(suite))
    verdicts(pool)
    for room in (True, True, True, False):
        assert pool.has_room_for(case(suite)) is room
        if room:
            pool.start(case(suite))


@pytest.mark.parametrize(
    ("on", "sentence"),
    [
        ("spark://head", "is no cluster that is known; give ray, ray://HEAD:10001 or dask://"),
        ("ray://", "is no cluster that is known"),
        ("dask", "is no cluster that is known"),
        ("ray://head:many", "--on ray://head:many: "),
    ],
)
def test_a_cluster_that_is_none_is_refused(suite, place, on, sentence):
    with pytest.raises(UsageError, match=sentence):
        workers(on, None, place, suite, None)
