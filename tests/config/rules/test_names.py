"""What is said of objects whose names clash."""

from dataclasses import replace
from pathlib import Path

import pytest

from leadstate.config.rules.names import NamedHere, Names, check_names
from leadstate.config.rules.scope import Directory, Problems
from leadstate.config.validate import Entry
from leadstate.config.yaml.diagnostics import Diagnostics, Source
from leadstate.config.yaml.nodes import read_nodes
from leadstate.kinds.label import LABEL, LabelSpec
from leadstate.kinds.named import NamedSpec
from leadstate.model.diagnostics import Severity


@pytest.mark.parametrize(("spec", "offered"), [(LabelSpec, True), (NamedSpec, False)])
def test_names_alike_offer_merge_from_only_for_a_kind_that_has_it(spec: type[NamedSpec], offered: bool) -> None:  # noqa: FBT001  a parameter of the test
    source, diagnostics = Source("f.yaml", "Hot: {name: Hot}\nHOT: {name: HOT}\n", Path()), Diagnostics()
    root = read_nodes(source, diagnostics)
    assert root is not None
    here = []
    for name in root.value:
        # Made as absent, since a label that is present needs a colour.
        item = spec(name=name, state="absent").model_copy(update={"state": "present"})
        here.append(NamedHere(Entry(item, root.find((name,))), "a", 1, name, name, item))
    problems = Problems(Directory(("a",), {"a": 1}, {}, frozenset({"a"}), any_tag=False))
    check_names(Names(replace(LABEL, spec=spec), here), problems)
    problems.report(diagnostics)
    (found,) = diagnostics.sorted(Severity.WARNING)
    assert found.code == "labels-alike"
    assert ("merge_from" in found.hint) is offered
