"""Comparing two bags: the same keys, the same ticks, the same values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace

from ..bag import Bag, BagError, Topic
from ..bag.topic import codec_of
from ..errors import CompareError
from ..host.protocol import LOCKSTEP
from .align import Align
from .as_bags import SideLike, as_bags
from .better_align import better_aligned
from .bytes_judge import BytesJudge
from .comparison import Comparison
from .definitions import common, type_problem, unlike
from .distribution import compare_distributions
from .json_fields import json_fields
from .key_comparison import Aligned, Judged, KeyComparison
from .key_judge import KeyJudge
from .meant import fields_of_clouds
from .one_pass import How, aligned_pairs
from .simplest_law import InputsOf
from .tolerance import ToleranceLike, Tolerances, tolerances_of
from .transforms import source_of, transforms_apart


def compare(
    a: SideLike,
    b: SideLike,
    *,
    topics: Sequence[str] | None = None,
    exclude: Collection[str] = (),
    align: Align | Mapping[str, Align] = "auto",
    origin_ns: int | None = None,
    time_tolerance_ns: int | None = None,
    tolerance: ToleranceLike = None,
    names: tuple[str, str] = ("a", "b"),
    common_fields: bool = False,
    inputs_of: InputsOf | None = None,
) -> Comparison:
    """Compare `b` with the reference `a`: bags, paths or URLs of bags, or datasets.

    Times are relative to `origin_ns` on both sides, or without it each to the first message of its
    own side; 0 makes them absolute. `align` is one way for all topics, or one by topic and "*" for
    all others: "auto" takes stamps that both have, or else the time, and values where that leaves
    it open, or else the tick; "none" compares distributions; "cause" pairs outputs by the step of
    the run that they answer. `time_tolerance_ns` defaults to half the median interval of each
    topic. `tolerance` is one for all fields, or by field pattern: a number is an absolute one. With
    `common_fields` topics of other types or definitions are compared in the fields that both have.
    Topics that nothing can decode are compared by their bytes, JSON value by value; those of
    `exclude` are not compared. `inputs_of` tells, for explanations, what messages of `a` answer.
    Raises CompareError for what cannot be compared, BagError for a bag that cannot be read whole.
    """
    tolerances = tolerances_of(tolerance)
    how = How(align, origin_ns, time_tolerance_ns)
    with ExitStack() as stack:
        bags = transforms_apart(as_bags(a, b, stack), tolerances, _whole(how, topics))
        wanted = _wanted(bags, topics, exclude)
        keys = _keys(bags, wanted, tolerances, names, common_fields)

        def judge_of(topic: str) -> KeyJudge | BytesJudge:
            if keys[topic].undecoded:
                return BytesJudge(tolerances.at(topic) if keys[topic].is_json else None)
            codecs = bags[0].codec(topic), bags[1].codec(topic)
            return KeyJudge(topic, codecs, tolerances, redefined=keys[topic].redefined is not None)

        _check_align(align, {*keys, *map(source_of, keys)})
        pairable = [
            topic for topic, key in keys.items() if not key.problem and how.of(topic) != "none"
        ]
        paired = aligned_pairs(bags, list(keys), pairable, how, tolerances, judge_of)
        judged = [
            _judged_pairs(key, paired.aligned[topic], paired.judges[topic])
            if topic in paired.judges
            else _judged_whole(bags, key, paired.aligned[topic], tolerances, names)
            for topic, key in keys.items()
        ]
        _check_not_empty(bags, judged)
        wrong = {key.topic: key for key in judged if key.topic in paired.judges and not key.matches}
        if wrong:
            better = better_aligned(bags, wrong, how, paired, tolerances, judge_of)
            judged = [replace(key, better=better.get(key.topic)) for key in judged]
        explained = _explained(bags, judged, tolerances, _of_whole_topics(inputs_of))
    outcome = {key.topic: key for key in explained}
    overall = align if isinstance(align, str) else align.get("*", "auto")
    return Comparison(*names, overall, tolerances, common_fields, outcome)


def _keys(
    bags: tuple[Bag, Bag],
    keys: Sequence[str],
    tolerances: Tolerances,
    names: tuple[str, str],
    common_fields: bool,
) -> dict[str, KeyComparison]:
    """What there is to compare, by topic, and what speaks against it; nothing is read yet."""
    for bag in bags:
        if bag.problem:
            raise BagError(bag.problem)
    _check_patterns(tolerances, bags, keys)
    sides = {key: (bags[0].topics.get(key), bags[1].topics.get(key)) for key in keys}
    return {key: _key(key, *sides[key], names, common_fields) for key in keys}


def _wanted(
    bags: tuple[Bag, Bag], topics: Sequence[str] | None, exclude: Collection[str]
) -> list[str]:
    """The topics to compare, transforms by their pairs of frames."""
    there = {name for bag in bags for name in bag.topics}
    chosen = _outputs(bags) if topics is None else set(topics) - set(map(source_of, there))
    if topics is not None:
        chosen |= {name for name in there if name in topics or source_of(name) in topics}
    return sorted(name for name in chosen if not {name, source_of(name)} & set(exclude))


def _whole(how: How, topics: Sequence[str] | None) -> Callable[[str], bool]:
    """Which topics are aligned message by message, so that transforms stay in theirs."""
    return lambda topic: (
        how.of(topic) in ("cause", "none") or (topics is not None and topic not in topics)
    )


def _of_whole_topics(inputs_of: InputsOf | None) -> InputsOf | None:
    """The same where messages are those of the bag: nothing is known of what transforms answer."""
    if inputs_of is None:
        return None
    return lambda topic, ticks: {} if source_of(topic) != topic else inputs_of(topic, ticks)


def _outputs(bags: tuple[Bag, Bag]) -> set[str]:
    """All topics but those of the run itself."""
    return {name for bag in bags for name in bag.topics if not name.startswith(LOCKSTEP)}


def _key(
    topic: str, a: Topic | None, b: Topic | None, names: tuple[str, str], common_fields: bool
) -> KeyComparison:
    if a is None or b is None:
        known = a or b
        return KeyComparison(
            topic, known.type if known else "", problem=f"not in {names[1] if a else names[0]}"
        )
    try:
        codecs = codec_of(a), codec_of(b)
    except BagError as error:
        if a.message_encoding == b.message_encoding == "json":  # whatever its schemas are called
            return KeyComparison(topic, a.type, undecoded=str(error), is_json=True)
        kinds = [(side.type, side.message_encoding) for side in (a, b)]
        problem = None if kinds[0] == kinds[1] else f"type {_shown(a)} against {_shown(b)}"
        return KeyComparison(topic, a.type, problem, undecoded=str(error))
    problem = type_problem((a.type, b.type), codecs)
    if not (problem or any(one.fields() for one in codecs)):
        # Nothing is left to differ, unless the definition is missing rather than empty.
        return KeyComparison(topic, a.type, undecoded=f"{topic} has no fields in its definition")
    if problem and common_fields and common(*codecs):
        return KeyComparison(topic, a.type, redefined=problem, unlike=unlike(*codecs))
    return KeyComparison(topic, a.type, problem)


def _shown(topic: Topic) -> str:
    return f"{topic.type or 'unknown'} in {topic.message_encoding}"


def _judged_pairs(
    key: KeyComparison, aligned: Aligned, judge: KeyJudge | BytesJudge
) -> KeyComparison:
    """A key whose messages were judged pair by pair."""
    return replace(key, aligned=aligned, judged=judge.judged(aligned.times_ns[0]))


def _judged_whole(
    bags: tuple[Bag, Bag],
    key: KeyComparison,
    counted: Aligned,
    tolerances: Tolerances,
    names: tuple[str, str],
) -> KeyComparison:
    """A key whose messages do not belong together one by one, which are only counted so far."""
    if key.problem:
        return replace(key, aligned=counted)
    aligned = replace(counted, by="none")
    here = tolerances.at(key.topic)
    ignored = tuple(path for path in key.unlike if here.of(path).ignore)
    if key.undecoded:
        problem = f"has no distributions, as {key.undecoded}"
        return replace(key, problem=problem, aligned=aligned)
    if not (counted.count_a and counted.count_b):
        problem = f"no messages in {names[1] if counted.count_a else names[0]}"
        return replace(key, problem=problem, aligned=aligned, judged=Judged(ignored=ignored))
    distributions = compare_distributions(*bags, key.topic, tolerances)
    judged = Judged(ignored=ignored, distributions=distributions)
    return replace(key, aligned=aligned, judged=judged)


def _explained(
    bags: tuple[Bag, Bag],
    keys: Sequence[KeyComparison],
    tolerances: Tolerances,
    inputs_of: InputsOf | None,
) -> Sequence[KeyComparison]:
    if all(key.matches for key in keys):
        return keys
    from .why.explain import explain  # with all laws, which a green verdict needs not

    return explain(bags, keys, tolerances, inputs_of)


def _check_align(align: Align | Mapping[str, Align], topics: Collection[str]) -> None:
    if isinstance(align, str):
        return
    for topic in align:
        if topic != "*" and topic not in topics:
            raise CompareError(
                f"align names {topic}, which is not compared; the topics are "
                f"{', '.join(sorted(topics))}"
            )


def _check_not_empty(bags: tuple[Bag, Bag], keys: Sequence[KeyComparison]) -> None:
    if not any(key.aligned.count_a or key.aligned.count_b for key in keys):
        raise CompareError(f"{bags[0].path} and {bags[1].path} hold no messages to compare")


def _check_patterns(tolerances: Tolerances, bags: tuple[Bag, Bag], keys: Sequence[str]) -> None:
    fields: dict[str, set[str]] = {key: set() for key in keys}
    for key in keys:
        for bag in bags:
            if key in bag.topics:
                with suppress(BagError):  # it has no fields, and is compared by its bytes
                    fields[key].update(codec_of(bag.topics[key]).fields())
    unused = tolerances.unused(fields) if keys else []
    if unused:  # by what definitions tell; those of JSON and of points only messages do
        for key in keys:
            fields[key] |= json_fields(bags, [key]) | fields_of_clouds(bags, [key])
        unused = tolerances.unused(fields)
    if unused:
        raise CompareError(f"tolerance '{unused[0]}' matches no field; {tolerances.known(fields)}")
