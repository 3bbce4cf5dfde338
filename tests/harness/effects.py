"""What a run did to a company, in small pieces that two runs can be compared by."""

from collections.abc import Iterable

from tests.harness.disturbed_company import OF_THE_MOMENT, Body, State, Step

Effect = tuple[object, ...]


def effects(start: State, steps: Iterable[Step]) -> set[Effect]:
    """Return everything that writing requests changed; new objects are named by their content, not by their ids."""
    made: set[Effect] = set()
    for step in steps:
        if step.writes:
            made |= _labels(start, step) | _leads(start, step)
    return made


def _labels(start: State, step: Step) -> set[Effect]:
    made: set[Effect] = set()
    for id_ in step.before.labels.keys() | step.after.labels.keys():
        before, after = step.before.labels.get(id_), step.after.labels.get(id_)
        if after is None:
            made.add(("label deleted", _label(start, step.before, id_)))
        elif before is None:
            made.add(("label added", after["name"], after["color"]))
        else:
            who = _label(start, step.before, id_)
            made |= {("label", who, key, after[key]) for key in ("name", "color") if after[key] != before[key]}
    return made


def _leads(start: State, step: Step) -> set[Effect]:
    made: set[Effect] = set()
    cascade = step.method == "DELETE" and "leadLabels" in step.path
    for id_ in step.before.leads.keys() | step.after.leads.keys():
        before, after = step.before.leads.get(id_, {}), step.after.leads.get(id_)
        if after is None:
            made.add(("lead deleted", _lead(start, before)))
            continue
        who = _lead(start, after)
        made |= {
            ("lead", who, key, repr(after.get(key)))
            for key in before.keys() | after.keys()
            if key not in OF_THE_MOMENT and before.get(key) != after.get(key)
        }
        if not cascade:
            was, now = set(before.get("label_ids", ())), set(after["label_ids"])
            made |= {("label put on", who, _label(start, step.after, label)) for label in now - was}
            made |= {("label taken off", who, _label(start, step.before, wa)) for wa in was - now}
    return made


def _label(start: State, now: State, id_: str) -> str:
    return id_ if id_ in start.labels else f"new {now.labels[id_]['name']} {now.labels[id_]['color']}"


def _lead(start: State, body: Body) -> str:
    return str(body["id"] if body["id"] in start.leads else f"new {body['origin_id']}")
