"""checkpoint and restore: what happens where criu is missing, fails, or answers nonsense.

That it works is shown in a virtual machine (tests/vm/checkpoint.sh), since criu depends on the kernel. Here a
stand-in answers, so that each way to go wrong can be had, and the real one is asked too, where it is installed."""

import json
import os
import pathlib
import shutil
import stat
import subprocess
import time

import pytest

from containers import need, wait_until

HERE = pathlib.Path(__file__).resolve().parent
pytestmark = pytest.mark.usefixtures("only_ours", "as_root")


class Criu:
    """The stand-in, which nobody but root can have changed."""

    def __init__(self, folder):
        self.path = folder / "fake"
        shutil.copy(HERE / "fake_criu.py", self.path)
        self.path.chmod(0o755)

    def mode(self, *words):
        self.path.with_suffix(".mode").write_text(" ".join(str(word) for word in words))

    def seen(self):
        return json.loads(self.path.with_suffix(".seen").read_text())


@pytest.fixture
def criu(tmp_path):
    return Criu(tmp_path)


@pytest.fixture
def counter(rt):
    bundle = rt.bundle(args=["/bin/sh", "-c", "i=0; while true; do i=$((i+1)); echo $i >/tmp/count; sleep 0.05; done"])
    id = rt.started(bundle)

    def count():
        return int((bundle.rootfs / "tmp/count").read_text() or 0)
    wait_until((bundle.rootfs / "tmp/count").exists, what="the counter counts")
    return id, bundle, count


def lives_on(rt, id, count):
    assert rt.state(id)["status"] == "running"
    before = count()
    wait_until(lambda: count() > before, what="the counter goes on")


@pytest.mark.parametrize("mode,said", [
    ("fails", "criu 3.99 could not checkpoint container {}: Error (criu/x.c:7): the moon is in the way"),
    ("cut", "criu 3.99 could not checkpoint container {}: Error (criu/x.c:7): the moon is in the way"),
    ("old", "criu 3.14 or later is needed"),
    ("dies", "did not answer"),
    ("garbage", "did not answer"),
])
def test_failure_says_criu_s_reason_and_leaves_all_as_it_was(rt, criu, counter, tmp_path, mode, said):
    id, _bundle, count = counter
    criu.mode(mode)
    result = rt("--criu", criu.path, "checkpoint", "--image-path", tmp_path / "img", id, status=1)
    assert said.format(id) in result.stderr
    assert "criu check" in result.stderr
    assert not (tmp_path / "img").exists()
    lives_on(rt, id, count)
    rt("delete", "--force", id)


def test_network_is_not_left_locked(rt, criu, counter, tmp_path):
    """criu drops all packets of a container while it dumps it. If it is killed then, they would be for ever."""
    id, _bundle, count = counter
    need(shutil.which("iptables-restore") and shutil.which("nsenter"), "needs iptables and nsenter")

    def rules():
        net = f"--net=/proc/{rt.state(id)['pid']}/ns/net"
        return [subprocess.run(["nsenter", net, program, "-S"], check=True, capture_output=True, text=True).stdout
                for program in ("iptables", "ip6tables")]
    before = rules()
    criu.mode("locks")
    result = rt("--criu", criu.path, "checkpoint", "--image-path", tmp_path / "img", id, status=1)
    assert "locked" not in result.stderr
    assert rules() == before and "CRIU" not in "".join(before)
    lives_on(rt, id, count)
    rt("delete", "--force", id)


def test_who_gives_up_in_the_host_s_network_hears_what_stays(rt, criu, tmp_path):
    def host_net(config):
        config["linux"]["namespaces"] = [ns for ns in config["linux"]["namespaces"] if ns["type"] != "network"]
        config["mounts"] = [mount for mount in config["mounts"] if mount["type"] != "sysfs"]
    id = rt.started(rt.bundle(host_net, args=["/bin/probe", "--wait"]))
    criu.mode("serves")
    argv = rt.argv("--criu", criu.path, "checkpoint", "--lazy-pages", "--page-server", "127.0.0.1:27009", "--tcp-established",
                   "--image-path", tmp_path / "img", id)
    with subprocess.Popen(argv, env=rt.environment(), stderr=subprocess.PIPE, text=True) as process:
        wait_until(criu.path.with_suffix(".waits").exists, what="criu serves")
        time.sleep(0.2)
        process.terminate()
        said = process.communicate()[1]
    assert process.returncode == 1
    assert "the container runs on; its connections stay locked, by criu's rules in the host's tables" in said
    assert rt.state(id)["status"] == "running"
    rt("delete", "--force", id)


