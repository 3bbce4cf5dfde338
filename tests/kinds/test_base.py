"""What each kind says of its objects, by the contract of `Kind`."""

import pytest

from leadstate.kinds import KINDS
from leadstate.kinds.base import Kind
from leadstate.kinds.label import LABEL
from leadstate.kinds.lead import LEAD
from leadstate.model.diagnostics import ReportError
from leadstate.report import document as doc
from leadstate.report.journal import receipt_of

ID = "1b4e28ba-2fa1-11d2-883f-b9a761bde3fb"
ANSWERED = {
    LABEL.name: {"id": ID, "name": "Hot", "color": "red"},
    LEAD.name: {"id": ID, "title": "Acme", "label_ids": [ID]},
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.name)
def test_every_decoded_attribute_has_a_form_in_receipts(kind: Kind) -> None:
    assert kind.decode(ANSWERED[kind.name]).attrs.keys() == kind.form.model_fields.keys()
    assert kind.references.keys() | kind.needed_to_recreate <= kind.form.model_fields.keys()


def test_a_kind_refers_only_to_kinds_before_it() -> None:
    names = list(KINDS)
    for place, kind in enumerate(KINDS.values()):
        assert set(kind.references.values()) <= set(names[:place])


def test_a_receipt_of_a_deleted_label_without_its_color_is_refused() -> None:
    touch = doc.Touch(kind="label", remote_id=ID, before={"name": "Hot"})
    with pytest.raises(ReportError, match="a deleted label without its color and name"):
        receipt_of(doc.Account(account="emea", company="acme.pipedrive.com", touched=(touch,)), "receipt.json")


def test_a_receipt_with_a_value_of_another_form_is_refused() -> None:
    touch = doc.Touch(kind="lead", remote_id=ID, before={"labels": ["../users/me"]}, after={})
    with pytest.raises(ReportError, match="labels of a lead is"):
        receipt_of(doc.Account(account="emea", company="acme.pipedrive.com", touched=(touch,)), "receipt.json")
