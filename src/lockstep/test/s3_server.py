"""A server of S3 as a process on this machine, for tests of what is behind s3://."""

import contextlib
import socket
import subprocess
import sys
import time
from importlib.util import find_spec

import pytest

_MISSING = [
    name for name in ("moto", "flask", "flask_cors", "boto3", "s3fs") if find_spec(name) is None
]
needs_s3 = pytest.mark.skipif(bool(_MISSING), reason=f"{', '.join(_MISSING)} not installed")


@pytest.fixture(scope="module")
def bucket():
    """The bucket s3://drives; yields the function that puts a folder there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        try:
            for _ in range(300):
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.1)
            import boto3

            client = boto3.client("s3")
            client.create_bucket(Bucket="drives")

            def put(folder, prefix):
                for file in folder.iterdir():
                    client.upload_file(str(file), "drives", f"{prefix}/{file.name}")

            yield put
        finally:
            process.terminate()
            process.wait()
