"""What the jobs of gitlab.yml run: leadstate with none of GitLab's tokens, on the plan that was reviewed.

Started as `python -I action gitlab JOB` in the checkout. Settings are the variables that gitlab.yml lists.
"""

import base64
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path, PurePath
from urllib.parse import quote, urlencode

import environment
import files
import inputs
import lockfile
import process

FOLDER = PurePath("leadstate-run")
"""What a job leaves as artifacts, below the checkout."""
RECEIPTS = PurePath(".leadstate", "receipts")
PLATFORM = ("CI_", "GITLAB_")
"""Prefixes of variables that belong to GitLab; its tokens are among them."""
TRIES = 5
TIMEOUT = 60
"""Seconds of a request to GitLab."""
BY_HAND = "To apply, look at the plan of this pipeline, and start its job leadstate-apply-planned."
FAILED = 1
REFUSED = 3


class Refused(Exception):
    """A job that does not run leadstate; the message says why, and what to do."""


class NoAnswer(Exception):
    """GitLab refuses a request or cannot be reached; the message says which."""


def main(job: str) -> int:
    """Run a job; return its exit code."""
    try:
        return {"plan": plan, "drift": drift, "apply": apply, "apply-planned": apply_planned}[job]()
    except (Refused, files.Unreadable) as failure:
        print(failure, file=sys.stderr)
        return REFUSED if isinstance(failure, Refused) else FAILED


def plan() -> int:
    """Plan a merge request or the branch; check the files alone where the pipeline is given no token."""
    _begin()
    if not environment.has_tokens(os.environ, _named()):
        print("There is no PIPEDRIVE_* variable, so the files are checked and not planned. Protected variables are for")
        print("protected branches only, and pipelines of forks get none.", flush=True)
        return _leadstate("validate", report="validate")
    base = os.environ.get("CI_MERGE_REQUEST_DIFF_BASE_SHA", "")
    known = base and _git("cat-file", "-e", f"{base}^{{commit}}").returncode == 0
    return _leadstate("plan", *([f"--base={base}"] if known else []), report="plan")


def drift() -> int:
    """Plan, and fail where there are changes."""
    _begin()
    return _leadstate("plan", "--detailed-exitcode", report="plan")


def apply() -> int:
    """Apply the plan of the merge request that was merged."""
    _begin()
    if _setting("REVIEWED", ("required", "none")) == "none":
        return _apply()
    reviewed = _artifact(_merge_request())
    file = Path(FOLDER, "reviewed.json")
    file.write_bytes(reviewed)
    return _apply(str(file))


def apply_planned() -> int:
    """Apply the plan of this pipeline, which a person has looked at before starting the job."""
    stored = FOLDER / f"plan{_part()}.json"
    try:
        reviewed = files.read(Path.cwd(), stored)
    except files.Missing:
        raise Refused(
            f"This pipeline has stored no plan ({stored}), so nothing was applied. Its job leadstate-plan says why: run"
            " it again, and start this job after it."
        ) from None
    _begin()
    file = Path(FOLDER, "reviewed.json")
    file.write_bytes(reviewed)
    return _apply(str(file))


def _apply(*plan_file: str) -> int:
    before = files.names_in(Path.cwd(), RECEIPTS)
    lock = _newest_lock() if _setting("LOCK", ("commit", "off")) == "commit" else None
    code = _leadstate("apply", "--auto-approve", *plan_file, report="apply")
    for name in sorted(files.names_in(Path.cwd(), RECEIPTS) - before):
        Path(FOLDER, name).write_bytes(files.read(Path.cwd(), RECEIPTS / name))
    if lock is not None and not _commit_lock(*lock):
        return code or FAILED
    return code


def _begin() -> None:
    """Make the folder of artifacts anew: whatever the checkout or an earlier job has there, it is not of this run."""
    if os.path.lexists(FOLDER):
        Path(FOLDER).unlink() if Path(FOLDER).is_symlink() or Path(FOLDER).is_file() else shutil.rmtree(FOLDER)
    Path(FOLDER).mkdir()


def _leadstate(*words: str, report: str) -> int:
    """Run a command of leadstate, and leave its report as JSON and HTML, also where it is refused."""
    environ = environment.of_leadstate(os.environ, _named())
    file, page = (Path(FOLDER, f"{report}{_part()}.{end}") for end in ("json", "html"))
    code, said = process.run([*words, "--format=json", f"--output={file}"], environ)
    if file.exists():
        process.run(["show", str(file)], environ)
        process.run(["show", str(file), "--format=html", f"--output={page}"], environ)
    else:
        page.with_suffix(".txt").write_bytes(said)
    return code


