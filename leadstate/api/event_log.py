"""What an apply does, as it does it: one JSON object a line, each written to the file at once.

A change is in the receipt before it is here, so a killed run has no event that its receipt does not know.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Self

from leadstate import __version__
from leadstate.api.files import append_line, create_file
from leadstate.config.yaml.files import refuse_folder_link_outwards
from leadstate.engine.events import Observer
from leadstate.model.diagnostics import LeadstateError, reason_of
from leadstate.model.escape import visible_json
from leadstate.model.plan import AccountPlan, Change, Outcome, Status, combined, count_actions
from leadstate.pipedrive.operations import Delay

FORMAT_VERSION: Final = "1.0"
"""Of the events; minor versions only add."""


class EventsError(LeadstateError):
    """The file of events cannot be made, so nothing may be changed."""

    code = "events"


class EventLog(Observer):
    """Writes events to a new file that only its owner can read.

    Args:
        path: the file, which must not exist: events of two runs are not mixed, and no link is followed.
        command: what is run: `apply` or `restore`.
        now: the time, in UTC.

    Raises:
        EventsError: the file exists, or cannot be made.
    """

    def __init__(self, path: Path, command: str, now: Callable[[], datetime]) -> None:
        self._now = now
        self._command = command
        self._ended: Counter[Status] = Counter()
        self.failure: OSError | None = None
        """Why nothing more could be written."""
        refuse_folder_link_outwards(path, EventsError)
        try:
            self._file = create_file(path)
        except FileExistsError:
            hint = "name a new file: the events of two runs are not mixed"
            raise EventsError(f"{path} exists already", hint=hint) from None
        except OSError as failure:
            summary = f"{path} cannot be made: {reason_of(failure)}"
            raise EventsError(summary, hint="name a file that can be written") from None
        self._write("version", format_version=FORMAT_VERSION, leadstate_version=__version__)

    def __enter__(self) -> Self:
        """Keep the file open while the run lasts."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        try:
            os.close(self._file)
        except OSError as failure:  # a network file system may tell only now that it has no room
            self.failure = self.failure or failure

    def started(self, receipt: Path, plans: Sequence[AccountPlan]) -> None:
        """Write `started`: what is about to be done, and which receipt says what was."""
        self._write(
            "started",
            command=self._command,
            receipt=str(receipt),
            fingerprint=combined(plan.fingerprint for plan in plans),
            accounts=sorted(plan.account for plan in plans if plan.changes),
            changes=count_actions(plans),
        )

    def finished(self, change: Change, outcome: Outcome) -> None:
        """Write `change`: a change has come to its end."""
        self._ended[outcome.status] += 1
        self._write(
            "change",
            account=change.address.account,
            address=str(change.address),
            action=change.action.value,
            status=outcome.status.value,
            detail=outcome.detail,
            remote_id=outcome.remote_id,
        )

    def delayed(self, account: str, delay: Delay) -> None:
        """Write `retry` where a request is sent again after a while, or `wait` where nothing is sent for a while."""
        if delay.operation:
            retried = {"operation": delay.operation, "attempt": delay.attempt, "reason": delay.reason}
            self._write("retry", account=account, seconds=round(delay.seconds, 3), **retried)
        else:
            self._write("wait", account=account, seconds=round(delay.seconds, 3))

    def end(self, exit_code: int, requests: int = 0, tokens: int = 0) -> None:
        """Write `finished`: the exit code, how the changes ended, and what applying has cost."""
        results = {status.value: self._ended[status] for status in Status}
        self._write("finished", exit_code=exit_code, results=results, requests=requests, tokens=tokens)

    def _write(self, event: str, **fields: object) -> None:
        if self.failure is not None:
            return
        row = {"type": event, "time": f"{self._now():%Y-%m-%dT%H:%M:%S.%fZ}", **fields}
        line = (visible_json(json.dumps(row, ensure_ascii=False)) + "\n").encode()
        try:
            append_line(self._file, line)
        except OSError as failure:
            self.failure = failure
