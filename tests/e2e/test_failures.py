"""The runtime is killed, or lied to by the kernel, at each of its system calls in turn.

Whatever happens: `delete --force` answers 0 and then nothing is left, no process, cgroup, mount or
file; and a command that fails says why. tests/inject/inject.c counts calls over the whole runtime, its
init included. The build with sanitizers makes thousands of calls more: there, a sample is walked.
"""

import errno
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from containers import TREE, build_static, describe, processes_with

pytestmark = pytest.mark.slow

#: After which a command hangs; each takes a few milliseconds.
SECONDS = 10

#: Calls by which the runtime cleans up, as numbers of x86-64: if one of these is refused, something may
#: stay, but only until the next `delete --force`.
CLEANING = {"kill": 62, "rmdir": 84, "unlink": 87, "umount2": 166, "waitid": 247, "wait4": 61,
            "unlinkat": 263, "pidfd_send_signal": 424, "openat": 257, "write": 1, "getdents64": 217,
            "lgetxattr": 192, "statx": 332, "openat2": 437, "close": 3, "read": 0, "poll": 7, "exit_group": 231,
            "pidfd_open": 434}

#: Calls that the runtime of the sanitizers makes for itself; if one is refused it reports, crashes, or waits for
#: its own lock while it reports. Afterwards `delete --force` has to do, as after a crash of ours. The released
#: program makes the same kinds of calls, and there each of them is walked without this exception.
OF_SANITIZERS = {"open": 2, "mmap": 9, "munmap": 11}


@pytest.fixture(scope="session")
def inject(work):
    build_static(TREE / "tests/inject/inject.c", work / "inject")
    # The ptracer of a process that init's user owns must be allowed to be one.
    probe = subprocess.run([work / "inject", work / "report", shutil.which("true"), "--count", "true"], check=False)
    if probe.returncode != 0:
        pytest.skip("no ptrace here")
    return work / "inject"


