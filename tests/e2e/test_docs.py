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
