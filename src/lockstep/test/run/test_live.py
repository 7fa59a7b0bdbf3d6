import json

import pytest
from lockstep.errors import Loss
from lockstep.host.protocol import resolved
from lockstep.run.live import checked_run, remaps_of_own_topics


def reports(folder, recorded):
    played = {
        "finished": True,
        "sent": {"/scan": 3},
        "ticks": {"/clock": 688},
        "first_ns": 0,
        "resources": None,
    }
    (folder / "player.json").write_text(json.dumps(played))
    (folder / "recorder.json").write_text(json.dumps({"recorded": recorded, "missing": {}}))


def test_a_recorded_clock_is_counted_against_what_the_player_ticked(tmp_path):
    reports(tmp_path, {"/clock": 0, "/odom": 3})
    with pytest.raises(Loss, match="sent 688 messages on /clock, but 0 were recorded"):
        checked_run("box", tmp_path, in_lockstep=False)


def test_more_than_the_player_sent_is_by_others(tmp_path):
    reports(tmp_path, {"/clock": 688, "/scan": 4})
    assert checked_run("box", tmp_path, in_lockstep=False).recorded["/scan"] == 4


def test_a_topic_of_the_nodes_own_has_one_name_in_every_run():
    assert resolved("~/state") == "/node/state"
    remaps = remaps_of_own_topics(["~/state", "scan", "/tf"])
    assert remaps == ["-r", "~/state:=/node/state"]