def test_log_stays_where_it_was_asked_for(rt, criu, counter, tmp_path):
    id, _bundle, _count = counter
    (tmp_path / "work").mkdir()
    (tmp_path / "work/dump.log").write_text("Error (old.c:1): of an earlier time\n")
    criu.mode("fails")
    result = rt("--criu", criu.path, "checkpoint", "--image-path", tmp_path / "img", "--work-path", tmp_path / "work", id, status=1)
    assert "moon" in (tmp_path / "work/dump.log").read_text()
    assert "earlier" not in result.stderr
    # What was there before is not ours to remove.
    (tmp_path / "there").mkdir()
    rt("--criu", criu.path, "checkpoint", "--image-path", tmp_path / "there", id, status=1)
    assert (tmp_path / "there").exists()
    rt("delete", "--force", id)


def test_criu_gets_nothing_but_its_socket(rt, criu, counter, tmp_path):
    id, _bundle, _count = counter
    criu.mode("works")
    rt("--criu", criu.path, "checkpoint", "--leave-running", "--tcp-established", "--file-locks", "--manage-cgroups-mode", "full",
       "--image-path", tmp_path / "img", id, env={"SECRET": "x", "CRIU_CONFIG_FILE": "/tmp/x"})
    seen = criu.seen()
    # Its socket, and the one that lists them.
    assert len(seen["fds"]) == 5 and seen["fds"][:3] == [0, 1, 2]
    assert set(seen["env"]) <= {"PATH", "LC_CTYPE"}
    assert seen["argv"][0] == "swrk" and seen["cwd"] == "/"
    assert seen["type"] == 1
    opts = seen["opts"]
    assert opts["2"] == [rt.state(id)["pid"]] and opts["3"] == [1] and opts["5"] == [1] and opts["8"] == [1]
    assert opts["34"] == [4]
    assert stat.S_IMODE((tmp_path / "img").stat().st_mode) == 0o700
    assert len(json.loads((tmp_path / "img/descriptors.json").read_text())) == 3
    rt("delete", "--force", id)


def test_after_a_checkpoint_the_container_is_gone(rt, criu, counter, tmp_path):
    id, _bundle, _count = counter
    criu.mode("works")
    rt("--criu", criu.path, "checkpoint", "--image-path", tmp_path / "img", id)
    assert "does not exist" in rt("state", id, status=1).stderr


def test_only_what_runs_can_be_checkpointed(rt, criu, tmp_path):
    criu.mode("works")
    id = rt.create(rt.bundle(args=["/bin/true"]))
    result = rt("--criu", criu.path, "checkpoint", "--image-path", tmp_path / "img", id, status=1)
    assert "cannot be checkpointed in the created state" in result.stderr
    rt("delete", "--force", id)


@pytest.mark.parametrize("flags,said", [
    (["--manage-cgroups-mode", "hard"], "expected soft, full, strict or ignore"),
    (["--page-server", "10.0.0.1"], "expected ADDRESS:PORT"),
    (["--page-server", "10.0.0.1:0"], "expected ADDRESS:PORT"),
    (["--empty-ns", "pid"], "only network"),
    (["--status-fd", "77"], "open descriptor"),
    (["--parent-path", "/abs"], "relative to --image-path"),
    (["--parent-path", "../missing"], "--parent-path ../missing"),
    (["--image-path", ""], "--image-path is empty"),
])
def test_bad_flags_are_named(rt, counter, tmp_path, flags, said):
    id, _bundle, _count = counter
    if flags[0] != "--image-path":
        flags = ["--image-path", tmp_path / "img", *flags]
    assert said in rt("checkpoint", *flags, id, status=1).stderr
    rt("delete", "--force", id)


