"""`lockstep mcp`."""

from __future__ import annotations

from pathlib import Path

from ..port.agent_server import agent_server


def command() -> None:
    """Serve the steps of porting to coding agents, as tools over MCP on stdin and stdout.

    The tools are contract, prompt, scaffold, verify and counterexample. They work in the folder in
    which the server is started, run components of it alone, and refuse whatever leads out of it.
    Needs the package mcp.

    **Examples**

    lockstep mcp
    """
    agent_server(Path.cwd()).run("stdio")
