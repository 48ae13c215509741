"""`containr run` and `containr plan` for the tests."""

import json
import subprocess

from containers import Runtime


class People(Runtime):
    """`containr run`, with a name and a mark by which a leftover is found."""

    def __init__(self, program, oci, template, probe, as_user=None):
        super().__init__(program, template, as_user)
        self.oci, self.probe_program = oci, probe

    def words(self, flags, command):
        self.count += 1
        name = [] if "--name" in flags else ["--name", f"{self.token}.{self.count}"]
        return ["run", *name, "-e", f"E2E_TOKEN={self.token}", *flags, "--", *command]

    def do(self, *flags, command=("true",), **more):
        """Runs a command with flags."""
        return self(*self.words(flags, command), **more)

    def sh(self, script, *flags, **more):
        """Runs a line of shell and returns what it printed."""
        return self.do(*flags, command=["sh", "-c", script], **more).stdout

    def seen(self, *flags, **more):
        """What the probe sees."""
        flags = [*flags, "-v", f"{self.probe_program}:/run/probe:ro"]
        return json.loads(self.do(*flags, command=["/run/probe"], **more).stdout)

    def in_other_program(self, *args, **more):
        """A command of the program for engines, which has the same containers."""
        program, self.program = self.program, self.oci
        try:
            return self(*args, **more)
        finally:
            self.program = program

    def delete(self, name):
        self.in_other_program("delete", "--force", name)

    def detached(self, script, *flags, status=0, **more):
        """Starts a line of shell in the background; returns the container's name."""
        words = self.words(["-d", *flags], ["sh", "-c", script])
        result = self(*words, status=status, **more)
        return result.stdout.strip() if status == 0 else result

    def row(self, name):
        """What `ps` says of a container, or None."""
        return next((row for row in self("ps", "-a", "--format", "json").json if row["Id"] == name), None)

    def logs(self, name, *flags, **more):
        return self("logs", *flags, name, **more).stdout

    def close(self, check=True):
        """What detached containers are there is removed by people's own command."""
        self("rm", "--force", "--all", status=None)
        super().close(check)


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


#: Puts other files over those of /etc, for one program and what it starts.
WITH_OTHER_FILES = 'for file in "$0"/*; do mount --bind "$file" "/etc/${file##*/}"; done; exec "$@"'


class UserWithRanges(People):
    """An ordinary user with a name and ranges of ids: in a mount namespace of its own, so that nobody else sees it."""

    NAME = "e2e-user"

    def __init__(self, program, oci, template, probe, as_user):
        super().__init__(program, oci, template, probe, as_user)
        (self.dir / "etc").mkdir()
        self.groups = []
        for name in ("passwd", "group"):
            with open(f"/etc/{name}", encoding="utf-8") as file:
                (self.dir / "etc" / name).write_text(file.read() + {
                    "passwd": f"{self.NAME}:x:{as_user}:{as_user}::/tmp:/bin/sh\n",
                    "group": f"{self.NAME}:x:{as_user}:\n"}[name])
        self.ranges(f"{self.NAME}:2000000:65536\n")

    def ranges(self, uids, gids=None):
        """What /etc/subuid and /etc/subgid say."""
        (self.dir / "etc/subuid").write_text(uids)
        (self.dir / "etc/subgid").write_text(uids if gids is None else gids)

    def argv(self, *args):
        words = super().argv(*args)
        if self.groups:
            words[words.index("--clear-groups")] = f"--groups={','.join(map(str, self.groups))}"
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", WITH_OTHER_FILES,
                str(self.dir / "etc"), *words]