@pytest.mark.parametrize("mode", ["fails", "cut", "garbage", "dies", "stranger"])
def test_restore_that_fails_leaves_nothing(rt, criu, tmp_path, mode):
    bystander = subprocess.Popen(["sleep", "60"])
    criu.mode(mode, os.getpid() if mode == "stranger" else "")
    (tmp_path / "img").mkdir()
    (tmp_path / "img/descriptors.json").write_text('["/dev/null", "pipe:[7]", "pipe:[7]"]')
    bundle, id = rt.bundle(args=["/bin/true"]), rt.new_id()
    try:
        result = rt("--criu", criu.path, "restore", "--detach", "--bundle", bundle.path, "--image-path", tmp_path / "img", id, status=1)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
    assert {"stranger": "no child of ours", "fails": "could not restore", "cut": "could not restore"}.get(mode, "did not answer") in result.stderr
    assert "does not exist" in rt("state", id, status=1).stderr


def in_userns(config):
    config["linux"]["namespaces"].append({"type": "user"})
    for kind in ("uidMappings", "gidMappings"):
        config["linux"][kind] = [{"containerID": 0, "hostID": 200000, "size": 65536}]


def write_images(folder):
    """Images in two steps, as root keeps them."""
    folder.mkdir(mode=0o700)
    for name in ("one", "two"):
        (folder / name).mkdir(mode=0o700)
        (folder / name / "core-1.img").touch(mode=0o600)
        (folder / name / "timens-0.img").touch(mode=0o600)
        (folder / name / "descriptors.json").write_text("[]")
    (folder / "two/parent").symlink_to("../one")


def test_images_are_those_of_the_container_s_root_for_criu_alone(rt, criu, tmp_path):
    """criu reads them when it is nobody else any more. On the disk they stay root's, and secret."""
    write_images(tmp_path / "img")
    criu.mode("fails")
    bundle, id = rt.bundle(in_userns, args=["/bin/true"]), rt.new_id()
    before = pathlib.Path("/proc/self/mountinfo").read_text()
    modes = {"": "700", "core-1.img": "600", "timens-0.img": "600", "parent/core-1.img": "600"}
    rt("--criu", criu.path, "restore", "--detach", "--bundle", bundle.path, "--image-path", tmp_path / "img/two", id, status=1)
    # Others, as which criu opens the one image, may pass the directory, and see no other.
    modes_then = modes | {"": "701", "timens-0.img": "604"}
    assert json.loads(criu.path.with_suffix(".owners").read_text()) == {name: [200000, 200000, modes_then[name]] for name in modes}
    for path, mode in (("img", 0o700), ("img/two", 0o700), ("img/two/core-1.img", 0o600), ("img/two/timens-0.img", 0o600)):
        found = (tmp_path / path).stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 0, mode), path
    assert pathlib.Path("/proc/self/mountinfo").read_text() == before
    # Without a user namespace there is nothing to show otherwise.
    rt("--criu", criu.path, "restore", "--detach", "--bundle", rt.bundle(args=["/bin/true"]).path, "--image-path", tmp_path / "img/two", id, status=1)
    assert json.loads(criu.path.with_suffix(".owners").read_text()) == {name: [0, 0, modes[name]] for name in modes}


def test_images_are_as_before_after_a_restore_that_was_killed(rt, criu, tmp_path):
    write_images(tmp_path / "img")
    images, waits = tmp_path / "img/two", criu.path.with_suffix(".waits")
    criu.mode("waits")
    bundle, id = rt.bundle(in_userns, args=["/bin/true"]), rt.new_id()

    def modes():
        return [f"{stat.S_IMODE(path.stat().st_mode):o}" for path in (images, images / "timens-0.img")]
    before = modes()
    argv = rt.argv("--criu", criu.path, "restore", "--detach", "--bundle", bundle.path, "--image-path", images, id)
    with subprocess.Popen(argv, env=rt.environment()) as process:
        wait_until(waits.exists, what="criu is at work")
        assert modes() == ["701", "604"]
        process.kill()
    assert modes() == ["701", "604"]
    rt("delete", "--force", id)
    assert modes() == before


