"""What goes into the image is locked: exactly what the project needs, with hashes, in the versions of the tests."""

import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support.envoy import ROOT

LOCKS = [ROOT / "deploy/docker" / name for name in ("requirements.txt", "build-requirements.txt")]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = ["otel", "resident"]
LINUX = {
    "sys_platform": "linux",
    "platform_system": "Linux",
    "python_version": "3.11",
    "python_full_version": "3.11.13",
}


def entries(lock):
    """`name==version` and what follows, of each entry."""
    text = re.sub(r"^\s*#.*\n", "", lock.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line.strip()]


def locked(lock):
    pins = (entry[0].partition("==") for entry in entries(lock))
    return {canonicalize_name(name): version for name, _, version in pins}


def needed(requirements, extras=("",)):
    """Names of the requirements that hold on the image's platform, and of theirs, as they are installed here."""
    found: dict[str, set[str]] = {}
    waiting = [(Requirement(text), tuple(extras)) for text in requirements]
    while waiting:
        requirement, asked = waiting.pop()
        if requirement.marker and not any(requirement.marker.evaluate(LINUX | {"extra": extra}) for extra in asked):
            continue
        name, wanted = canonicalize_name(requirement.name), {"", *requirement.extras}
        if wanted <= found.get(name, set()):
            continue
        found[name] = found.get(name, set()) | wanted
        waiting += [(Requirement(text), tuple(wanted)) for text in metadata.requires(name) or ()]
    return found.keys()


def direct():
    project = PYPROJECT["project"]
    extras = (requirement for extra in EXTRAS for requirement in project["optional-dependencies"][extra])
    return [*project["dependencies"], *extras]


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_each_entry_is_pinned_and_has_hashes(lock):
    for pin, *hashes in entries(lock):
        assert re.fullmatch(r"[A-Za-z0-9._-]+==[^\s;]+", pin), pin
        assert hashes
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", word) for word in hashes), pin


def test_the_lock_has_what_the_project_needs_and_nothing_else():
    assert locked(LOCKS[0]).keys() == needed(direct()), "`make lock` brings it up to date"


def test_the_lock_has_versions_that_the_project_accepts():
    versions = locked(LOCKS[0])
    requirements = [Requirement(text) for text in direct()]
    wrong = [str(each) for each in requirements if versions[canonicalize_name(each.name)] not in each.specifier]
    assert wrong == [], "`make lock` brings it up to date"


def test_what_was_tested_is_what_is_in_the_image():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tested = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    assert {name: tested.get(name) for name in locked(LOCKS[0])} == locked(LOCKS[0]), "`make lock` brings it up to date"


def test_the_wheel_is_built_with_what_the_project_says():
    (source,) = (ROOT / "deploy/docker/build-requirements.in").read_text(encoding="utf-8").splitlines()[-1:]
    assert [source] == PYPROJECT["build-system"]["requires"]
    assert locked(LOCKS[1])["setuptools"] in Requirement(source).specifier


def test_the_lock_names_no_index():
    for lock in LOCKS:
        text = lock.read_text(encoding="utf-8")
        assert "://" not in text
        assert "-index" not in text
        assert "find-links" not in text
