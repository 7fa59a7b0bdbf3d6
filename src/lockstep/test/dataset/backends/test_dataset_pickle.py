"""Files of both versions are read, and hostile ones refused: nothing of what they ask for
happens."""

import array
import io
import json
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
from lockstep.dataset.backends import plain_value
from lockstep.dataset.backends.pickle import (
    FORM,
    HEAD,
    KEY,
    MAGIC,
    MAGIC_OF_PICKLES,
    VALUE,
)
from lockstep.dataset.backends.restricted_pickle import loads

T0 = 1_700_000_000_000_000_000
VERSION_1 = Path(__file__).with_name("version_1.pkl")
"""Written by a version of Lockstep that stored values as pickles."""
PLAIN = {
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


def file_with(payload: bytes, path: Path, magic: bytes, form: bytes = b"") -> Path:
    """A file with one value, and perhaps one form."""
    key = b'"x"'
    declared = HEAD.pack(FORM, 0, 0, 0, 0, len(form)) + form if form else b""
    path.write_bytes(
        magic
        + declared
        + HEAD.pack(KEY, 0, 0, 0, 0, len(key))
        + key
        + HEAD.pack(VALUE, 0, 0, 1, 1, len(payload))
        + payload
    )
    return path


def dumps(value: Any) -> bytes:
    """A value without messages, as files have it."""
    return plain_value.dumps(value, lambda form: 0)


def long_memo() -> bytes:
    """Makes the C unpickler allocate 64 GB for its memo."""
    return b"\x80\x05Nr" + struct.pack("<I", 2**32 - 1) + b"."


def nested_tuples(depth: int, width: int) -> bytes:
    """A dict whose key is (t, …) with t = (u, …) and so on: `width` times the same one, found in
    the memo."""
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


PICKLED = (
    b"\x80\x05}(\x8c\x01a](\x8c\x07ndarray\x8c\x03<f8](K\x03eC\x18"
    + np.arange(3.0).tobytes()
    + b"eQ\x8c\x01b](K\x01\x8c\x01x](\x8c\x05tuple](G@\x04\0\0\0\0\0\0NeeQeu."
)
"""A dict of an array and a list with a tuple, as version 1 wrote it."""
HOSTILE_VALUES = {
    "no JSON": b"touch {}\0",
    "nothing": b"",
    "a pickle": pickle.dumps(Call(os.system, "touch {}")),
    "unknown kind": b'{"call":["os","system","touch {}"]}\0',
    "two kinds": b'{"tuple":[],"list":[]}\0',
    "no kind": b"{}\0",
    "array of objects": b'{"ndarray":["|O",[1],0,8]}\00012345678',
    "array in a structure of objects": b"{\"ndarray\":[\"[('a', '|O')]\",[1],0,8]}\00012345678",
    "array larger than its bytes": b'{"ndarray":["<f8",[1000000000000],0,8]}\00012345678',
    "array of nothing": b'{"ndarray":["S0",[1000000000000],0,0]}\0',
    "array of negative shape": b'{"ndarray":["<f8",[-1,-1],0,8]}\00012345678',
    "array of many dimensions": b'{"ndarray":["<f8",[' + b"1," * 99 + b"1],0,8]}\00012345678",
    "array of code": b'{"ndarray":["[__import__(\'os\')]",[1],0,0]}\0',
    "array beyond the end": b'{"ndarray":["<f8",[1],0,8]}\0001234567',
    "bytes before the beginning": b'{"bytes":[-1,1]}\00012345678',
    "bytes from their end on": b'{"bytes":[3,1]}\00012345678',
    "bytes of no number": b'{"bytes":["0","1"]}\00012345678',
    "unknown typecode": b'{"array":["q!",0,8]}\00012345678',
    "a key that cannot be one": b'{"dict":[[[1],2]]}\0',
    "half a pair": b'{"dict":[[1]]}\0',
    "a member that cannot be one": b'{"set":[{"dict":[]}]}\0',
    "nested too deeply": b"[" * 100_000 + b"]" * 100_000 + b"\0",
    "tuples in tuples": b'{"tuple":[' * 100_000 + b"]}" * 100_000 + b"\0",
    "huge number": b"9" * 10_000 + b"\0",
    "a form that is not declared": b'{"message":[7,0,8]}\00012345678',
    "no CDR": b'{"message":[0,0,8]}\00012345678',
}
STRING = {
    "type": "std_msgs/msg/String",
    "definition": "string data\n",
    "encoding": "ros2msg",
    "type_hash": "",
    "message_encoding": "cdr",
}


@pytest.mark.parametrize("name", HOSTILE_VALUES)
def test_a_hostile_value_is_refused_in_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    payload = HOSTILE_VALUES[name].replace(b"touch {}", b"touch t ")
    monkeypatch.chdir(tmp_path)
    form = json.dumps(STRING).encode()
    dataset = Dataset.load(file_with(payload, tmp_path / "hostile.pkl", MAGIC, form))
    with pytest.raises(DatasetError) as refused:
        list(dataset["x"])
    assert "\n" not in str(refused.value)
    assert "key x" in str(refused.value)
    assert [path.name for path in tmp_path.iterdir()] == ["hostile.pkl"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_in_a_sentence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touched = tmp_path / "touched"
    payload = HOSTILE[name].replace(b"touch {}", b"touch t ")
    monkeypatch.chdir(tmp_path)
    dataset = Dataset.load(file_with(payload, tmp_path / "hostile.pkl", MAGIC_OF_PICKLES))
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
    form = json.dumps({**STRING, "type": "evil_msgs/msg/System"}).encode()
    payload = b'{"message":[0,0,10]}\0\0\1\0\0\2\0\0\0a\0'
    (message,) = Dataset.load(file_with(payload, tmp_path / "evil.pkl", MAGIC, form))["x"]
    assert message.data == "a"
    assert "evil_msgs" not in sys.modules


def test_pickles_of_others_are_no_datasets(tmp_path: Path) -> None:
    (tmp_path / "other.pkl").write_bytes(pickle.dumps({"x": 1}))
    with pytest.raises(DatasetError, match="no dataset that Lockstep wrote"):
        Dataset.load(tmp_path / "other.pkl")


def test_a_length_beyond_the_end_is_a_cut_off_file(tmp_path: Path) -> None:
    path = file_with(dumps(1), tmp_path / "data.pkl", MAGIC)
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


def test_every_flipped_byte_is_read_or_refused() -> None:
    value = {"a": np.arange(3.0), "b": [1, "x", (2.5, None)], "c": array.array("f", [1])}
    for data, read in ((dumps(value), lambda data: plain_value.loads(data, [])), (PICKLED, loads)):
        assert repr(read(data)["b"]) == repr(value["b"])
        for at in range(len(data)):
            for flip in (1, 0x80, 0xFF):
                flipped = bytearray(data)
                flipped[at] ^= flip
                try:
                    read(bytes(flipped))
                except DatasetError as error:
                    assert "\n" not in str(error)


def test_plain_values_of_any_depth_come_back() -> None:
    back = plain_value.loads(dumps(PLAIN), [])
    assert repr(back) == repr(PLAIN)
    assert back["array"].flags.writeable


@pytest.mark.parametrize("value", ["", "\0", "\ud800 alone", "Grüße\n", '{"dict":[]}', -0.0, True])
def test_texts_and_numbers_that_json_is_strange_about_come_back(value: Any) -> None:
    back = plain_value.loads(dumps([value, {value: value}]), [])
    assert repr(back) == repr([value, {value: value}])


def test_what_cannot_be_stored_is_said_before_anything_is_written(tmp_path: Path) -> None:
    circle: list[Any] = []
    circle.append(circle)
    with Dataset.create("pickle", tmp_path / "data.pkl") as dataset:
        dataset.append("x", 1, T0)
        for value, said in (
            (circle, "nested too deeply"),
            (10**5000, "digits"),
            (Path("/tmp"), "a PosixPath cannot be stored"),
            (Path, "a Path cannot be stored"),
            (np.array([None]), "arrays of objects cannot be stored"),
        ):
            with pytest.raises(DatasetError, match=said):
                dataset.append("x", {"value": value}, T0)
    assert list(Dataset.load(tmp_path / "data.pkl")["x"]) == [1]


def test_a_file_of_version_1_is_read() -> None:
    dataset = Dataset.load(VERSION_1)
    (plain,) = dataset["plain"]
    assert repr(plain) == repr(PLAIN)
    assert plain["array"].flags.writeable
    (imu,) = dataset["/imu/acceleration"]
    assert imu.header.frame_id == "imu_link"
    assert dataset["message"].times("publish").tolist() == [T0]


def test_messages_of_a_file_of_version_1_are_read_and_written_anew(tmp_path: Path) -> None:
    vectors = pytest.importorskip("geometry_msgs.msg", reason="there is no ROS here")
    old = Dataset.load(VERSION_1)
    for dataset in (old, old.select(["plain", "message", "within"]).save(tmp_path / "new.pkl")):
        (message,), (within,) = dataset["message"], dataset["within"]
        assert type(message) is vectors.Vector3Stamped
        assert (message.vector.x, message.header.stamp.sec) == (1.5, 5)
        assert within == {"messages": [message], "text": "Grüße\n"}
    assert repr(dataset["plain"][0]) == repr(PLAIN)
