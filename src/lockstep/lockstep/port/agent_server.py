"""The steps of porting as tools of an MCP server (https://modelcontextprotocol.io), for coding
agents.

A tool runs the `lockstep` command of the same name in the workspace, in a process of its own and
without a shell, so that it sees the sources as they are now and nothing that a component prints
disturbs the protocol.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, Field

from .. import __version__
from ..bag import BagError
from ..errors import DIFFERENT, MATCH, PortError, UsageError
from .confined import Workspace
from .section import BUDGET

if TYPE_CHECKING:
    from mcp.server import MCPServer

_PATIENCE_S = 600
_INSTRUCTIONS = (
    "Port a verified Python component to another language: read its contract, get the prompt with "
    "all that is needed, write the scaffold and fill it in, build it, verify it against the "
    "reference, and ask for the counterexample while it differs. Paths are relative to the "
    "workspace."
)
Language = Annotated[Literal["cpp"], Field(description="The target language.")]
Component = Annotated[
    str, Field(description="MODULE:CLASS, or MODULE:FUNCTION, of a module in the workspace.")
]
VerifyFile = Annotated[str, Field(description="Path of a verify.yaml in the workspace.")]
OwnVerifyFile = Annotated[
    str, Field(description="Path of its verify.yaml; empty: one in the workspace.")
]


class Answer(BaseModel):
    """What a step said: exit code 0 is good, 1 means that implementations differ."""

    exit_code: int
    text: str


def agent_server(folder: Path) -> MCPServer:
    """A server that works in one folder; raises PortError if the package `mcp` is missing."""
    try:
        from mcp.server import MCPServer
        from mcp.server.mcpserver.exceptions import ToolError
    except ImportError as error:
        raise PortError(
            f"the MCP server needs the package mcp 2 ({error}); pip install 'mcp>=2'"
        ) from error
    workspace = Workspace(folder)
    server: MCPServer = MCPServer(
        "lockstep", instructions=_INSTRUCTIONS, version=__version__, log_level="WARNING"
    )

    def answer(words: Callable[[], list[str]]) -> Answer:
        try:
            return _run(workspace, words())
        except (UsageError, BagError) as error:
            raise ToolError(str(error)) from error

    @server.tool()
    def contract(
        component: Component,
        other: Annotated[
            str,
            Field(description="MODULE:CLASS or PACKAGE/EXECUTABLE to hold against it, or empty."),
        ] = "",
    ) -> Answer:
        """The contract of a component as JSON, or how another implementation's differs from it."""

        def words() -> list[str]:
            check = workspace.component if ":" in other else workspace.executable
            return ["contract", workspace.component(component), *([check(other)] if other else [])]

        return answer(words)

    @server.tool()
    def prompt(
        component: Component,
        to: Language = "cpp",
        verify: OwnVerifyFile = "",
        budget: Annotated[int, Field(gt=0, description="Tokens that it may have.")] = BUDGET,
    ) -> Answer:
        """All that is needed to port a component: contract, source, numeric rules, API, samples,
        tests, commands."""
        return answer(
            lambda: [
                "prompt",
                workspace.component(component),
                "--to",
                to,
                "--budget",
                str(budget),
                *_verification(workspace, component, verify),
            ]
        )

    @server.tool()
    def scaffold(
        component: Component,
        output: Annotated[str, Field(description="Folder that gets the package, such as src.")],
        to: Language = "cpp",
        verify: OwnVerifyFile = "",
    ) -> Answer:
        """Write the package of a port that is still to be written; never over one that exists."""
        return answer(
            lambda: [
                "scaffold",
                workspace.component(component),
                "--to",
                to,
                "-o",
                str(workspace.path(output)),
                *_verification(workspace, component, verify),
            ]
        )

    @server.tool()
    def verify(file: VerifyFile) -> Answer:
        """Run the implementations on the same inputs and compare their outputs; tells the folder of
        the results."""

        def words() -> list[str]:
            path = workspace.verification(file)
            run = Path(
                "runs", f"{path.stem}-{time.strftime('%Y%m%d-%H%M%S')}-{time.time_ns() % 10**9}"
            )
            return ["verify", str(path), "-o", str(workspace.path(str(run)))]

        return answer(words)

    @server.tool()
    def counterexample(
        run: Annotated[str, Field(description="The folder that verify has told.")],
        budget: Annotated[int, Field(gt=0, description="Tokens that it may have.")] = BUDGET,
    ) -> Answer:
        """What differs first after a red verdict: fields, inputs before, diagnosis, and the lines
        involved."""

        def words() -> list[str]:
            path, file = workspace.run(run)
            declared = ["--verify", str(file)] if file is not None else []
            return ["prompt", "--fix", str(path), "--budget", str(budget), *declared]

        return answer(words)

    return server


def _verification(workspace: Workspace, component: str, text: str) -> list[str]:
    """The options that name a verify.yaml which is checked, so that no other is looked for."""
    file = workspace.verification(text) if text else workspace.verification_of(component)
    return ["--verify", str(file)] if file is not None else ["--drawn"]


def _run(workspace: Workspace, words: list[str]) -> Answer:
    """Run a lockstep command; raises PortError with its sentence if it is refused or fails."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "lockstep.cli.main", *words],
            cwd=workspace.folder,
            env={**os.environ, "COLUMNS": "200", "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PortError(f"lockstep {words[0]} did not end within {_PATIENCE_S} s") from error
    if done.returncode not in (MATCH, DIFFERENT):
        sentence = done.stderr.strip() or f"it ended with {done.returncode}"
        raise PortError(sentence.removeprefix("error: "))
    return Answer(exit_code=done.returncode, text=done.stdout)
