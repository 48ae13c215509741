"""`containr run` and `containr plan` for the tests."""

import json
import subprocess


def config_of(containr, *flags, command=("true",)):
    """The configuration that flags become."""
    run = subprocess.run([containr, "plan", "--config", *flags, *command], capture_output=True, text=True, check=False)
    assert run.returncode == 0, f"{flags}: {run.stderr}"
    return json.loads(run.stdout)


def refused(containr, *flags):
    """The message with which flags are refused."""
    run = subprocess.run([containr, "run", *flags, "true"], capture_output=True, text=True, check=False,
                         stdin=subprocess.DEVNULL)
    assert run.returncode == 125, f"{flags}: status {run.returncode}: {run.stdout}{run.stderr}"
    assert run.stderr.startswith("containr: ")
    return run.stderr