def _merge_request() -> int:
    """Return the number of the merge request whose merge made this commit."""
    commit = os.environ["CI_COMMIT_SHA"]
    if "GITLAB_TOKEN" in os.environ:
        try:
            found = json.loads(_request(f"repository/commits/{commit}/merge_requests"))
            merged = [request for request in found if request["state"] == "merged" and commit in _commits(request)]
            if merged:
                return int(merged[0]["iid"])
        except (NoAnswer, ValueError, TypeError, LookupError) as failure:
            reason = failure if isinstance(failure, NoAnswer) else "its answer is not a list of merge requests"
            raise Refused(
                f"GitLab does not say which merge request made {commit[:8]}: {reason}. GITLAB_TOKEN needs read_api."
                f" {BY_HAND}"
            ) from None
    elif told := re.search(r"^See merge request \S*!(\d{1,18})\s*\Z", os.environ["CI_COMMIT_MESSAGE"], re.MULTILINE):
        return int(told[1])
    raise Refused(
        f"No merge request was found that was merged as {commit[:8]}, so there is no reviewed plan. Where merges are"
        f" fast-forward, set GITLAB_TOKEN (read_api), so that GitLab can be asked. {BY_HAND}"
    )


def _commits(request: dict[str, object]) -> set[object]:
    return {request[name] for name in ("merge_commit_sha", "squash_commit_sha", "sha")}


def _artifact(number: int) -> bytes:
    """Return the plan that the latest pipeline of a merge request has stored."""
    suffix = os.environ["CI_JOB_NAME"].removeprefix("leadstate-apply")  # ` 1/3` of parallel jobs
    query = urlencode({"job": f"leadstate-plan{suffix}"})
    reason: object = None
    for ref in ("merge", "head"):  # of a pipeline for merged results, else of the branch
        where = quote(f"refs/merge-requests/{number}/{ref}", safe="")
        try:
            return _request(f"jobs/artifacts/{where}/raw/{FOLDER}/plan{_part()}.json?{query}")
        except NoAnswer as failure:
            reason = failure
    raise Refused(
        f"Merge request !{number} has stored no plan that can be read ({reason}). It was not planned, or"
        f" its plan has expired, or the job token may not read artifacts: GITLAB_TOKEN (read_api) may. {BY_HAND}"
    )


def _request(path: str) -> bytes:
    """Return the answer of the project's API. Raise `NoAnswer`.

    The token is sent to GitLab, and nowhere that it redirects to.
    """
    address = f"{os.environ['CI_API_V4_URL']}/projects/{os.environ['CI_PROJECT_ID']}/{path}"
    request = urllib.request.Request(address)  # noqa: S310  the address is GitLab's own
    own = os.environ.get("GITLAB_TOKEN")
    request.add_unredirected_header(*(("PRIVATE-TOKEN", own) if own else ("JOB-TOKEN", os.environ["CI_JOB_TOKEN"])))
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # noqa: S310  as above
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as failure:
        raise NoAnswer(f"GitLab answers {failure.code}") from None
    except (OSError, http.client.HTTPException) as failure:
        reason = failure.reason if isinstance(failure, urllib.error.URLError) else failure
        raise NoAnswer(f"GitLab cannot be reached: {reason}") from None


def _newest_lock() -> tuple[PurePath, str, bytes] | None:
    """Put the newest committed lock file into the checkout; return where it is, and its content."""
    file = lockfile.lock_file(inputs.config_of(os.environ))
    path = None if file is None else lockfile.path_in_repository(file)
    if file is None or path is None:
        return None
    newest = _fetched(path)
    if newest is None:
        return None
    files.write(Path.cwd(), file, newest)
    return file, path, newest


def _fetched(path: str) -> bytes | None:
    """Fetch the branch; return a file of it."""
    fetched = _git("fetch", "--quiet", "--depth=1", _remote(), os.environ["CI_COMMIT_BRANCH"])
    if fetched.returncode:
        raise Refused(f"The branch cannot be fetched: {fetched.stderr.decode(errors='replace').strip()}")
    shown = _git("cat-file", "blob", f"FETCH_HEAD:{path}")
    return shown.stdout if shown.returncode == 0 else None


