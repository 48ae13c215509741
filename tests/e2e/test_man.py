"""Every command and every option that --help knows is in the man page, and the other way round."""

import pathlib
import re
import subprocess

import pytest

MAN = pathlib.Path(__file__).parents[2] / "docs/man"


def help_of(program, *words):
    return subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True).stdout


def options(text):
    return {name for name in re.findall(r"^ +(?:-\w, )?--([\w-]+)", text, re.M) if name != "help"}


def sections(text):
    """The page's text by command."""
    parts = re.split(r"^## (\S+)$", text.split("\n# COMMANDS\n")[1].split("\n# ")[0], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


@pytest.mark.parametrize("page", ["containr.1.md", "containr-oci.8.md"])
def test_page_has_all_that_help_has(page, program, containr, only_ours):
    tool = containr if page.startswith("containr.") else program
    text = (MAN / page).read_text()
    top = help_of(tool)
    commands = re.findall(r"^  (\w+) ", top.split("Commands:\n")[1].split("\nOptions")[0], re.M)
    pages = sections(text)
    assert list(pages) == commands
    before = text.split("# OPTIONS BEFORE THE COMMAND")[1].split("\n# ")[0]
    assert options(top) == set(re.findall(r"\*\*--([\w-]+)\*\*", before))
    run = options(help_of(tool, "run"))
    for command in commands:
        wanted = options(help_of(tool, command))
        # Those of `plan` are told where `run` is.
        wanted -= run if command == "plan" and tool == containr else set()
        listed = set(re.findall(r"^(?:\*\*-\w\*\*, )?\*\*--([\w-]+)\*\*", pages[command], re.M))
        assert listed == wanted, command
    assert "security.md" in text and "threat-model.md" in text
