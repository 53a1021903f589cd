"""The Dockerfile, and what goes to whoever builds from it."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

from deploy.dockerfile import DOCKERFILE, stages, the, version
from support.envoy import ROOT

BUILD, FINAL = stages()


def test_the_linter_finds_nothing():
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_image_runs_as_nobody_and_without_a_shell():
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", the(FINAL, "USER").value)
    assert the(FINAL, "ENTRYPOINT").value.startswith("[")
    assert the(FINAL, "CMD").value.startswith("[")
    assert " CMD [" in the(FINAL, "HEALTHCHECK").value
    assert [instruction for instruction in FINAL if instruction.name == "RUN"] == []


def test_nothing_depends_on_the_architecture():
    assert not re.search(r"amd64|x86_64|arm64|aarch64|--platform", "".join(i.value for i in BUILD + FINAL))


def test_no_label_names_a_registry():
    labels = the(FINAL, "LABEL").value
    assert "://" not in labels
    assert "org.opencontainers.image.title" in labels


def test_its_version_is_that_of_the_project():
    assert f'version = "{version()}"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_the_context_has_what_is_copied_and_no_secret():
    lines = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]

    def sent(path):  # the last line that fits decides, as engines have it; a folder decides for what is in it
        decision = True
        for line in lines:
            pattern = line.removeprefix("!")
            parts = path.split("/")
            if any(fnmatch.fnmatchcase("/".join(parts[: n + 1]), pattern) for n in range(len(parts))):
                decision = line.startswith("!")
        return decision

    for instruction in BUILD:
        if instruction.name == "COPY":
            *sources, _ = instruction.words()
            assert all(sent(source) for source in sources)
    assert sent("extauthz/envoy/server.py")
    for path in (".git/config", ".venv/bin/python", "extauthz.yaml", "catalog.yaml", "deploy/envoy/envoy.yaml", ".env"):
        assert not sent(path)
