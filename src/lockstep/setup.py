from setuptools import find_packages, setup

package = "lockstep"
nodes = ["player", "recorder", "comparator", "host", "simulation"]

setup(
    name="lockstep-ros",  # "lockstep" is another project's on PyPI; colcon goes by package.xml
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    package_data={
        package: [
            "py.typed",
            "run/*.xml",
            "report/templates/*",
            "view/templates/*",
            "port/templates/*/*",
        ],
    },
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{package}"]),
        (f"share/{package}", ["package.xml"]),
        ("bin", ["bin/lockstep"]),
        # For `ros2 run`. No console_scripts: pip would put words such as `host` on PATH.
        (f"lib/{package}", [f"bin/{node}" for node in nodes]),
    ],
    install_requires=[  # for `pip install` without ROS; in a workspace tools/setup provides them
        "fsspec",
        "jinja2",
        "lz4",
        "matplotlib",
        "mcap",
        "numpy",
        "pillow",
        "plotly",
        "pydantic>=2.7",
        "PyYAML",
        "rich",
        "rosbags",
        "scipy",
        "typer",
        "zstandard",
    ],
    extras_require={
        "test": ["pytest"],  # tells colcon test to run pytest
        "fuzz": ["coverage", "hypothesis"],  # lockstep fuzz
        "mcp": ["mcp>=2"],  # lockstep mcp
        "suite": ["duckdb", "loky"],  # lockstep suite and results
        "rerun": ["rerun-sdk"],  # lockstep compare --rrd
        "ray": ["ray[client]"],  # lockstep suite --on ray
        "dask": ["distributed"],  # lockstep suite --on dask://…
        "nn": ["onnx", "onnxruntime", "torch"],  # examples/nn_compile
    },
    zip_safe=True,
    maintainer="Lockstep developers",
    maintainer_email="lockstep-developers@example.com",
    description="Proves that a re-implemented ROS 2 node is a drop-in replacement.",
    license="Apache-2.0",
    entry_points={
        "console_scripts": ["lockstep = lockstep.cli.main:main"],
        # By the name of its module, so that `-p` and pytest_plugins do not load it twice.
        "pytest11": ["lockstep.testing.plugin = lockstep.testing.plugin"],
    },
)
