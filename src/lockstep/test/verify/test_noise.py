"""What runs of a reference differ by is noise, or else judges nothing."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from lockstep.compare import Tolerances, compare
from lockstep.component.contract import Contract, PortContract
from lockstep.component.qos import QoS
from lockstep.verify.noise import no_noise, noise_floor, suggested, with_noise
from made_bags import write_messages

N = 2_000
MARGIN = 0.1
DEFINITION = "float64 steady\nfloat64 noisy\nfloat64 other\n"


@pytest.fixture
def run_of(tmp_path):
    """Writes the bag of a run: `noisy` with so much noise, about an offset, `other` with jumps."""

    def write(seed, noise=0.1, offset=0.0, jump=0.0, steady=0.0):
        rng = np.random.default_rng(seed)
        noisy = np.sin(np.arange(N) / 50) + offset + noise * rng.normal(size=N)
        other = np.where(np.arange(N) == 100 + seed, jump, 0.0)
        messages = [
            {"steady": i + steady, "noisy": x, "other": y}
            for i, (x, y) in enumerate(zip(noisy.tolist(), other.tolist(), strict=True))
        ]
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.mcap"
        return write_messages(path, "pkg/msg/Out", DEFINITION, messages)

    return write


def floor_of(run_of, runs=5, **more):
    first = run_of(1, **more)
    noise = [compare(first, run_of(seed, **more)) for seed in range(2, runs + 1)]
    return first, noise, noise_floor(noise, MARGIN)


def judged(first, other, floor):
    return compare(first, other, tolerance=with_noise(Tolerances(), floor)).keys["/x"]


def test_a_field_that_is_noisy_has_a_floor_and_no_other_one(run_of):
    _, noise, floor = floor_of(run_of)
    assert no_noise(noise, floor) is None
    (noisy,) = floor
    assert (noisy.topic, noisy.field, noisy.runs) == ("/x", "noisy", 5)
    assert noisy.rms == pytest.approx(0.1 * np.sqrt(2), rel=0.05)
    assert noisy.rms < noisy.limit < (1 + MARGIN) * noisy.rms


def test_what_is_as_noisy_is_equivalent_and_what_is_not_is_not(run_of):
    first, _, floor = floor_of(run_of)
    assert judged(first, run_of(20), floor).matches
    assert not judged(first, run_of(20, noise=0.13), floor).matches
    assert not judged(first, run_of(20, offset=0.1), floor).matches


def test_all_other_fields_are_judged_exactly(run_of):
    first, _, floor = floor_of(run_of)
    key = judged(first, run_of(20, steady=1e-9), floor)
    assert not key.matches
    assert [path for path, field in key.judged.fields.items() if not field.matches] == ["steady"]


def test_what_jumps_is_no_noise(run_of):
    _, noise, floor = floor_of(run_of, jump=5.0)
    why = no_noise(noise, floor)
    assert "other of /x jumps: by 5 at tick 10" in why


def test_two_runs_tell_nothing_of_noise(run_of):
    _, noise, floor = floor_of(run_of, runs=2)
    assert no_noise(noise, floor) == "run: {repeat: 3}, or more, finds whether that is noise"


def test_tolerances_are_suggested_with_how_they_were_found(run_of):
    _, _, floor = floor_of(run_of)
    out = PortContract("out", "/x", "pkg/msg/Out", None, QoS())
    text = suggested(floor, Contract("Noisy", (), (out,), (), ()))
    rule = yaml.safe_load(text)["compare"]["tolerance"]["out:noisy"]
    assert rule == {"by": "rmse", "abs": pytest.approx(floor[0].limit, rel=0.01)}
    assert "# /x noisy: rms 0.14" in text
    assert "between 5 runs (8000 messages)" in text
