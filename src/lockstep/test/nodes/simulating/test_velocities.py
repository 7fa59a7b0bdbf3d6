"""The script by which a simulated robot drives."""

from __future__ import annotations

import pytest
from lockstep.errors import UsageError
from lockstep.nodes.simulating.velocities import parse_velocities


def test_a_velocity_holds_until_the_next():
    script = parse_velocities("4:0.5,0.4 1:0.5,0 10:0,0")
    assert script.at(0.999) is None
    assert script.at(1.0) == script.at(3.99) == (0.5, 0.0)
    assert script.at(4.0) == (0.5, 0.4)
    assert script.at(1e6) == (0.0, 0.0)


def test_without_words_nobody_drives():
    assert parse_velocities("").at(5.0) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0:0.5", "velocity '0:0.5' is not SECONDS:LINEAR,ANGULAR"),
        ("0.5,0.1", "velocity '0.5,0.1' is not SECONDS:LINEAR,ANGULAR"),
        ("0:fast,0", "velocity '0:fast,0' is not"),
        ("-1:0.5,0", "with a time from 0 on"),
        ("0:nan,0", "with a time from 0 on"),
        ("1:0,0 1:1,0", "name a time twice"),
    ],
)
def test_what_is_no_script_is_refused_in_one_sentence(text, sentence):
    with pytest.raises(UsageError, match=sentence) as refused:
        parse_velocities(text)
    assert "\n" not in str(refused.value)
