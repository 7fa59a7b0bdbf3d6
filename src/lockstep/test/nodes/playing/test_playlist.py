"""What is played in which order."""

import pytest
from lockstep.bag import Bag, BagWriter
from lockstep.bag.metadata import OfferedQoS
from lockstep.errors import BagError
from lockstep.nodes.playing.playlist import Playlist
from lockstep.nodes.playing.read_ahead import ReadAhead
from lockstep.run.timeline import Event, offered
from made_bags import STRING, STRING_DEFINITION, string_cdr

CLOCK = "rosgraph_msgs/msg/Clock"
CLOCK_DEFINITION = (
    f"builtin_interfaces/Time clock\n{'=' * 80}\n"
    "MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
)
SECOND = 1_000_000_000


def clock_cdr(second):
    return b"\0\1\0\0" + second.to_bytes(4, "little") + bytes(4)


@pytest.fixture
def bags(tmp_path):
    def made(name, *rows, qos=()):
        with BagWriter(tmp_path / name) as writer:
            for topic in dict.fromkeys(row[0] for row in rows):
                is_clock = topic == "/clock"
                about = (CLOCK, CLOCK_DEFINITION) if is_clock else (STRING, STRING_DEFINITION)
                writer.add_topic(topic, *about, "", qos)
            for topic, second, data in rows:
                writer.write(topic, data, second * SECOND)
        opened.append(Bag(tmp_path / name))
        return opened[-1]

    opened = []
    yield made
    for bag in opened:
        bag.close()


def played(playlist, from_ns=None):
    return [
        (event.topic, event.time_ns // SECOND, event.data[8:9])
        for event in playlist.events(from_ns)
    ]


def event_of(topic):
    return Event(0, 0, topic, b"")


def word(topic, second):
    return topic, second, string_cdr(b"%d" % second)


def test_bags_are_merged_by_their_log_times(bags):
    a = bags("a", word("/a", 1), word("/a", 4), word("/a", 6))
    b = bags("b", word("/b", 2), word("/b", 3), word("/b", 5))
    order = [(topic, second) for topic, second, _ in played(Playlist([a, b], ["/a", "/b"]))]
    assert order == [("/a", 1), ("/b", 2), ("/b", 3), ("/a", 4), ("/b", 5), ("/a", 6)]


def clock(second):
    return "/clock", second, clock_cdr(second)


def test_bags_of_a_simulation_that_was_reset_are_merged_epoch_by_epoch(bags):
    times = (1, 3, 5, 1, 3)
    a = bags("a", *(row for second in times for row in (clock(second), word("/a", second))))
    b = bags("b", word("/b", 2), word("/b", 4), word("/b", 2), word("/b", 6))
    order = [(topic, at) for topic, at, _ in played(Playlist([a, b], ["/a", "/b"])) if topic]
    first = [("/a", 1), ("/b", 1), ("/a", 3), ("/b", 3), ("/a", 5)]
    assert order == [*first, ("/a", 1), ("/b", 1), ("/a", 3), ("/b", 3)]


def test_the_clock_of_one_bag_is_the_time_of_all(bags):
    a = bags("a", word("/a", 1), word("/a", 4))
    b = bags("b", ("/clock", 2, clock_cdr(70)), ("/clock", 3, clock_cdr(80)), word("/b", 5))
    playlist = Playlist([a, b], ["/a", "/b"])
    assert playlist.clock_topic == "/clock"
    assert [(topic, time) for topic, time, _ in played(playlist)] == [
        ("/a", 0),
        ("", 70),
        ("", 80),
        ("/a", 80),
        ("/b", 80),
    ]


@pytest.mark.parametrize(
    ("span", "seconds"),
    [
        ({"start_s": 2.0}, [3, 4, 5]),
        ({"start_s": 1.0, "duration_s": 1.0}, [2, 3]),
        ({"until_ns": 3 * SECOND}, [1, 2, 3]),
        ({"duration_s": 1.0, "until_ns": 4 * SECOND}, [1, 2, 3, 4]),
        ({"duration_s": 0.0}, [1]),
    ],
)
def test_start_and_end_are_times_of_all_bags_and_the_later_end_counts(bags, span, seconds):
    a = bags("a", word("/a", 1), word("/a", 3), word("/a", 5))
    b = bags("b", word("/b", 2), word("/b", 4))
    playlist = Playlist([a, b], ["/a", "/b"], **span)
    assert [time for _, time, _ in played(playlist)] == seconds


def test_of_each_latched_publisher_the_last_messages_come_first(bags):
    latched = OfferedQoS(durability="transient_local", depth=1)
    bag = bags("a", *(word("/a", second) for second in range(1, 6)), qos=(latched, latched))
    assert [data for _, _, data in played(Playlist([bag], ["/a"], start_s=3.5))] == [
        b"3",
        b"4",
        b"5",
    ]


def test_what_several_publishers_offered_is_offered_together(bags):
    weak = OfferedQoS(reliability="best_effort", depth=5, deadline_ns=3, lifespan_ns=7)
    strong = OfferedQoS(durability="transient_local", depth=1, liveliness="manual_by_topic")
    bag = bags("a", word("/a", 1), qos=(weak, strong))
    assert offered(bag.topic("/a")) == OfferedQoS(
        durability="transient_local", depth=5, deadline_ns=3, liveliness="manual_by_topic"
    )


def test_reading_ahead_changes_nothing(bags):
    bag = bags("a", *(word("/a", second) for second in range(1, 500)))
    playlist = Playlist([bag], ["/a"])
    ahead = ReadAhead(playlist.events(), 3)
    assert list(ahead) == list(playlist.events())
    ahead.close()


def test_an_error_of_reading_ahead_comes_after_what_could_be_read():
    def broken():
        yield "first"
        raise BagError("it is cut off")

    ahead = ReadAhead(map(event_of, broken()), 10)
    assert next(ahead).topic == "first"
    with pytest.raises(BagError, match="it is cut off"):
        next(ahead)
    ahead.close()


def test_reading_ahead_can_be_ended_in_the_midst():
    def endless():
        while True:
            yield event_of("again")

    ahead = ReadAhead(endless(), 100)
    assert next(ahead).topic == "again"
    ahead.close()
