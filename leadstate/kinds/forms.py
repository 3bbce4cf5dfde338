"""The forms of attributes in reports and receipts, as predicates: a receipt may have been edited."""

from leadstate.pipedrive.operations import UUID


def is_text(value: object) -> bool:
    """Return whether a value is text."""
    return isinstance(value, str)


def is_text_or_none(value: object) -> bool:
    """Return whether a value is text or null."""
    return value is None or isinstance(value, str)


def is_whole_or_none(value: object) -> bool:
    """Return whether a value is a whole number or null."""
    return value is None or (isinstance(value, int) and not isinstance(value, bool))


def is_flag(value: object) -> bool:
    """Return whether a value is true or false."""
    return isinstance(value, bool)


def is_flag_or_none(value: object) -> bool:
    """Return whether a value is true, false or null."""
    return value is None or isinstance(value, bool)


def is_ids(value: object) -> bool:
    """Return whether a value is a list of ids."""
    return isinstance(value, list) and all(
        isinstance(remote_id, str) and UUID.fullmatch(remote_id) for remote_id in value
    )


def is_money_or_none(value: object) -> bool:
    """Return whether a value is an amount with its currency, or null."""
    return value is None or (
        isinstance(value, dict)
        and value.keys() == {"amount", "currency"}
        and isinstance(value["amount"], int | str)
        and isinstance(value["currency"], str)
    )
