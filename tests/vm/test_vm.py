"""Security modules and cgroup controllers that this kernel may not have, in a virtual machine: `make check-vm`.

Each script runs once in a machine of its own (vm-run.sh) and says "ok NAME" or "not ok NAME" for each of
its functions test_NAME; each is a test here. Without CONTAINR_VM=1 they run only where the machine's image
was made before, since that takes minutes.
"""

import os
import pathlib
import re
import shutil
import subprocess

import pytest

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("CONTAINR_BUILD", TREE / "build"))
WANTED = os.environ.get("CONTAINR_VM") == "1"
#: Script, mode of the machine, release of Debian, seconds.
RUNS = [
    ("apparmor.sh", "apparmor", "trixie", 600),
    ("apparmor.sh", "apparmor", "bookworm", 600),
    ("apparmor_run.sh", "apparmor", "trixie", 600),
    ("apparmor_run.sh", "apparmor", "bookworm", 600),
    ("resources.sh", "apparmor", "trixie", 600),
    ("resources.sh", "apparmor", "bookworm", 600),
    ("resources_v1.sh", "apparmor", "bookworm", 600),
    ("checkpoint.sh", "apparmor", "bookworm", 1500),
    ("checkpoint_systemd.sh", "systemd", "bookworm", 1500),
    ("checkpoint_systemd.sh", "systemd-v1", "bookworm", 1500),
    ("checkpoint_systemd.sh", "systemd-hybrid", "bookworm", 1500),
    ("podman.sh", "systemd", "trixie", 1200),
    ("rootless.sh", "systemd", "trixie", 900),
    ("rootless.sh", "systemd", "bookworm", 900),
    ("selinux.sh", "selinux", "trixie", 600),
    ("selinux.sh", "selinux", "bookworm", 900),
    ("selinux_run.sh", "selinux", "trixie", 900),
    ("selinux_run.sh", "selinux", "bookworm", 1800),
    ("speed.sh", "systemd", "trixie", 600),
    ("systemd.sh", "systemd", "trixie", 1800),
    ("systemd_v1.sh", "systemd-v1", "bookworm", 1500),
    ("systemd_v1.sh", "systemd-hybrid", "bookworm", 1500),
]
#: Modes of the machine that are another one with more kernel arguments.
ARGUMENTS = {
    "systemd-v1": "systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=1",
    "systemd-hybrid": "systemd.unified_cgroup_hierarchy=0 systemd.legacy_systemd_cgroup_controller=0",
}
#: Debian's packages that a script needs beside those of every machine.
PACKAGES = {
    ("checkpoint.sh", "bookworm"): "conmon criu fuse-overlayfs iptables podman",
    ("checkpoint_systemd.sh", "bookworm"): "conmon criu fuse-overlayfs iptables podman",
    ("podman.sh", "trixie"): "conmon fuse-overlayfs iptables podman",
    ("rootless.sh", "bookworm"): "conmon criu fuse-overlayfs iptables podman",
    ("rootless.sh", "trixie"): "conmon fuse-overlayfs iptables podman",
}
#: Who runs a script, if it is not root alone: each in a machine of its own.
USERS = {"podman.sh": ["root", "tester"], "rootless.sh": ["tester"], "systemd.sh": ["root", "tester"]}


def names(script):
    return re.findall(r"^test_(\w+)\(\) ", (HERE / script).read_text(), re.M)


def images(suite):
    cache = os.environ.get("VM_CACHE") or f"{os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')}/vm-run"
    return list(pathlib.Path(cache).glob(f"{suite}-*/done"))


def prepare(folder):
    """What the machine gets to see as its /work."""
    for path in (BUILD / "src/cli/containr-oci", BUILD / "src/cli/containr", TREE / "data/apparmor/containr-default",
                 shutil.which("busybox"), *HERE.glob("*.sh")):
        shutil.copy2(path, folder)
    machine = os.uname().machine
    subprocess.run(["musl-gcc", "-static", "-idirafter", "/usr/include", "-idirafter",
                    f"/usr/include/{machine}-linux-gnu", "-std=gnu17", "-D_GNU_SOURCE", "-O1", "-Wall",
                    f"-I{TREE}/src", f"-I{TREE}/include", "-o", folder / "lsm-tool", HERE / "lsm-tool.c",
                    BUILD / "src/libcontainr.a"], check=True)


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    """What a run said, by script, mode, release and user; each run happens once, when it is first asked for."""
    known = {}

    def get(script, mode, suite, seconds, user):
        if (script, mode, suite, user) not in known:
            folder = tmp_path_factory.mktemp("work")
            prepare(folder)
            run = subprocess.run([HERE / "vm-run.sh", "-m", mode.partition("-")[0], "-k", ARGUMENTS.get(mode, ""),
                                  "-s", suite, "-t", str(seconds), "-d", folder, "-u", user,
                                  "--", "bash", f"./{script}"], capture_output=True, text=True,
                                 env={**os.environ, "VM_QUIET": "1",
                                      "VM_PACKAGES": PACKAGES.get((script, suite), "")}, check=False)
            known[script, mode, suite, user] = run.stdout + run.stderr
        return known[script, mode, suite, user]

    return get


@pytest.mark.parametrize("script,mode,suite,seconds,user,name",
                         [pytest.param(*run, user, name, id=f"{run[2]}-{run[1]}-{run[0]}-{user}-{name}")
                          for run in RUNS for user in USERS.get(run[0], ["root"]) for name in names(run[0])])
def test_in_machine(results, script, mode, suite, seconds, user, name):
    if not WANTED and not images(suite):
        pytest.skip(f"the machine's image ({suite}) is not there: `make check-vm` makes it, in minutes")
    text = results(script, mode, suite, seconds, user)
    print(text)  # figures, too: `pytest -rP` shows them
    if re.search(rf"^ok {name}$", text, re.M):
        return
    said = re.search(rf"^not ok {name}\n((?:# .*\n)*)", text, re.M)
    pytest.fail(said[1] if said else f"it never ran; the whole run said:\n{text[-3000:]}", pytrace=False)