class Walk:
    """Goes through all calls of one command."""

    def __init__(self, rt, inject, how, delete=("delete", "--force")):
        self.rt, self.inject, self.how, self.delete = rt, inject, how, delete
        self.report = rt.dir / "report"
        self.sanitized = b"__asan_init" in pathlib.Path(rt.program).read_bytes()
        self.problems = []

    def command(self, how, words):
        argv = [str(self.inject), str(self.report), str(self.rt.program), *how, *self.rt.argv(*words)]
        with open(self.rt.dir / "output", "w+b") as output:
            process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                       env=self.rt.environment({"ASAN_OPTIONS": "detect_leaks=0"}),
                                       cwd=self.rt.dir, start_new_session=True)
            try:
                status = process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                status = "timeout"
                for pid in processes_with(self.rt.token):
                    os.kill(pid, 9)
                process.kill()
                process.wait()
            output.seek(0)
            return status, output.read().decode(errors="replace")

    def leftovers(self, seconds):
        end = time.monotonic() + seconds
        while (left := self.rt.leftovers()) and time.monotonic() < end:
            time.sleep(0.01)
        return left

    def one(self, n, prepare, words, keep):
        """Returns False when the command has fewer than n calls."""
        how = ["--kill", str(n)] if self.how == "kill" else ["--fail", f"{n},{errno.EIO}"]
        id = self.rt.new_id()
        prepare(id)
        status, output = self.command(how, [word.replace("ID", id) for word in words])
        hit = self.report.read_text().split()
        place = f"call {n} ({' '.join(hit)}), status {status}: "
        if not hit:
            self.rt(*self.delete, id)
            return False
        if self.how == "fail" and self.sanitized and int(hit[1]) in OF_SANITIZERS.values():
            status = 0
        # A close that the kernel never got leaves the other end waiting; the real one closes in any case.
        if status == "timeout" and not (self.how == "fail" and int(hit[1]) == 3):
            self.problems.append(place + "hangs")
        if self.how == "fail" and int(hit[1]) == 158:
            # arch_prctl: without thread-local storage no C program comes as far as main().
            status = 0
        if self.how == "fail" and status not in (0, "timeout"):
            if not output.strip() and int(hit[1]) not in (1, 20):  # write, writev
                self.problems.append(place + "fails without a word")
            if not keep and int(hit[1]) not in CLEANING.values() and (left := self.leftovers(2)):
                self.problems.append(place + f"left before delete: {left}")
        if self.how == "fail" and int(hit[1]) == 73:
            # flock: to give a lock up cannot fail. One that is kept goes with who has it.
            for pid in processes_with(self.rt.token):
                os.kill(pid, 9)
        result = self.rt(*self.delete, id, status=None)
        if result.status != 0:
            self.problems.append(place + f"{' '.join(self.delete)}: {result}")
        if left := self.leftovers(3):
            self.problems.append(place + f"left after it was deleted: {left}")
            for pid in processes_with(self.rt.token):
                self.problems.append(describe(pid))
            self.rt.sweep_all()
        return True

    def all(self, prepare, words, keep=False, most=400):
        """Walks through all calls, or as many as `most` of them, evenly."""
        id = self.rt.new_id()
        prepare(id)
        status, output = self.command(["--count"], [word.replace("ID", id) for word in words])
        assert status == 0, output
        total = int(self.report.read_text())
        assert total, f"{self.rt.program} was not executed"
        self.rt(*self.delete, id)
        step = max(1, total // most)
        for n in range(int(os.environ.get("CONTAINR_INJECT_FROM", "1")), total + 20, step):
            if not self.one(n, prepare, words, keep) or len(self.problems) > 8:
                break
        assert not self.problems, f"of {total} calls:\n" + "\n".join(self.problems)


HOW = pytest.mark.parametrize("how", ["kill", "fail"])


def nothing(_id):
    """No preparation."""


@HOW
def test_create(rt, inject, how):
    bundle = rt.bundle(args=["/bin/probe", "--wait"])
    Walk(rt, inject, how).all(nothing, ["create", "--bundle", str(bundle.path), "ID"])


@HOW
def test_create_with_hooks_and_a_filter(rt, inject, how):
    bundle = rt.bundle({
        "hooks": {"createRuntime": [{"path": "/bin/true"}], "createContainer": [{"path": "/bin/true"}]},
        "linux": {"seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["sync"], "action": "SCMP_ACT_ERRNO"}]}}}, args=["/bin/probe", "--wait"])
    Walk(rt, inject, how).all(nothing, ["create", "--bundle", str(bundle.path), "ID"])


@HOW
def test_run(rt, inject, how):
    bundle = rt.bundle({"linux": {"cgroupsPath": f"/{rt.token}-top/middle/leaf"}}, args=["/bin/true"])
    Walk(rt, inject, how).all(nothing, ["run", "--bundle", str(bundle.path), "ID"])


@HOW
@pytest.mark.parametrize("command", ["start", "exec", "kill", "delete --force"])
def test_command_on_a_container(rt, inject, how, command):
    bundle = rt.bundle(args=["/bin/probe", "--wait"])

    def prepare(id):
        rt.create(bundle, id=id)
        if command != "start":
            rt("start", id)
    words = {"start": ["start", "ID"], "exec": ["exec", "ID", "/bin/true"],
             "kill": ["kill", "ID", "KILL"], "delete --force": ["delete", "--force", "ID"]}[command]
    Walk(rt, inject, how).all(prepare, words, keep=True)


# ---- people's program ---------------------------------------------------------------------------

#: Flags and command; what is left running is removed.
LIVES = {
    "rootfs": (["--rootfs", "ROOT:O"], ["/bin/true"]),
    "detached": (["-d"], ["sleep", "1000"]),
    "userns": (["--userns=auto"], ["true"]),
    "strict": (["--secure", "strict"], ["true"]),
}


@HOW
@pytest.mark.parametrize("who,life", [("root", "rootfs"), ("root", "detached"), ("root", "userns"), ("user", "strict"),
                                      ("ranged", "userns")])
def test_people_run(request, inject, template, how, who, life):
    """A sample: much of it is as in the tests above."""
    people = request.getfixturevalue(who)
    flags, command = LIVES[life]
    flags = [flag.replace("ROOT", str(template)) for flag in flags]
    walk = Walk(people, inject, how, delete=("rm", "--force"))
    walk.all(nothing, ["run", "--name", "ID", "-e", f"E2E_TOKEN={people.token}", *flags, "--", *command],
             keep=life == "detached", most=40 if walk.sanitized else 100)
