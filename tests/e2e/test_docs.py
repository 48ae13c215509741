"""The commands of docs/security.md do what stands below them."""
import os
import pathlib
import re
import subprocess

import pytest

TEXT = (pathlib.Path(__file__).parents[2] / "docs/security.md").read_text()
EXAMPLES = re.findall(r"```sh\n(.*?)```\n```text\n(.*?)```", TEXT, re.DOTALL)


def test_there_are_three_examples():
    assert len(EXAMPLES) == 3


@pytest.mark.controllers
@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example(number, containr, as_root, tmp_path):
    commands, output = EXAMPLES[number]
    path = f"{pathlib.Path(containr).parent}:{os.environ['PATH']}"
    os.chmod(tmp_path, 0o755)
    result = subprocess.run(["bash", "-ec", commands], cwd=tmp_path, env=os.environ | {"PATH": path},
                            capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    for line in output.splitlines():
        assert line in result.stdout, f"{line!r} is not in {result.stdout!r}, errors: {result.stderr}"


# ---- docs/security-checklist.md -----------------------------------------------------------------

CHECKLIST = (pathlib.Path(__file__).parents[2] / "docs/security-checklist.md").read_text()
ITEMS = [[cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
         for line in CHECKLIST.splitlines() if line.startswith("| ")][1:]


def test_there_are_enough_items():
    assert len(ITEMS) > 15 and all(len(item) == 3 for item in ITEMS)


def check_item(item, containr, flags=""):
    _, command, wanted = (cell.strip("`") for cell in item)
    run = subprocess.run(["bash", "-c", f"run() {{ {containr} run {flags} -- \"$@\"; }}\n"
                          f"case '{command.split()[1][:2]}' in --) run() {{ {containr} run \"$@\"; }}; esac\n{command}"],
                         capture_output=True, text=True, timeout=60, env=os.environ | {"SECRET": "1"})
    return run.stdout.strip() == wanted, run


@pytest.mark.parametrize("item", ITEMS, ids=[item[0].replace(" ", "-") for item in ITEMS])
def test_item_of_the_checklist(item, containr, as_root):
    holds, run = check_item(item, containr)
    assert holds, (run.stdout, run.stderr)


def test_items_do_not_hold_by_themselves(containr, as_root):
    """Most of them fail for a container that was opened."""
    flags = "--privileged --network host --pid host --uts host"
    failed = [item[0] for item in ITEMS if not check_item(item, containr, flags)[0]]
    assert len(failed) >= 9, failed
