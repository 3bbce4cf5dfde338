"""What is said of each kind of mistake, as tables: type of error or key → code, summary, hint. No logic here."""

TYPES = {
    "string_type": "text",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping (`key: value`)",
    "model_type": "a mapping (`key: value`)",
    "model_attributes_type": "a mapping (`key: value`)",
}
LIMITS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
PATTERNS = {
    "namespace": ("bad-namespace", "begin with a-z or 0-9, then also `.`, `_` and `-`"),
    "key": ("bad-key", "begin with a-z or 0-9, then also `.`, `_` and `-`"),
    "email": ("bad-email", "write an address, as in jane@acme.test"),
    "currency": ("bad-currency", "write its code in capitals, as in EUR"),
    "env": ("bad-variable-name", "write the variable's name: letters, digits and `_`"),
    "tags": ("bad-tag", "letters and digits, then also `.`, `_` and `-`"),
    "accounts": ("bad-account-name", "letters and digits, then also `.`, `_` and `-`"),
    "vars": ("bad-variable-name", "letters, digits and `_`"),
}
KNOWN_BY = {
    "person": "write its id, {email: …} or {name: …}",
    "organization": "write its id, or {name: …}",
    "owner": "write the user's id, or {email: …}",
}
LITERALS = {"color": ("unknown-color", "colour"), "version": ("unsupported-version", "version")}
ADD = {
    "token": "add `token: {env: NAME_OF_A_VARIABLE}`",
    "client_id": "add `client_id: {env: NAME_OF_A_VARIABLE}`",
    "client_secret": "add `client_secret: {env: NAME_OF_A_VARIABLE}`",
    "refresh_token": "add `refresh_token: {env: NAME_OF_A_VARIABLE}`",
    "name": "add `name: …`",
    "key": "add `key: …`, a short identity that never changes",
    "title": "add `title: …`",
    "amount": "add `amount: …`",
    "currency": "add `currency: …`, as in EUR",
    "at_least": "add `at_least: [LABEL]`",
}
SELF_MADE = {
    "empty_text": ("empty-text", "{subject} is empty", "write some text, or leave the line out"),
    "control_character": ("control-character", "{subject} holds a line break or a control character", "write one line"),
    "label_color": ("missing-color", "a label needs a colour", "add `color: …`, or `state: absent`"),
    "person_ref": (
        "person-unclear",
        "a person is known by an `email` or by a `name`",
        "write one of the two, or the person's id",
    ),
    "only_absent": (
        "only-absent",
        "`replace_with` and `delete_after` are for a label that must not exist",
        "add `state: absent`, or take them out",
    ),
    "only_present": (
        "only-present",
        "a label that must not exist takes in no other",
        "put `merge_from` into the label that stays",
    ),
    "label_unset": ("cannot-unset", "a label always has a name and a colour", "leave the line out, or write a value"),
    "amount_type": ("bad-amount", "an amount is a number", "write it without quotes, as in 1200.50"),
    "amount_finite": ("bad-amount", "an amount is a finite number", "write it in digits, as in 1200.50"),
    "amount_digits": ("bad-amount", "an amount has 15 significant digits at most", "write fewer digits"),
    "custom_value": (
        "bad-custom-value",
        "a custom field takes text, a number, a list of options, money or a contact",
        "write text in quotes, or null to unset it",
    ),
    "date_type": ("bad-date", "a date is written YYYY-MM-DD", "write it like 2026-12-31"),
    "date_value": ("bad-date", "this is no day of the calendar", "write it like 2026-12-31"),
    "token_sources": (
        "token-sources",
        "a token has exactly one source",
        "write one of `env`, `file`, `command`, `keyring` and `oauth`",
    ),
    "secret_sources": (
        "token-sources",
        "{subject} has exactly one source",
        "write one of `env`, `file`, `command` and `keyring`",
    ),
    "account_address": (
        "account-address",
        "an account has either a `domain` or a `url`",
        "write `domain: acme-emea` for https://acme-emea.pipedrive.com, and no `url`",
    ),
}
SECRETS = ("token", "client_id", "client_secret", "refresh_token")
"""Keys under which a source stands, and a literal is a secret that has been read."""
MAKE_NEW = (
    "write `{name}: {{env: NAME}}` and put it into that variable; then make a new one, for this one has been read"
)
IN_CELLS = {
    "write it without quotes, as in 1200.50": "write it like 1200.50, with a point and nothing between thousands",
    "write true or false, without quotes": "write true or false",
    "write a whole number, without quotes": "write a whole number",
    "write [] for no labels": "write [] for no labels, or leave the cell empty to not manage them",
    **{
        hint: hint.partition(",")[0] + f"; what describes it goes into a column such as `{field}.{part}`"
        for (field, hint), part in zip(KNOWN_BY.items(), ("email", "name", "email"), strict=True)
    },
}
"""Hint for YAML → hint for a cell of a CSV file, where they are not the same."""
