"""What can be said of how to run."""

import pytest
from lockstep.errors import UsageError
from lockstep.verify.model import load

FILE = """implementations: {{a: {{{kind}}}}}
reference: a
contract: some:Component
inputs: {{bag: bag, topics: {{a: /a}}}}
run: {{{run}}}
"""


def test_a_black_box_may_be_given_more_time_to_answer(tmp_path):
    file = tmp_path / "verify.yaml"
    for run, quiet in (("rtf: 1.0", None), ("rtf: 1.0, quiet: 20", 20)):
        file.write_text(FILE.format(kind="command: [node]", run=run))
        assert load(file).run.quiet == quiet
    file.write_text(FILE.format(kind='component: "some:Component"', run="mode: direct, quiet: 20"))
    with pytest.raises(UsageError, match="quiet has no meaning in mode direct"):
        load(file)
