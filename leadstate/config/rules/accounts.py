"""Assembles the accounts of a configuration; the rules are in `names`, `leads`, `scope` and `trust`."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

from leadstate.config.configuration import DeclaredAccount, OAuthToken, SecretSource, TokenSource
from leadstate.config.rules.leads import Leads, check_keys
from leadstate.config.rules.names import check_names, check_policies, resolve_names
from leadstate.config.rules.scope import AccountSet, Directory, Problems, resolve_scope
from leadstate.config.rules.trust import EVERYTHING, Trust, check_trust
from leadstate.config.rules.variables import Variables
from leadstate.config.schema.document import AccountSpec, PolicySpec, SecretSpec
from leadstate.config.validate import Entry, Merged
from leadstate.config.yaml.diagnostics import Diagnostics, Place
from leadstate.kinds import KINDS
from leadstate.kinds.base import Spec, fields_set
from leadstate.model.account import Account, InAccount, Policy, Prune, is_loopback, unify_loopback
from leadstate.model.resource import CARRIED, CARRIER


def declare_accounts(
    merged: Merged, selectors: Sequence[str], diagnostics: Diagnostics, trust: Trust
) -> tuple[DeclaredAccount, ...]:
    """Return the selected accounts in order of name; add what is wrong, anywhere, to the diagnostics."""
    if "accounts" in merged.dropped:
        return ()  # everything else would be reported as for unknown accounts
    directory = Directory.of(merged)
    if not directory.names:
        hint = "add `accounts:` with a name, a `domain` and a `token`"
        diagnostics.error("no-accounts", "no account is declared", merged.top, hint=hint)
    selected = directory.chosen(selectors, diagnostics) if selectors else directory.everyone
    items = {
        kind: [(entry, resolve_scope(entry, directory, diagnostics)) for entry in entries]
        for kind, entries in merged.items.items()
    }
    _check_namespace(merged, diagnostics)
    _check_companies(merged, diagnostics)

    everywhere = merged.policy.spec if merged.policy else None
    usual = resolve_policy(PolicySpec(), everywhere)
    policies = {
        name: resolve_policy(entry.spec.policy, everywhere) if "policy" in entry.spec.model_fields_set else usual
        for name, entry in merged.accounts.items()
    }
    problems = Problems(directory)
    variables = Variables(merged.accounts, directory, problems)
    named = {kind.name: resolve_names(kind, items[kind.name], variables) for kind in KINDS.values() if kind.is_named}
    known = {name: policy for name, policy in policies.items() if "policy" not in merged.accounts[name].unknown}
    protecting = _by_policy(known, directory)
    for kind, names in named.items():
        if KINDS[kind].section in merged.dropped | merged.broken.keys():
            names.unsure = directory.everyone
        check_names(names, problems)
        if protecting:
            check_policies(names, protecting, problems)
    leads, labels, namespace = items[CARRIER], named[CARRIED], merged.namespace or ""
    desired = [declared for names in named.values() for declared in names.desired()]
    if leads:
        desired += Leads(labels, variables, problems, namespace).desired(leads)
        check_keys(leads, namespace, problems, diagnostics)
    problems.report(diagnostics)
    shared = tuple(desired)

    tokens = {name: resolve_token_source(entry) for name, entry in merged.accounts.items()}
    if trust != EVERYTHING:
        for name, entry in merged.accounts.items():
            check_trust(entry, tokens[name], trust, diagnostics)

    return tuple(
        DeclaredAccount(
            Account(
                name,
                entry.spec.origin,
                merged.namespace,
                policies[name],
                InAccount(name, directory.bits[name], shared),
                entry.spec.company_id,
            ),
            tokens[name],
            tuple(entry.spec.tags),
        )
        for name, entry in sorted(merged.accounts.items())
        if directory.bits[name] & selected
    )


def _by_policy(policies: Mapping[str, Policy], directory: Directory) -> list[tuple[Policy, AccountSet]]:
    """Return each policy that ignores or protects anything, with all accounts that ignore and protect the same."""
    found: dict[str, tuple[Policy, AccountSet]] = {}
    for name, policy in policies.items():
        if any(policy.ignore.values()) or any(policy.protect.values()):
            rules = f"{policy.ignore} {policy.protect}"
            found[rules] = (policy, found.get(rules, (policy, 0))[1] | directory.bits[name])
    return list(found.values())


def _check_namespace(merged: Merged, diagnostics: Diagnostics) -> None:
    if merged.namespace_given:
        return
    hint = "add `namespace: …` at the top: a short name that no other configuration uses"
    for kind in (kind for kind in KINDS.values() if not kind.is_named and merged.items[kind.name]):
        summary = f"{kind.section} are declared, and no `namespace` to mark them as ours"
        diagnostics.error("namespace-missing", summary, merged.items[kind.name][0].place(), hint=hint)
        return
    policies: list[tuple[PolicySpec, Entry[Any], tuple[str, ...]]] = [
        (entry.spec.policy, entry, ("policy",)) for entry in merged.accounts.values()
    ]
    if merged.policy is not None:
        policies.append((merged.policy.spec, merged.policy, ()))
    for policy, entry, path in policies:
        for section in (kind.section for kind in KINDS.values() if getattr(policy.prune, kind.section) == Prune.OWNED):
            summary = f"`prune: {{{section}: owned}}` deletes {section} of our `namespace`, and none is given"
            place = entry.place(*path, "prune", section)
            diagnostics.error("namespace-missing", summary, place, hint=hint)


def _check_companies(merged: Merged, diagnostics: Diagnostics) -> None:
    """Report two accounts that are one company, which would get everything twice.

    Two companies have one address only where both accounts say which: at the vendor's shared host, a proxy, a sandbox.
    Two addresses with one company id are one company, but sandboxes of this machine give their companies equal ids.
    """
    usable = {
        name: entry
        for name, entry in sorted(merged.accounts.items())
        if not entry.unknown & {"domain", "url", "company_id"}
    }
    addresses = {name: unify_loopback(entry.spec.origin) for name, entry in usable.items()}
    sites = {name: "this machine" if is_loopback(address) else address for name, address in addresses.items()}
    at: dict[str, list[str]] = defaultdict(list)
    known_at: dict[tuple[str, int | None], list[str]] = defaultdict(list)
    first_at: dict[int | None, dict[str, str]] = defaultdict(dict)
    for name, entry in usable.items():
        at[addresses[name]].append(name)
        known_at[addresses[name], entry.spec.company_id].append(name)
        first_at[entry.spec.company_id].setdefault(sites[name], name)
    for name, entry in usable.items():
        address, company_id = addresses[name], entry.spec.company_id
        alike = chain(known_at[address, company_id], known_at[address, None]) if company_id else at[address]
        if (other := next((rival for rival in alike if rival != name), None)) is not None:
            diagnostics.error(
                "same-address",
                f"the accounts `{name}` and `{other}` have the same address",
                _address(entry),
                hint="keep one of the two; where they are two companies, give each its `company_id`",
                detail=f"the other one: {_address(usable[other]).span}",
            )
        elsewhere = (first for site, first in first_at[company_id].items() if site != sites[name])
        if company_id is not None and (other := next(elsewhere, None)) is not None:
            diagnostics.error(
                "same-company",
                f"the accounts `{name}` and `{other}` are both company {company_id}",
                entry.place("company_id"),
                hint="keep one of the two, or correct the `company_id` of one",
                detail=f"the other one: {usable[other].place('company_id').span}",
            )


def _address(entry: Entry[AccountSpec]) -> Place:
    return entry.place("domain" if entry.spec.domain else "url")


def resolve_policy(account: PolicySpec, everywhere: PolicySpec | None) -> Policy:
    """Return the policy of an account: its own fields, else those of all, else the defaults; null lifts a limit."""
    written: dict[str, Any] = {}
    by_kind: dict[str, dict[str, Any]] = {"prune": {}, "ignore": {}, "protect": {}}
    for spec in (everywhere, account):
        for name, value in (fields_set(spec) if spec is not None else {}).items():
            if isinstance(value, Spec):
                by_kind.get(name, written).update(fields_set(value))  # the guards stand among the other fields
            else:
                written[name] = value
    prune, ignore, protect = (
        {kind.name: rules[kind.section] for kind in KINDS.values() if kind.section in rules}
        for rules in by_kind.values()
    )
    written["refuse_in_use"] = written.pop("in_use", "refuse") == "refuse"
    rules = {kind: Prune(rule) for kind, rule in prune.items()}
    return Policy(prune_rules=rules, ignore=ignore, protect=protect, **written)


def resolve_token_source(account: Entry[AccountSpec]) -> TokenSource:
    """Return where the account's token comes from; read nothing from there."""
    spec, folder = account.spec.token, account.node.place.source.folder

    def source(secret: SecretSpec, *path: str) -> SecretSource:
        kind, words = secret.source
        return SecretSource(kind, words, folder, account.place("token", *path).span)

    if spec.oauth is None:
        return source(spec)
    oauth = spec.oauth
    return OAuthToken(
        source(oauth.client_id, "oauth", "client_id"),
        source(oauth.client_secret, "oauth", "client_secret"),
        source(oauth.refresh_token, "oauth", "refresh_token"),
        oauth.token_url,
        folder / oauth.save_to if oauth.save_to else None,
    )