def test_images_that_cannot_be_shown_so_are_refused_before_anything_is_made(rt, criu, tmp_path):
    """ramfs stands for the file systems that have no other owners; parents elsewhere, or in a circle, are other ways."""
    criu.mode("works")
    bundle, id = rt.bundle(in_userns, args=["/bin/true"]), rt.new_id()
    write_images(tmp_path / "img")
    images = tmp_path / "ram"
    images.mkdir()
    subprocess.run(["mount", "-t", "ramfs", "none", images], check=True)
    try:
        write_images(images / "img")
        result = rt("--criu", criu.path, "restore", "--detach", "--bundle", bundle.path, "--image-path", images / "img/two", id, status=1)
    finally:
        subprocess.run(["umount", images], check=True)
    assert f"the images in {images}/img/two cannot be shown to criu as those of root in the container's user namespace" in result.stderr
    assert "ext4, xfs and btrfs" in result.stderr
    (tmp_path / "img/one/parent").symlink_to("/proc")
    result = rt("--criu", criu.path, "restore", "--detach", "--bundle", bundle.path, "--image-path", tmp_path / "img/two", id, status=1)
    assert "earlier images are on another file system" in result.stderr
    (tmp_path / "img/one/parent").unlink()
    (tmp_path / "img/one/parent").symlink_to("../two")
    result = rt("--criu", criu.path, "restore", "--detach", "--bundle", bundle.path, "--image-path", tmp_path / "img/two", id, status=1)
    assert "follow" in result.stderr and "too many" in result.stderr
    assert not criu.path.with_suffix(".seen").exists()
    assert "does not exist" in rt("state", id, status=1).stderr


def test_images_that_are_none_are_named(rt, criu, tmp_path):
    criu.mode("works")
    bundle = rt.bundle(args=["/bin/true"])
    restore = ["--criu", criu.path, "restore", "--detach", "--bundle", bundle.path, "--image-path", tmp_path / "img"]
    assert f"read {tmp_path}/img/descriptors.json: no such file or directory" in rt(*restore, rt.new_id(), status=1).stderr
    (tmp_path / "img").mkdir()
    for text in ('{}', '["a", "b", "c", "d"]', '[1]', '["a"', ''):
        (tmp_path / "img/descriptors.json").write_text(text)
        assert "descriptors.json:1:" in rt(*restore, rt.new_id(), status=1).stderr


def test_missing_criu_says_what_to_do(rt, counter, tmp_path):
    id, _bundle, _count = counter
    result = rt("--criu", tmp_path / "nowhere", "checkpoint", "--image-path", tmp_path / "img", id, status=1)
    assert f"{tmp_path}/nowhere" in result.stderr and "no such file" in result.stderr
    assert not (tmp_path / "img").exists()
    rt("delete", "--force", id)


def test_criu_of_somebody_else_is_not_run_by_root(rt, counter, tmp_path):
    """A directory in root's PATH that others can write to must not decide what root runs."""
    id, _bundle, count = counter
    trap = tmp_path / "bin"
    trap.mkdir()
    trap.chmod(0o777)
    (trap / "criu").write_text(f"#!/bin/sh\ntouch {tmp_path}/trapped\n")
    (trap / "criu").chmod(0o755)
    rt("checkpoint", "--leave-running", "--image-path", tmp_path / "img", id, status=None, env={"PATH": f"{trap}:{os.environ['PATH']}"})
    assert not (tmp_path / "trapped").exists()
    # The twin: root's own place counts.
    trap.chmod(0o755)
    rt("checkpoint", "--leave-running", "--image-path", tmp_path / "img", id, status=1, env={"PATH": f"{trap}:{os.environ['PATH']}"})
    assert (tmp_path / "trapped").exists()
    lives_on(rt, id, count)
    rt("delete", "--force", id)


def test_real_criu_works_or_says_why_not(rt, counter, tmp_path):
    need(shutil.which("criu", path="/usr/sbin:/usr/bin:/usr/local/sbin"), "criu is not installed")
    id, _bundle, count = counter
    result = rt("checkpoint", "--leave-running", "--image-path", tmp_path / "img", id, status=None)
    if result.status != 0:
        assert f"could not checkpoint container {id}: Error (" in result.stderr
        assert not (tmp_path / "img").exists()
    lives_on(rt, id, count)
    rt("delete", "--force", id)


def test_ordinary_users_are_told(user_rt, tmp_path):
    id = user_rt.started(user_rt.bundle(args=["/bin/probe", "--wait"]))
    result = user_rt("checkpoint", "--image-path", "/tmp/not-made", id, status=1)
    assert "criu needs root" in result.stderr or "criu was not found" in result.stderr
    user_rt("delete", "--force", id)
