"""Which topics of a bag go to which inputs."""

import pytest
from lockstep.bag import Bag
from lockstep.component import contract_of
from lockstep.errors import UsageError
from lockstep.message.definitions import definition
from lockstep.run.inputs import run_inputs
from lockstep.run.model import Inputs
from made_bags import write_payloads
from planted import Join

VECTOR = "geometry_msgs/msg/Vector3Stamped"


def test_an_input_that_the_bag_lacks_may_be_left_out_if_it_is_silent(tmp_path):
    write_payloads(tmp_path / "bag", VECTOR, definition(VECTOR), [(1, bytes(4))], topic="/a")
    first, second = contract_of(Join).inputs
    declared = Inputs(bag=tmp_path / "bag", topics={first.name: "/a"})
    with Bag(tmp_path / "bag") as bag:
        with pytest.raises(UsageError, match=rf"leave it out .*silent: \[{second.name}\]"):
            run_inputs(declared, bag, contract_of(Join))
        left_out = declared.model_copy(update={"silent": [second.name]})
        inputs = run_inputs(left_out, bag, contract_of(Join))
    assert inputs.topics == {"/a": f"/{first.topic}"}
