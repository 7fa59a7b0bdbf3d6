"""What nodes register, however many topics they have."""

import pytest
from lockstep.component import Contract
from lockstep.errors import UsageError
from lockstep.run.nodes.endpoints import Endpoint, differences
from lockstep.run.nodes.ports import port_names, ports

STRING = "std_msgs/msg/String"


def endpoint(kind: str, name: str) -> Endpoint:
    return Endpoint(kind, name, STRING, "", "/node", 10, "reliable", "volatile")


def test_ten_thousand_topics_are_read_and_kept_in_no_time() -> None:
    """Not in a quarter of an hour."""
    endpoints = [endpoint("publisher", f"/many{number}/out") for number in range(10_000)]
    declared = tuple(ports(endpoints, "publisher"))
    assert declared[1_234].name == "many1234_out"
    contract = Contract("node", (), declared, (), ())
    assert differences(contract, endpoints, frozenset()) == []
    (lacking,) = differences(contract, endpoints[1:], frozenset())
    assert lacking.startswith("it does not publish /many0/out (but /many1/out, ")


def test_topics_whose_ports_would_have_one_name_are_told_apart_or_refused() -> None:
    assert port_names(["/a/b", "/a_b", "/c"]) == {"/a/b": "a__b", "/a_b": "a_b", "/c": "c"}
    with pytest.raises(UsageError, match=r"the ports of topics /a/b and /a__b would both be"):
        port_names(["/a/b", "/a__b", "/a_b"])