def _commit_lock(file: PurePath, path: str, before: bytes) -> bool:
    """Commit what the apply has changed in the lock file; return whether that worked."""
    after = files.read(Path.cwd(), file)
    Path(FOLDER, lockfile.NAME).write_bytes(after)
    if after == before:
        return True
    said = ""
    try:
        for _ in range(TRIES):
            newest = _fetched(path)
            if newest is None:
                return True  # it was removed meanwhile
            content = after if newest == before else lockfile.merge(before, after, newest)
            pushed = _push(path, content)
            if pushed.returncode == 0:
                return True
            said = pushed.stderr.decode(errors="replace")
    except lockfile.Damaged as failure:
        print(f"{path} {failure} That of this run is among the artifacts of this job.", file=sys.stderr)
        return False
    except Refused as failure:  # the apply has ended: this refuses nothing any more
        said = str(failure)
    print(said, file=sys.stderr)
    print(
        f"{path} could not be pushed; it is among the artifacts of this job. Let job tokens push to the repository",
        file=sys.stderr,
    )
    print("(Settings > CI/CD > Job token permissions), or set GITLAB_TOKEN (write_repository).", file=sys.stderr)
    return False


def _push(path: str, content: bytes) -> subprocess.CompletedProcess[bytes]:
    """Push a commit onto what was fetched, in which one file has changed; the checkout stays as it is."""
    index = {"GIT_INDEX_FILE": str(Path.cwd() / ".git" / "leadstate-index")}
    blob = _git("hash-object", "-w", "--stdin", stdin=content).stdout.decode().strip()
    _git("read-tree", "FETCH_HEAD", environ=index)
    _git("update-index", "--cacheinfo", f"100644,{blob},{path}", environ=index)
    tree = _git("write-tree", environ=index).stdout.decode().strip()
    who = {"NAME": "leadstate", "EMAIL": "leadstate@localhost"}
    names = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()}
    message = (
        f"Update {lockfile.NAME}\n\nAfter the apply of {os.environ['CI_COMMIT_SHA'][:8]}: {os.environ['CI_JOB_URL']}"
    )
    made = _git("commit-tree", tree, "-p", "FETCH_HEAD", "-m", message, environ=names).stdout.decode().strip()
    return _git(
        "push", "--quiet", "--push-option=ci.skip", _remote(), f"{made}:refs/heads/{os.environ['CI_COMMIT_BRANCH']}"
    )


def _remote() -> str:
    return f"{os.environ['CI_SERVER_URL']}/{os.environ['CI_PROJECT_PATH']}.git"


def _git(*words: str, stdin: bytes = b"", environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run git without hooks; its credentials are in its environment, and so in no argument."""
    own = os.environ.get("GITLAB_TOKEN")
    user = f"oauth2:{own}" if own else f"gitlab-ci-token:{os.environ['CI_JOB_TOKEN']}"
    header = f"Authorization: Basic {base64.b64encode(user.encode()).decode()}"
    settings = {"core.hooksPath": os.devnull, f"http.{os.environ['CI_SERVER_URL']}/.extraHeader": header}
    given = {"GIT_CONFIG_COUNT": str(len(settings)), "GIT_TERMINAL_PROMPT": "0"}
    for i, (key, value) in enumerate(settings.items()):
        given |= {f"GIT_CONFIG_KEY_{i}": key, f"GIT_CONFIG_VALUE_{i}": value}
    full = {**environment.of_leadstate(os.environ, ()), **given, **(environ or {})}
    return subprocess.run(["git", *words], input=stdin, env=full, capture_output=True, check=False)


def _part() -> str:
    """Return what tells the files of parallel jobs apart."""
    index = os.environ.get("CI_NODE_INDEX")
    return f"-{index}" if index else ""


def _named() -> list[str]:
    """Return the further variables that leadstate is given. Raise `Refused` where one belongs to GitLab."""
    names = os.environ.get("LEADSTATE_CI_ENV", "").split()
    for name in names:
        if name.upper().startswith(PLATFORM):
            raise Refused(f"LEADSTATE_CI_ENV names {name}, which belongs to GitLab: leadstate is never given it.")
    return names


def _setting(name: str, known: tuple[str, ...]) -> str:
    value = os.environ.get(f"LEADSTATE_CI_{name}") or known[0]
    if value not in known:
        raise Refused(f"LEADSTATE_CI_{name} is {' or '.join(known)}, and not {value!r}.")
    return value
