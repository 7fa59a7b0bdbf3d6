"""The pytest plugin `lockstep`: the fixture `component`, once for each implementation of a
verify.yaml (docs/testing.md).

It is loaded by every run of pytest where Lockstep is installed, so what only its fixtures need is
imported there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..verify.model import Verification
    from .component_under_test import ComponentUnderTest
    from .implementations import Implementations

_FIXTURE = "_lockstep_implementation"
_EXAMPLE = 'pytestmark = pytest.mark.lockstep("verify.yaml")'
_MARKS = (
    (
        "lockstep(file): the verify.yaml, relative to the test's file, whose implementations the "
        "fixture component runs"
    ),
    (
        "parameters({name: value}, name=value): parameters of the fixture component, over those of "
        "the "
        "verify.yaml"
    ),
)


_TESTABLE = (
    "only components can be unit-tested, and ordinary nodes with run: {mode: direct} and without "
    "--live"
)


class _Files:
    """The verify.yaml files of this session."""

    def __init__(self) -> None:
        self.loaded: dict[Path, Verification] = {}

    def load(self, file: Path) -> Verification:
        from ..verify.model import load

        if file not in self.loaded:
            self.loaded[file] = load(file)
        return self.loaded[file]


_files = pytest.StashKey[_Files]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of `pytest --help`."""
    group = parser.getgroup("lockstep", "components of a verify.yaml (fixture component)")
    group.addoption(
        "--verify", metavar="FILE", help="the verify.yaml of all tests, instead of their own"
    )
    group.addoption(
        "--implementations", metavar="NAME,NAME", help="which implementations (default: all)"
    )
    group.addoption(
        "--live",
        action="store_true",
        help="run each test on a real ROS graph, in lockstep, instead of direct",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    config.stash[_files] = _Files()
    for mark in _MARKS:
        config.addinivalue_line("markers", mark)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each implementation."""
    if _FIXTURE not in metafunc.fixturenames:
        return
    from ..errors import UsageError
    from .implementations import testable

    file = _file(metafunc)
    try:
        verification = metafunc.config.stash[_files].load(file)
    except UsageError as error:
        raise pytest.Collector.CollectError(str(error)) from error
    there = testable(verification, live=_is_live(metafunc.config))
    if not there:
        raise pytest.Collector.CollectError(f"{file}: all implementations are nodes; {_TESTABLE}")
    chosen = _chosen(metafunc.config)
    names = [name for name in there if chosen is None or name in chosen]
    if names:
        values: list[Any] = [pytest.param((file, name), id=name) for name in names]
    else:
        reason = f"{file.name} has {', '.join(there)} only"
        values = [pytest.param(None, id="none", marks=pytest.mark.skip(reason))]
    metafunc.parametrize(_FIXTURE, values, indirect=True)


def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """Refuse names of implementations that no verify.yaml has, and those that cannot be driven."""
    verifications = config.stash[_files].loaded.values()
    chosen = _chosen(config)
    if chosen is None or not verifications:
        return
    from .implementations import testable

    is_live = _is_live(config)
    there = {name: None for v in verifications for name in testable(v, live=is_live)}
    others = {name for v in verifications for name in v.implementations} - there.keys()
    for name in chosen:
        if name in others:
            raise pytest.UsageError(f"--implementations: '{name}' is a black box; {_TESTABLE}")
        if name not in there:
            raise pytest.UsageError(
                f"--implementations: there is no '{name}', but {', '.join(there) or 'none'}"
            )


@pytest.fixture(scope="session")
def _lockstep_implementations(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Implementations]:
    from .implementations import Implementations

    folder = tmp_path_factory.mktemp("lockstep")
    implementations = Implementations(folder, live=_is_live(request.config))
    yield implementations
    implementations.close()


@pytest.fixture
def _lockstep_implementation(request: pytest.FixtureRequest) -> tuple[Path, str]:
    chosen: tuple[Path, str] = request.param
    return chosen


@pytest.fixture
def component(
    request: pytest.FixtureRequest,
    _lockstep_implementation: tuple[Path, str],
    _lockstep_implementations: Implementations,
) -> Iterator[ComponentUnderTest]:
    """A component under test, new for each test; see docs/testing.md."""
    from ..errors import RunError, UsageError
    from .component_under_test import component_under_test
    from .implementations import parameters_of

    file, name = _lockstep_implementation
    verification = request.config.stash[_files].load(file)
    parameters = {**parameters_of(verification, name), **_marked(request.node)}
    wrong = ""
    with ExitStack() as stack:
        try:
            harness = _lockstep_implementations.harness(file, verification, name)
            made = stack.enter_context(component_under_test(name, harness, parameters))
        except (RunError, UsageError, LookupError) as error:
            wrong = str(error)
        if wrong:  # told without the errors behind it
            pytest.fail(wrong, pytrace=False)
        yield made


def _is_live(config: pytest.Config) -> bool:
    return bool(config.getoption("--live"))


def _chosen(config: pytest.Config) -> list[str] | None:
    option: str | None = config.getoption("--implementations")
    return None if option is None else [name.strip() for name in option.split(",")]


def _file(metafunc: pytest.Metafunc) -> Path:
    """The verify.yaml of a test."""
    config, node = metafunc.config, metafunc.definition
    option: str | None = config.getoption("--verify")
    if option is not None:
        return (config.invocation_params.dir / option).resolve()
    mark = node.get_closest_marker("lockstep")
    if mark is None:
        raise pytest.Collector.CollectError(
            f"{node.name} uses the fixture component, so say of which verify.yaml: {_EXAMPLE}, or "
            "--verify FILE"
        )
    if len(mark.args) != 1 or mark.kwargs or not isinstance(mark.args[0], (str, Path)):
        raise pytest.Collector.CollectError(
            f"{node.name}: the mark lockstep takes one file: {_EXAMPLE}"
        )
    return (node.path.parent / mark.args[0]).resolve()


def _marked(node: pytest.Item) -> dict[str, Any]:
    """The values of the marks `parameters` of a test, those of its module and class below its
    own."""
    values: dict[str, Any] = {}
    for mark in reversed(list(node.iter_markers("parameters"))):
        for given in mark.args:
            if not isinstance(given, dict):
                pytest.fail(
                    f"the mark parameters takes name=value, or a dict, not {given!r}", pytrace=False
                )
            values |= given
        values |= mark.kwargs
    return values
