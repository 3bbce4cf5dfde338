"""Which field a name means, where a server's list of fields is malformed."""

import pytest

from leadstate.engine.fields import the_one
from leadstate.kinds.custom_field import UNREADABLE, CustomField, CustomFields
from leadstate.kinds.custom_value import Unfit

FIELDS = CustomFields(
    [
        CustomField("a", "Score", "double"),
        CustomField("", "Broken", UNREADABLE),
        CustomField("", "Broken too", UNREADABLE),
    ]
)


def test_a_malformed_field_is_an_error_of_those_who_declare_it() -> None:
    assert the_one("Score", FIELDS).key == "a"
    with pytest.raises(Unfit, match="cannot be understood"):
        the_one("Broken", FIELDS)
