"""Podman, Docker and containerd, the real things, with a runtime of our choice: offline, their storage, state and
configuration in a temporary directory, and without a trace on the host."""

import glob
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from containers import USER, cgroup_dirs, processes_with, wait_until
from people import WITH_OTHER_FILES

CONFIGURATION = """
[containers]
# What a caller without CAP_SYS_RESOURCE may set, too.
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
cgroup_manager = "cgroupfs"
events_logger = "none"
runtime_supports_json = ["crun", "runc", "containr-oci"]
[engine.runtimes]
containr-oci = ["{program}"]
"""

NETWORK = """
[network]
network_backend = "netavark"
network_config_dir = "{dir}/networks"
"""

SETUP = """
mount -t proc proc /proc
mount -t tmpfs -o mode=755 run /run
mkdir -p /run/lock /run/netns
ip link set lo up
echo ready
exec sleep 100000
"""


class Podman:
    """What root's podman and a user's have in common. The image is that of the other tests: localhost/box."""

    timeout = 60
    cwd = None

    def __init__(self, program, template):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ctr-podman-"))
        self.token = "e2e" + self.dir.name[-8:]
        self.runtime = program
        (self.dir / "containers.conf").write_text(self.configuration(program))
        self.begin()
        archive = self.dir / "image.tar"
        subprocess.run(["tar", "-C", str(template), "-cf", str(archive), "."], check=True)
        self("import", archive, "localhost/box")

    def configuration(self, program):
        return CONFIGURATION.format(program=program)

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.dir), "E2E_TOKEN": self.token,
                "CONTAINERS_CONF": str(self.dir / "containers.conf")}

    def __call__(self, *args, status=0, timeout=None, text=None):
        with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as error:
            process = subprocess.run(self.argv(*args), env=self.environment(), stdout=out, stderr=error,
                                     timeout=timeout or self.timeout, check=False, text=True, cwd=self.cwd,
                                     **({"input": text} if text else {"stdin": subprocess.DEVNULL}))
            out.seek(0)
            error.seek(0)
            output, self.stderr = out.read(), error.read()
        assert status is None or process.returncode == status, \
            f"podman {args}: status {process.returncode}\n{output}\n{self.stderr}"
        return output

    def box(self, *args, flags=(), **more):
        """What a command prints in a container of its own."""
        return self("run", "--rm", *flags, "localhost/box", *args, **more)

    def close(self):
        self("rm", "--all", "--force", "--time", "0", status=None)
        self.end()
        wait_until(lambda: not processes_with(self.token), what="all of podman has ended")
        self.sweep()
        shutil.rmtree(self.dir, ignore_errors=True)

    def sweep(self):
        """What is left elsewhere than in our directory."""


class Namespaces:
    """Namespaces for root's engine (pid, mount, network): what it mounts, binds and forgets goes with them."""

    def __init__(self, environment):
        self.keeper = subprocess.Popen(
            ["unshare", "--mount", "--net", "--pid", "--fork", "--kill-child", "--propagation",
             "private", "sh", "-e", "-c", SETUP], stdout=subprocess.PIPE, env=environment)
        assert self.keeper.stdout.readline() == b"ready\n"
        children = f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children"
        self.pid = wait_until(lambda: open(children).read().split())[0]

    def inside(self, *words):
        return ["nsenter", "-t", self.pid, "-m", "-n", "-p", "-w", "--", *map(str, words)]

    def end(self):
        self.keeper.kill()
        self.keeper.wait()


def sweep_cgroups(parents):
    for parent in parents:
        for where, _names, _files in os.walk(parent, topdown=False):
            os.rmdir(where)


class RootsPodman(Podman):
    """Root's; only its cgroups are the host's, and they go at the end."""

    def configuration(self, program):
        (self.dir / "networks").mkdir()
        return super().configuration(program) + NETWORK.format(dir=self.dir)

    def begin(self):
        self.had_parent = set(glob.glob("/sys/fs/cgroup/**/libpod_parent", recursive=True))
        self.namespaces = Namespaces(self.environment())

    def argv(self, *args):
        return self.namespaces.inside("podman", "--root", f"{self.dir}/storage", "--runroot", f"{self.dir}/run",
                                      "--tmpdir", f"{self.dir}/tmp", "--storage-driver", "vfs", "--runtime",
                                      self.runtime, *args)

    def end(self):
        self.namespaces.end()

    def sweep(self):
        sweep_cgroups(set(glob.glob("/sys/fs/cgroup/**/libpod_parent", recursive=True)) - self.had_parent)


