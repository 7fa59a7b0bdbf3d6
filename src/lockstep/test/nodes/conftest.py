import pytest
from lockstep.run.domain import isolated_domain
from observed_graph import Graph


@pytest.fixture
def graph(monkeypatch):
    with isolated_domain() as environment:
        monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
        graph = Graph(environment)
        yield graph
        graph.close()
