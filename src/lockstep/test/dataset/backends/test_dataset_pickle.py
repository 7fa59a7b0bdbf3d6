"""Hostile pickles are refused: nothing of what they ask for happens."""

import array
import io
import math
import os
import pickle
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lockstep.dataset import Dataset, DatasetError
from lockstep.dataset.backends.restricted_pickle import dumps, loads

# What files of this format begin with, the head of a frame, and two of its kinds.
MAGIC = b"lockstep dataset 1\n"
HEAD = struct.Struct("<BIIqqQ")
KEY, VALUE = 0, 2


class Call:
    """Pickles as a call of anything."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self.called = function, arguments

    def __reduce__(self) -> Any:
        return self.called


def persistent(identity: Any) -> bytes:
    """A pickle of a persistent id, as hand-made files may have it."""

    class Pickler(pickle.Pickler):
        def persistent_id(self, value: Any) -> Any:
            return identity if value is Call else None

    buffer = io.BytesIO()
    Pickler(buffer, 5).dump(Call)
    return buffer.getvalue()


def file_with(payload: bytes, path: Path) -> Path:
    key = b'"x"'
    path.write_bytes(
        MAGIC
        + HEAD.pack(KEY, 0, 0, 0, 0, len(key))
        + key
        + HEAD.pack(VALUE, 0, 0, 1, 1, len(payload))
        + payload
    )
    return path


def long_memo() -> bytes:
    """Makes the C unpickler allocate 64 GB for its memo."""
    return b"\x80\x05Nr" + struct.pack("<I", 2**32 - 1) + b"."


def nested_tuples(depth: int, width: int) -> bytes:
    """A dict whose key is (t, …) with t = (u, …) and so on: `width` times the
    same one, found in the memo.
    """
    tuples = b"](\x8c\x05tuple]eQ\x94"
    for level in range(depth):
        again = b"j" + struct.pack("<I", level)
        tuples = b"](\x8c\x05tuple](" + tuples + again * (width - 1) + b"eeQ\x94"
    return b"\x80\x05}" + tuples + b"Ns."


HOSTILE = {
    "os.system": pickle.dumps(Call(os.system, "touch {}")),
    "os.system, protocol 0": pickle.dumps(Call(os.system, "touch {}"), 0),
    "builtins.eval": pickle.dumps(Call(eval, "__import__('os').system('touch {}')")),
    "builtins.exec": pickle.dumps(Call(exec, "open('{}', 'w')")),
    "builtins.getattr": b"cbuiltins\ngetattr\n(S'a'\nS'b'\ntR.",
    "dotted name": b"\x80\x04\x8c\x05numpy\x94\x8c\x0eload.__globals__\x94\x93\x94.",
    "a class": pickle.dumps(Path),
    "an object": pickle.dumps(Path("/tmp")),
    "numpy's reconstruct": pickle.dumps(np.zeros(3), 2),
    "numpy objects": pickle.dumps(np.array([Call(os.system, "touch {}")], dtype=object)),
    "numpy.load": b"cnumpy\nload\n(S'x'\ntR.",
    "instance": b"(S'touch {}'\nios\nsystem\n.",
    "extension": b"\x80\x02\x82\x01.",
    "built object": b"\x80\x04N}\x8c\x01a\x94K\x01sb.",
    "huge memo": long_memo(),
    "huge bytes": b"\x80\x05\x8e" + struct.pack("<Q", 2**40) + b".",
    "huge bytearray": b"\x80\x05\x96" + struct.pack("<Q", 2**40) + b".",
    "huge text": b"\x80\x05\x8d" + struct.pack("<Q", 2**63) + b".",
    "huge frame": b"\x80\x05\x95" + struct.pack("<Q", 2**62) + b"N.",
    "huge number": b"\x80\x05\x8b" + struct.pack("<i", -1) + b".",
    "text arguments": b"I1\n.",
    "out of band": b"\x80\x05\x97.",
    "nothing": b"",
    "no end": b"\x80\x05N",
    "empty stack": b"\x80\x05.",
    "array of objects": persistent(["ndarray", "|O", [1], b"12345678"]),
    "array in a structure of objects": persistent(["ndarray", "[('a', '|O')]", [1], b"12345678"]),
    "array larger than its bytes": persistent(["ndarray", "<f8", [10**12], b"12345678"]),
    "array of nothing": persistent(["ndarray", "S0", [10**12], b""]),
    "array of negative shape": persistent(["ndarray", "<f8", [-1, -1], b"12345678"]),
    "array of many dimensions": persistent(["ndarray", "<f8", [1] * 100, b"12345678"]),
    "array of code": persistent(["ndarray", "[__import__('os')]", [1], b""]),
    "tuple opcodes": b"\x80\x05N\x85.",
    "tuples in tuples": nested_tuples(2_000, 1),
    "exponential tuples": nested_tuples(64, 2),
    "unknown identity": persistent(["call", "os", "system"]),
    "another module's message": persistent(["message", "os/msg/System", {}]),
    "a path as message": persistent(["message", "../../os/msg/System", {}]),
    "a dotted message": persistent(["message", "os.path/msg/System", {}]),
    "a message that is not installed": persistent(["message", "evil_msgs/msg/System", {}]),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_in_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched = tmp_path / "touched"
    payload = HOSTILE[name].replace(b"touch {}", b"touch t ")
    monkeypatch.chdir(tmp_path)
    dataset = Dataset.load(file_with(payload, tmp_path / "hostile.pkl"))
    with pytest.raises(DatasetError) as refused:
        list(dataset["x"])
    assert "\n" not in str(refused.value)
    assert "key x" in str(refused.value)
    assert not touched.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["hostile.pkl"]


def test_a_message_of_a_package_is_not_built_from_other_fields() -> None:
    pytest.importorskip("sensor_msgs.msg", reason="there is no ROS here")
    with pytest.raises(DatasetError, match="other fields"):
        loads(persistent(["message", "sensor_msgs/msg/Imu", {"__class__": 1}]))


def test_modules_of_no_interface_package_are_not_imported(tmp_path: Path, monkeypatch: Any) -> None:
    package = tmp_path / "evil_msgs" / "msg"
    package.mkdir(parents=True)
    (tmp_path / "evil_msgs" / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(DatasetError, match="evil_msgs"):
        loads(persistent(["message", "evil_msgs/msg/System", {}]))
    assert "evil_msgs" not in sys.modules


def test_pickles_of_others_are_no_datasets(tmp_path: Path) -> None:
    (tmp_path / "other.pkl").write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(DatasetError, match="no dataset that Lockstep wrote"):
        Dataset.load(tmp_path / "other.pkl")


def test_a_length_beyond_the_end_is_a_cut_off_file(tmp_path: Path) -> None:
    path = file_with(dumps(1), tmp_path / "data.pkl")
    with path.open("ab") as file:
        file.write(HEAD.pack(VALUE, 0, 0, 1, 1, 2**63))
    with pytest.warns(UserWarning, match="cut off"):
        assert list(Dataset.load(path)["x"]) == [1]


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 9])
def test_heads_that_make_no_sense_are_damage(kind: int, tmp_path: Path) -> None:
    path = tmp_path / "data.pkl"
    path.write_bytes(MAGIC + HEAD.pack(kind, 7, 7, 1, 1, 3) + b"{x}")
    with pytest.raises(DatasetError, match="damaged at byte"):
        Dataset.load(path)


def test_every_cut_of_a_file_is_read_or_refused(tmp_path: Path) -> None:
    with Dataset.create(str(tmp_path / "data.pkl")) as dataset:
        for tick in range(3):
            dataset.append("x", {"a": np.arange(3), "t": tick}, tick)
    data = (tmp_path / "data.pkl").read_bytes()
    cut = tmp_path / "cut.pkl"
    for length in range(len(data)):
        cut.write_bytes(data[:length])
        try:
            with pytest.warns() if length > len(MAGIC) else pytest.raises(DatasetError):
                loaded = Dataset.load(cut)
                if "x" in loaded:
                    assert [value["t"] for value in loaded["x"]] == list(range(len(loaded["x"])))
        except pytest.fail.Exception:  # no warning: the cut is between two values
            continue


def test_every_flipped_byte_is_read_or_refused(tmp_path: Path) -> None:
    value = {"a": np.arange(3.0), "b": [1, "x", (2.5, None)], "c": array.array("f", [1])}
    data = dumps(value)
    for at in range(len(data)):
        for flip in (1, 0x80, 0xFF):
            flipped = bytearray(data)
            flipped[at] ^= flip
            try:
                loads(bytes(flipped))
            except DatasetError as error:
                assert "\n" not in str(error)


def test_plain_values_of_any_depth_come_back() -> None:
    value: Any = {
        "set": {1, 2},
        "frozen": frozenset({3, 4}),  # of strings the order would vary
        "tuple": (1, (2.5, None)),
        "big": 10**40,
        "nan": math.nan,
        "bytes": bytearray(b"ab"),
        "complex": 1 + 2j,
        "scalar": np.float32(0.1),
        "array": np.arange(4).reshape(2, 2)[:, ::-1],
        "typed": array.array("d", [1.5]),
        (1, 2): "tuple key",
        "shared": [1] * 3,
    }
    back = loads(dumps(value))
    assert repr(back) == repr(value)
    assert back["array"].flags.writeable