class UsersPodman(Podman):
    """That of a user with ranges of ids, who exists for it alone: in a mount namespace with other files over
    /etc/passwd, /etc/subuid and the like."""

    NAME = "e2e-user"
    timeout = 90
    cwd = "/"

    def __init__(self, program, template, before=""):
        """`before`: what root does in that mount namespace first."""
        self.before = before
        super().__init__(program, template)

    def begin(self):
        self.dir.chmod(0o755)
        for name in ("home", "run", "etc", "data"):
            (self.dir / name).mkdir()
        for name in ("passwd", "group"):
            text = pathlib.Path("/etc", name).read_text(encoding="utf-8")
            (self.dir / "etc" / name).write_text(text + {
                "passwd": f"{self.NAME}:x:{USER}:{USER}::{self.dir}/home:/bin/sh\n", "group": f"{self.NAME}:x:{USER}:\n"}[name])
        for name in ("subuid", "subgid"):
            (self.dir / "etc" / name).write_text(f"{self.NAME}:2000000:65536\n")
        for name in ("home", "run", "data"):
            os.chown(self.dir / name, USER, USER)
        (self.dir / "run").chmod(0o700)

    def environment(self):
        return {**super().environment(), "HOME": f"{self.dir}/home", "XDG_RUNTIME_DIR": f"{self.dir}/run"}

    def argv(self, *args):
        """Podman, or what follows "--" in its place, as the user."""
        words = ["podman", "--storage-driver", "vfs", "--runtime", self.runtime, *map(str, args)]
        if args[0] == "--":
            words = list(args[1:])
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", self.before + WITH_OTHER_FILES,
                f"{self.dir}/etc", "setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", *words]

    def end(self):
        # Podman keeps a process that holds its user namespace.
        for pid in processes_with(self.token):
            os.kill(pid, 15)


class Docker:
    """A Docker daemon and the containerd that it starts, in namespaces of their own."""

    def __init__(self, program, template):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="ctr-docker-"))
        self.program = program
        self.token = "e2e" + self.dir.name[-8:]
        self.namespaces = Namespaces(self.environment())
        (self.dir / "daemon.json").write_text(json.dumps({
            "data-root": f"{self.dir}/data", "exec-root": f"{self.dir}/exec", "pidfile": f"{self.dir}/pid",
            "hosts": [f"unix://{self.dir}/docker.sock"], "storage-driver": "vfs", "bridge": "none", "iptables": False,
            "ip6tables": False, "default-runtime": "containr", "cgroup-parent": f"/{self.token}", "runtimes": {"containr": {"path": program}}}))
        with open(self.dir / "log", "w", encoding="utf-8") as log:
            self.daemon = subprocess.Popen(self.namespaces.inside("dockerd", "--config-file", self.dir / "daemon.json"),
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment())
        wait_until((self.dir / "docker.sock").exists, 60, "the Docker daemon has started")
        archive = self.dir / "image.tar"
        subprocess.run(["tar", "-C", str(template), "-cf", str(archive), "."], check=True)
        self.docker("import", archive, "box")

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.dir), "E2E_TOKEN": self.token,
                "DOCKER_HOST": f"unix://{self.dir}/docker.sock", "DOCKER_BUILDKIT": "0"}

    def command(self, *words, status=0, timeout=60):
        run = subprocess.run(self.namespaces.inside(*words), env=self.environment(), stdin=subprocess.DEVNULL,
                             capture_output=True, text=True, timeout=timeout, check=False)
        self.stderr = run.stderr
        assert status is None or run.returncode == status, f"{words}: status {run.returncode}\n{run.stdout}\n{run.stderr}"
        return run.stdout

    def docker(self, *args, **more):
        return self.command("docker", *args, **more)

    def ctr(self, *args, **more):
        return self.command("ctr", "--address", f"{self.dir}/exec/containerd/containerd.sock", *args, **more)

    def run(self, *args, flags=(), runtime="containr", **more):
        return self.docker("run", "--rm", "--runtime", runtime, "--network", "none", *flags, "box", *args, **more)

    def close(self):
        self.daemon.terminate()
        self.daemon.wait(60)
        self.namespaces.end()
        wait_until(lambda: not processes_with(self.token), what="all of Docker has ended")
        sweep_cgroups(cgroup_dirs(self.token))
        shutil.rmtree(self.dir, ignore_errors=True)
