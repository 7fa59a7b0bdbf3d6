import contextlib
import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from importlib.util import find_spec

import pytest
import zstandard
from lockstep.bag import Bag, BagError, BagWriter
from lockstep.bag.bag_files import bag_files
from lockstep.bag.source import open_source
from lockstep.bag.storage.mcap import McapFile
from lockstep.bag.storage.sqlite3 import Sqlite3File
from rosbags.rosbag2 import StoragePlugin, Writer
from s3_server import bucket, needs_s3

__all__ = ["bucket"]
COUNT = 8000


def has(*packages):
    missing = [name for name in packages if find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)} not installed")


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """A bag of 8 MB with two topics one after the other, not compressible."""
    folder = tmp_path_factory.mktemp("big") / "big"
    with BagWriter(folder, compression="none", chunk_bytes=1 << 17) as writer:
        for name in ("/a", "/b"):
            writer.add_topic(name, "std_msgs/msg/String", "string data")
        for n in range(COUNT):
            topic = "/a" if n < COUNT * 9 // 10 else "/b"
            writer.write(topic, b"\0\1\0\0\xe8\3\0\0" + os.urandom(1000), n * 1_000_000)
    return folder


class Server(http.server.ThreadingHTTPServer):
    """Serves a folder, with ranges or without, and counts what it sends."""

    daemon_threads = True
    sent = 0
    ranges = True


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder = ""

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = os.path.join(self.folder, self.path.partition("?")[0].lstrip("/"))
        if self.path.startswith("/denied"):
            return self.send_error(403)
        if self.path.startswith("/broken"):
            return self.send_error(500)
        if self.path.startswith("/silent"):
            time.sleep(20)
            return None
        if not os.path.isfile(path):
            return self.send_error(404)
        with open(path, "rb") as stream:
            data = stream.read()
        wanted = self.headers["Range"]
        self.send_response(206 if wanted and self.server.ranges else 200)
        if wanted and self.server.ranges:
            start, _, end = wanted.removeprefix("bytes=").partition("-")
            end = min(int(end), len(data) - 1)
            self.send_header("Content-Range", f"bytes {start}-{end}/{len(data)}")
            data = data[int(start) : end + 1]
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command == "GET":
            with contextlib.suppress(OSError):
                self.wfile.write(data)
                self.server.sent += len(data)
        return None

    do_HEAD = do_GET


@pytest.fixture
def server(tmp_path):
    handler = type("Here", (Handler,), {"folder": str(tmp_path)})
    with Server(("127.0.0.1", 0), handler) as running:
        running.url = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def same(url, folder):
    with Bag(url) as far, Bag(folder) as near:
        assert list(far.messages()) == list(near.messages())
        assert far.problem is None
        assert far.count


@has("fsspec", "aiohttp")
@pytest.mark.parametrize("ranges", [True, False])
def test_a_bag_is_read_over_http_with_ranges_and_without(bags, tmp_path, server, ranges):
    server.ranges = ranges
    near = bags / "gazebo_diff_drive"
    shutil.copytree(near, tmp_path / "drive")
    (tmp_path / "x.mcap.zstd").write_bytes(
        zstandard.compress((near / "gazebo_diff_drive_0.mcap").read_bytes())
    )
    same(f"{server.url}/drive", near)
    same(f"{server.url}/drive/", near)
    same(f"{server.url}/drive/gazebo_diff_drive_0.mcap", near)
    same(f"{server.url}/drive/gazebo_diff_drive_0.mcap?token=secret", near)
    same(f"{server.url}/x.mcap.zstd", near)


@has("fsspec", "aiohttp")
def test_only_what_is_wanted_comes_over_http(big, tmp_path, server):
    shutil.copytree(big, tmp_path / "big")
    size = (big / "big_0.mcap").stat().st_size
    with Bag(f"{server.url}/big") as bag:
        assert bag.count == COUNT
        assert server.sent < size / 20
        server.sent = 0
        assert len(list(bag.messages(["/b"]))) == COUNT // 10
        assert server.sent < size / 7
        server.sent = 0
        chosen = list(bag.messages(start_ns=10**9, end_ns=10**9 + 10_000_000))
        assert len(chosen) == 10
        assert server.sent < size / 15


@has("fsspec", "aiohttp")
def test_without_ranges_a_file_comes_once(big, tmp_path, server):
    server.ranges = False
    shutil.copytree(big, tmp_path / "big")
    size = (big / "big_0.mcap").stat().st_size
    with Bag(f"{server.url}/big/big_0.mcap") as bag:
        assert len(list(bag.messages(["/b"]))) == COUNT // 10
        assert len(list(bag.messages(["/a"]))) == COUNT - COUNT // 10
    assert server.sent < 1.5 * size


@has("fsspec", "aiohttp")
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("gone.mcap", "does not exist"),
        ("gone", "does not exist"),
        ("denied.mcap", "may not be read with these credentials"),
        ("denied", "may not be read with these credentials"),
        ("broken.mcap", "its server says 500"),
        ("gone.mcap?token=secret", r"gone\.mcap does not exist"),
    ],
)
def test_what_goes_wrong_over_http_is_a_sentence(server, path, sentence):
    with pytest.raises(BagError, match=sentence) as caught:
        Bag(f"{server.url}/{path}")
    assert "secret" not in str(caught.value)


