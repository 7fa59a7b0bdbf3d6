"""What was latched before the start of a replay comes with it."""

import pytest
import yaml
from lockstep.bag import Bag, BagWriter
from lockstep.bag.metadata import OfferedQoS
from lockstep.run.timeline import Timeline
from made_bags import STRING, STRING_DEFINITION, string_cdr

LATCHED = OfferedQoS(durability="transient_local", depth=1)


def said_by_metadata(folder, form):
    """A bag whose metadata.yaml alone says that /map is latched; `form` is that of the QoS."""
    with BagWriter(folder) as writer:
        for name in ("/map", "/pose"):
            writer.add_topic(name, STRING, STRING_DEFINITION)
        writer.write("/map", string_cdr(b"map"), 0)
        for second in range(4):
            writer.write("/pose", string_cdr(b"%d" % second), second * 10**9)
    path = folder / "metadata.yaml"
    metadata = yaml.safe_load(path.read_text())
    topics = metadata["rosbag2_bagfile_information"]["topics_with_message_count"]
    profile = {"history": 1, "depth": 1, "reliability": 1, "durability": 1}
    if form == "in a string":
        profiles = yaml.safe_dump([profile])
    else:
        names = {"history": "keep_last", "reliability": "reliable", "durability": "transient_local"}
        profiles = [profile | names]
    topics[0]["topic_metadata"]["offered_qos_profiles"] = profiles
    path.write_text(yaml.safe_dump(metadata))
    return folder


@pytest.mark.parametrize("form", ["in a string", "in a list"])
def test_a_topic_that_only_metadata_calls_latched_is_played_at_a_start_offset(tmp_path, form):
    with Bag(said_by_metadata(tmp_path / "bag", form)) as bag:
        assert bag.topics["/map"].qos == (LATCHED,)
        played = Timeline(bag, ["/map", "/pose"], start_s=2.0).events()
        assert [(event.topic, event.data) for event in played] == [
            ("/map", string_cdr(b"map")),
            ("/pose", string_cdr(b"2")),
            ("/pose", string_cdr(b"3")),
        ]