@has("fsspec", "aiohttp")
def test_a_server_that_is_silent_is_waited_for_only_so_long(server, monkeypatch):
    monkeypatch.setattr("lockstep.bag.url.TIMEOUT_S", 1)
    started = time.monotonic()
    with pytest.raises(BagError, match="did not answer within 1 s"):
        Bag(f"{server.url}/silent.mcap")
    assert time.monotonic() - started < 10


@has("fsspec", "aiohttp")
def test_a_server_that_is_not_there_is_a_sentence():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        with pytest.raises(BagError, match="cannot be reached; check the address"):
            Bag(f"http://127.0.0.1:{port}/x.mcap")
    with pytest.raises(BagError, match="cannot be reached; check the address"):
        Bag("http://no-such-host.invalid/x.mcap")


@has("fsspec")
def test_any_protocol_of_fsspec_serves(bags):
    import fsspec

    files = fsspec.filesystem("memory")
    near = bags / "gazebo_diff_drive"
    for file in near.iterdir():
        files.pipe(f"/logs/{near.name}/{file.name}", file.read_bytes())
    files.pipe("/logs/other/notes.txt", b"")
    same(f"memory://logs/{near.name}", near)
    same("memory://logs/*", near)
    same(f"memory://logs/{near.name}/*.mcap", near)
    files.rm(f"/logs/{near.name}/metadata.yaml")
    same(f"memory://logs/{near.name}", near)
    for path in ("memory://logs/other", "memory://logs/gone", "memory://logs/gone.mcap"):
        with pytest.raises(BagError, match=r"holds no|does not exist"):
            Bag(path)


@has("fsspec")
def test_an_unknown_protocol_is_a_sentence():
    with pytest.raises(BagError, match="has a protocol that is not known"):
        Bag("nonsense://x/y.mcap")


@pytest.mark.parametrize(
    ("package", "url", "sentence"),
    [
        ("fsspec", "s3://x/y.mcap", "needs the Python package fsspec; install it"),
        ("s3fs", "s3://x/y.mcap", "needs a Python package that is not installed: Install s3fs"),
        ("aiohttp", "https://x/y.mcap", "needs a Python package that is not installed"),
    ],
)
@has("fsspec")
def test_a_package_that_is_not_installed_is_named(package, url, sentence):
    code = f"""
import sys
sys.modules[{package!r}] = None
from lockstep.bag import Bag
Bag({url!r})
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert sentence in done.stderr.splitlines()[-1]
    assert done.stderr.splitlines()[-1].startswith("lockstep.errors.BagError: ")


@needs_s3
def test_a_bag_is_read_from_s3(bags, bucket):
    near = bags / "gazebo_diff_drive"
    bucket(near, "logs/2024/one")
    same("s3://drives/logs/2024/one", near)
    same("s3://drives/logs/2024/one/", near)
    same("s3://drives/logs/2024/one/gazebo_diff_drive_0.mcap", near)
    same("s3://drives/logs/2024*/*", near)
    same("s3://drives/logs/2024/one/*.mcap", near)


@needs_s3
def test_only_what_is_wanted_comes_from_s3(big, bucket, monkeypatch):
    import s3fs

    bucket(big, "big")
    size = (big / "big_0.mcap").stat().st_size
    sent = []
    cat_file = s3fs.S3FileSystem._cat_file

    async def counted(self, *arguments, **options):
        data = await cat_file(self, *arguments, **options)
        sent.append(len(data))
        return data

    monkeypatch.setattr(s3fs.S3FileSystem, "_cat_file", counted)
    s3fs.S3FileSystem.clear_instance_cache()
    with Bag("s3://drives/big") as bag:
        assert bag.count == COUNT
        assert len(list(bag.messages(["/b"]))) == COUNT // 10
    assert 0 < sum(sent) < size / 6
    sent.clear()
    file = McapFile(open_source("s3://drives/big/big_0.mcap"))
    assert sum(map(len, file.batches(start_ns=10**9, end_ns=10**9 + 10_000_000))) == 10
    assert 0 < sum(sent) < size / 12


@needs_s3
def test_an_sqlite_bag_is_read_from_s3_and_leaves_nothing(bags, bucket, tmp_path):
    with Bag(bags / "husky_acceleration") as near:
        [topic] = near.topics.values()
        with Writer(tmp_path / "x", version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
            connection = writer.add_connection(
                topic.name, topic.type, msgdef=topic.definition, rihs01=topic.type_hash
            )
            for message in near.messages():
                writer.write(connection, message.log_time_ns, message.data)
        bucket(tmp_path / "x", "sqlite")
        [name], _ = bag_files("s3://drives/sqlite")
        file = Sqlite3File(open_source(name))
        got = [data for batch in file.batches() for data in batch.payloads()]
        assert got == [message.data for message in near.messages()]


@needs_s3
@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("s3://drives/gone.mcap", "does not exist"),
        ("s3://drives/gone", "does not exist"),
        ("s3://no-such-bucket/x.mcap", "does not exist"),
        ("s3://drives/gone/*.mcap", "matches no bag"),
    ],
)
def test_what_is_not_in_s3_is_a_sentence(bucket, url, sentence):
    with pytest.raises(BagError, match=sentence):
        Bag(url)


@needs_s3
def test_missing_credentials_are_a_sentence(bucket):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_ACCESS")}
    del environment["AWS_SECRET_ACCESS_KEY"]
    code = "from lockstep.bag import Bag\nBag('s3://drives/x.mcap')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=environment | {"HOME": "/nonexistent"},
    )
    assert "BagError: s3://drives/x.mcap needs credentials; set AWS_" in done.stderr
