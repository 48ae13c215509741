"""Overlays: mounts of type overlay in config.json, and volumes and roots whose changes go with the container."""

import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from containers import mount_line, need, wait_until


@pytest.fixture
def layers(any_rt):
    """Two lower directories, an upper one and one to work in."""
    folder = any_rt.dir / "layers"
    for name in ("top", "bottom", "upper", "work"):
        (folder / name).mkdir(parents=True)
    (folder / "top/both").write_text("top\n")
    (folder / "bottom/both").write_text("bottom\n")
    (folder / "bottom/only").write_text("only\n")
    (folder / "bottom/dir").mkdir()
    (folder / "bottom/dir/inside").write_text("inside\n")
    own(any_rt, folder)
    return folder


def own(rt, folder):
    """Gives a directory to the user who runs the test."""
    for where, names, files in os.walk(folder):
        for name in (".", *names, *files):
            os.chown(os.path.join(where, name), rt.uid(), rt.gid())


def contents(folder):
    """All files below, with what is in them."""
    return {str(path.relative_to(folder)): path.read_text() if path.is_file() else None
            for path in pathlib.Path(folder).rglob("*")}


def overlay(*options, destination="/o"):
    """A change of the configuration: one more mount."""
    def change(config):
        config["mounts"].append({"destination": destination, "type": "overlay", "source": "overlay",
                                 "options": list(options)})
    return change


def of(layers, lower="top:bottom", upper=True):
    """The options of an overlay of those."""
    words = ["lowerdir=" + ":".join(f"{layers}/{name}" for name in lower.split(":"))]
    return words + ([f"upperdir={layers}/upper", f"workdir={layers}/work"] if upper else [])


def test_layers(any_rt, layers):
    assert any_rt.shell("cat /o/both /o/only", overlay(*of(layers, upper=False))) == "top\nonly\n"
    assert "Read-only" in any_rt.run(any_rt.bundle(overlay(*of(layers, upper=False)), args=["touch", "/o/new"]),
                                     status=1).stderr


def test_changes_go_to_the_upper_layer(any_rt, layers):
    before = contents(layers / "bottom"), contents(layers / "top")
    script = "echo new >/o/new; echo changed >/o/only; rm -r /o/dir; mkdir /o/dir; ls -A /o/dir; rm /o/both; ls /o"
    assert any_rt.shell(script, overlay(*of(layers))).split() == ["dir", "new", "only"]
    assert (contents(layers / "bottom"), contents(layers / "top")) == before
    assert (layers / "upper/only").read_text() == "changed\n" and (layers / "upper/new").read_text() == "new\n"
    # And they are there the next time.
    assert any_rt.shell("cat /o/only; ls -A /o/dir", overlay(*of(layers))) == "changed\n"


def test_flags_of_the_mount(any_rt, layers):
    seen = any_rt.probe(overlay(*of(layers), "nosuid", "nodev", "noexec", "ro"))
    line = mount_line(seen, "/o")
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(line[5].split(","))
    # The host's paths stay the host's.
    assert str(layers) not in " ".join(line)


def test_relative_paths_are_the_bundles(any_rt):
    bundle = any_rt.bundle(overlay("lowerdir=low:/etc"), args=["cat", "/o/file"])
    (bundle.path / "low").mkdir()
    (bundle.path / "low/file").write_text("relative\n")
    assert any_rt.run(bundle).stdout == "relative\n"


def test_names_with_colons_commas_and_length(any_rt, layers):
    name = layers / ("long" * 60) / "a:b,c\\d"
    name.mkdir(parents=True)
    (name / "file").write_text("odd\n")
    own(any_rt, layers)
    written = str(name).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
    assert any_rt.shell("cat /o/file", overlay(f"lowerdir={written}:/etc")) == "odd\n"


def test_many_layers(any_rt, layers):
    names = []
    for number in range(30):
        names.append(f"l{number}")
        (layers / names[-1]).mkdir()
        (layers / names[-1] / f"f{number}").write_text("")
    own(any_rt, layers)
    if tuple(map(int, os.uname().release.split(".")[:2])) < (6, 7):
        result = any_rt.run(any_rt.bundle(overlay(*of(layers, ":".join(names)))), status=1)
        assert "more than 13 directories" in result.stderr
    else:
        assert len(any_rt.shell("ls /o", overlay(*of(layers, ":".join(names)))).split()) == 30


@pytest.mark.parametrize("options,says", [
    ([], "needs lowerdir=DIRECTORY"), (["lowerdir=/x::/y"], "has an empty path in lowerdir"),
    (["lowerdir=/tmp", "upperdir=/tmp"], "needs upperdir and workdir, or neither"),
    (["lowerdir=/tmp"], "needs two directories in lowerdir"), (["lowerdir=/tmp:/nowhere/at/all"], "/nowhere/at/all: no such file or directory"),
    (["lowerdir=/tmp:/etc/passwd"], "/etc/passwd: not a directory"),
    (["lowerdir=" + ":".join(["/tmp"] * 65)], "has more than 64 directories"),
    (["lowerdir=/tmp:/etc", "mistake=1"], "mistake"),
])
def test_mistakes_are_named(any_rt, only_ours, options, says):
    assert says in any_rt.run(any_rt.bundle(overlay(*options)), status=1).stderr


def test_a_user_gets_at_nothing_of_others(user_rt, as_root):
    """What the user may not read stays so."""
    secret = user_rt.dir / "secret"
    secret.mkdir(mode=0o700)
    os.chown(secret, 0, 0)
    (secret / "file").write_text("secret")
    result = user_rt.run(user_rt.bundle(overlay(f"lowerdir={secret}:/tmp"), args=["cat", "/o/file"]), status=None)
    assert result.status != 0 and "secret" not in result.stdout


# ---- volumes and roots whose changes go with the container ---------------------------------------

@pytest.fixture
def data(anyone):
    """A directory of the user's."""
    folder = anyone.dir / "data"
    (folder / "dir").mkdir(parents=True)
    (folder / "file").write_text("as it was\n")
    (folder / "dir/inside").write_text("inside\n")
    folder.chmod(0o755)
    own(anyone, folder)
    return folder


def test_volume(anyone, data):
    before = contents(data)
    script = ("echo new >/d/new; echo changed >/d/file; rm -r /d/dir; mkdir /d/dir; cat /d/file; ls -A /d; "
              "stat -c '%a %u' /d")
    text = anyone.sh(script, "-v", f"{data}:/d:O")
    assert text.split() == ["changed", "dir", "file", "new", "755", "0"]
    assert contents(data) == before
    assert anyone.sh("cat /d/file", "-v", f"{data}:/d:O") == "as it was\n"


def test_volume_is_as_confined_as_another(anyone, data):
    seen = anyone.seen("-v", f"{data}:/d:O,noexec")
    lines = [line.split() for line in seen["mounts"] if line.split()[4].startswith("/d/") or line.split()[4] == "/d"]
    assert len(lines) == 1, "the layers are in sight"
    assert {"nosuid", "nodev", "noexec"} <= set(lines[0][5].split(","))
    assert str(data) not in " ".join(lines[0])


def test_volume_below_another(anyone, data):
    text = anyone.sh("echo x >/w/d/file; cat /w/d/file", "--tmpfs", "/w", "-v", f"{data}:/w/d:O")
    assert text == "x\n" and (data / "file").read_text() == "as it was\n"


def test_volume_in_a_user_namespace_of_root(root, tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o777)
    root.dir.joinpath("d").symlink_to(data)
    (data / "file").write_text("as it was\n")
    assert root.sh("echo x >/d/new; cat /d/file /d/new", "--userns=auto", "-v", f"{data}:/d:O") == "as it was\nx\n"
    assert not (data / "new").exists()


def test_volume_must_be_a_directory(anyone, data):
    assert "not a directory" in anyone.do("-v", f"{data}/file:/d:O", status=125).stderr


def test_root(anyone, template):
    rootfs = anyone.dir / "rootfs"
    subprocess.run(["cp", "-a", str(template), str(rootfs)], check=True)
    own_links = ["chown", "-Rh", f"{anyone.uid()}:{anyone.gid()}", str(rootfs)]
    subprocess.run(own_links, check=True)
    before = sorted(str(path) for path in rootfs.rglob("*"))
    text = anyone.sh("echo x >/new; rm /etc/group; cat /new; ls /etc", "--rootfs", f"{rootfs}:O")
    assert text.split() == ["x", "passwd"]
    assert sorted(str(path) for path in rootfs.rglob("*")) == before
    assert "Read-only" in anyone.do("--rootfs", f"{rootfs}:O", "--read-only", command=["touch", "/x"], status=1).stderr


# ---- layers that the kernel refuses ---------------------------------------------------------------

#: In a mount namespace: a /dev/fuse for everybody, as most hosts have it, and overlays in overlays in $1/l2, which
#: are as deep as the kernel has them.
DEEP = """
mount -t tmpfs none "$1/dev" && mknod -m 666 "$1/dev/fuse" c 10 229 && mount --bind "$1/dev/fuse" /dev/fuse || exit 99
mount -t overlay -o "lowerdir=$1/l1:$1/base" none "$1/l1" || exit 99
mount -t overlay -o "lowerdir=$1/l2:$1/l1" none "$1/l2" || exit 99
"""
SERVER = "fuse-overlayfs"


def servers():
    """Processes of fuse-overlayfs."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cmdline").read_bytes().split(b"\0")[0] == SERVER.encode():
                found.append(int(path.name))
        except OSError:
            pass
    return found


def deepen(rt, before=""):
    """Gives a user's runtime a mount namespace in which DEEP was done, and returns that directory."""
    need(shutil.which(SERVER), f"{SERVER} is not installed")
    folder = rt.dir / "deep"
    for name in ("base/dir", "l1", "l2", "dev", "upper", "work"):
        (folder / name).mkdir(parents=True)
    (folder / "base/file").write_text("as it was\n")
    (folder / "base/dir/inside").write_text("inside\n")
    own(rt, folder)
    argv = rt.argv
    rt.argv = lambda *args: ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                             DEEP + before + 'shift; exec "$@"', "sh", str(folder), *argv(*args)]
    return folder


@pytest.fixture(autouse=True)
def no_server_stays():
    yield
    wait_until(lambda: not servers(), what="all servers of overlays have ended")


def refused_overlay(folder):
    return overlay(f"lowerdir={folder}/l2", f"upperdir={folder}/upper", f"workdir={folder}/work")


def test_deep_layers_are_served(user_rt):
    folder = deepen(user_rt)
    script = "cat /o/file; echo new >/o/new; echo changed >/o/file; rm -r /o/dir; ls /o; cat /o/file; stat -c %u /o/new"
    assert user_rt.shell(script, refused_overlay(folder)).split() == ["as", "it", "was", "file", "new", "changed", "0"]
    assert (folder / "upper/file").read_text() == "changed\n" and (folder / "upper/new").stat().st_uid == user_rt.uid()
    assert (folder / "base/file").read_text() == "as it was\n" and (folder / "base/dir/inside").exists()
    assert user_rt.shell("ls /o", refused_overlay(folder)).split() == ["file", "new"]


def test_deep_flags_are_kept(user_rt):
    folder = deepen(user_rt)

    def change(config):
        refused_overlay(folder)(config)
        config["mounts"][-1]["options"] += ["ro", "nosuid", "nodev", "noexec"]
    line = mount_line(user_rt.probe(change), "/o")
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(line[5].split(",")) and "fuse" in line[line.index("-") + 1]


def test_deep_volume_and_root(user, template):
    folder = deepen(user)
    shutil.copytree(template, folder / "base/root", symlinks=True)
    subprocess.run(["chown", "-Rh", f"{user.uid()}:{user.gid()}", str(folder / "base/root")], check=True)
    before = contents(folder / "base/dir")
    script = "echo new >/d/new; echo changed >/d/inside; cat /d/inside; ls /d; stat -c '%a %u' /d"
    assert user.sh(script, "-v", f"{folder}/l2/dir:/d:O").split() == ["changed", "inside", "new", "755", "0"]
    assert contents(folder / "base/dir") == before
    text = user.sh("echo x >/new; rm /etc/group; cat /new; ls /etc", "--rootfs", f"{folder}/l2/root:O")
    assert text.split() == ["x", "passwd"]
    assert not (folder / "base/root/new").exists() and (folder / "base/root/etc/group").exists()


def test_deep_volume_with_ranges_of_ids(ranged):
    folder = deepen(ranged)
    script = "touch /d/new; chown 1000:1000 /d/new; stat -c %u /d/new /d/inside"
    assert ranged.sh(script, "-v", f"{folder}/l2/dir:/d:O").split() == ["1000", "0"]
    assert ranged.sh("echo x >/d/x; cat /d/x; id -u", "-v", f"{folder}/l2/dir:/d:O", "--userns", "keep-id").split() == ["x", str(ranged.uid())]


def test_server_is_apart_and_ends_with_the_container(user_rt):
    folder = deepen(user_rt)
    bundle = user_rt.bundle(refused_overlay(folder), args=["/bin/sh", "-c", "cd /o; while :; do sleep 1; done"])
    for end in ("kill", "delete --force"):
        id = user_rt.started(bundle)
        pid = user_rt.state(id)["pid"]
        server, = servers()
        status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{server}/status").read_text().splitlines())
        shared = [kind for kind in ("user", "pid", "mnt", "net", "ipc", "uts")
                  if os.readlink(f"/proc/{server}/ns/{kind}") == os.readlink(f"/proc/{pid}/ns/{kind}")]
        assert shared == ["user"]
        # Chown, dac_override, dac_read_search, fowner, fsetid, mknod, setfcap; nothing can be gained.
        assert int(status["CapBnd"], 16) == 0x8800001f and status["NoNewPrivs"].strip() == "1"
        names = [os.readlink(path) for path in pathlib.Path(f"/proc/{server}/fd").iterdir()]
        assert not [name for name in names if name.startswith("socket:") or str(user_rt.root) in name], names
        assert not servers_seen(user_rt, id)
        if end == "kill":
            user_rt("kill", id, "KILL")
            user_rt.wait_status(id, "stopped")
            wait_until(lambda: not servers(), what="the server has ended with the container")
        user_rt("delete", "--force", id)
        wait_until(lambda: not servers(), what="the server has ended")


def test_a_server_that_hangs_is_killed(user_rt):
    folder = deepen(user_rt)
    id = user_rt.started(user_rt.bundle(refused_overlay(folder), args=["/bin/sh", "-c", "cd /o; while :; do ls /o >/x; done"]))
    server, = servers()
    record = user_rt.root / id / "server.0"
    assert record.read_text().split()[0] == str(server)
    os.kill(server, signal.SIGSTOP)
    user_rt("delete", "--force", id)
    wait_until(lambda: not servers(), what="the server was killed")


#: As a server that is stuck from its start on, in a file system that does not answer, for one.
STUCK = 'mount --bind "$1/stuck" /usr/bin/fuse-overlayfs || exit 99;'


def stuck_servers(folder):
    def is_one(path):
        try:
            return str(folder / "stuck-for-ever").encode() in (path / "cmdline").read_bytes()
        except OSError:
            return False
    return [int(path.name) for path in pathlib.Path("/proc").glob("[0-9]*") if is_one(path)]


@pytest.mark.parametrize("after", [None, 4, 12, 20])
def test_a_server_that_never_answers_is_killed(user_rt, after):
    """Also if we were killed meanwhile: it is on record before it begins. `after`: milliseconds; None: once it is there."""
    folder = deepen(user_rt, STUCK)
    (folder / "stuck").write_text(f"#!/bin/sh\nexec tail -f /dev/null {folder}/stuck-for-ever\n")
    (folder / "stuck").chmod(0o755)
    (folder / "stuck-for-ever").touch()
    id = user_rt.new_id()
    process = user_rt.popen("run", "--bundle", user_rt.bundle(refused_overlay(folder), args=["true"]).path, id)
    if after is None:
        wait_until(lambda: stuck_servers(folder), what="a server is there")
    else:
        wait_until(lambda: (user_rt.root / id).exists(), what="the start has begun")
        time.sleep(after / 1000)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    user_rt("delete", "--force", id)
    wait_until(lambda: not stuck_servers(folder), what="the server was killed")


def servers_seen(rt, id):
    """What the container sees of it."""
    return SERVER in rt("exec", id, "sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '", status=None).stdout


def test_server_ends_with_a_start_that_is_killed(user_rt):
    folder = deepen(user_rt)
    bundle = user_rt.bundle(refused_overlay(folder), args=["/bin/true"])
    hook = user_rt.dir / "hook"
    hook.write_text("#!/bin/sh\nexec sleep 1000\n")
    hook.chmod(0o755)
    bundle.config["hooks"] = {"createRuntime": [{"path": str(hook)}]}
    bundle.write()
    id = user_rt.new_id()
    process = user_rt.popen("run", "--bundle", bundle.path, id)
    wait_until(servers, what="a server is there")
    os.killpg(process.pid, signal.SIGKILL)
    wait_until(lambda: not servers(), what="the server has ended with us")
    user_rt("delete", "--force", id)


HIDDEN = "mount --bind /dev/null /usr/bin/fuse-overlayfs || exit 99;"


def test_without_a_server_init_makes_overlays(user_rt, user):
    """What the kernel takes needs no program."""
    folder = deepen(user_rt, HIDDEN)
    change = overlay(f"lowerdir={folder}/l1", f"upperdir={folder}/upper", f"workdir={folder}/work")
    assert user_rt.shell("echo new >/o/new; ls /o", change).split() == ["dir", "file", "new"]
    assert (folder / "upper/new").exists() and " init  make an overlay" in user_rt("plan", "--bundle", user_rt.bundle(change).path).stdout
    folder = deepen(user, HIDDEN)
    assert user.sh("echo new >/d/new; ls /d", "-v", f"{folder}/l1:/d:O").split() == ["dir", "file", "new"]


def test_deep_layers_are_served_to_the_root_of_a_user_namespace(user_rt):
    """As an engine of an ordinary user is, in its own."""
    folder = deepen(user_rt)
    argv = user_rt.argv

    def inside(*args):
        words = argv(*args)
        at = words.index(user_rt.program)
        return [*words[:at], "unshare", "--user", "--map-root-user", "--mount", *words[at:]]
    user_rt.argv = inside

    def change(config):
        refused_overlay(folder)(config)
        spaces = config["linux"]["namespaces"]
        spaces[:] = [space for space in spaces if space["type"] != "user"]
        del config["linux"]["uidMappings"], config["linux"]["gidMappings"]
    assert user_rt.shell("echo new >/o/new; ls /o", change).split() == ["dir", "file", "new"]
    assert (folder / "upper/new").stat().st_uid == user_rt.uid()


def test_without_a_server_the_kernel_is_right(user_rt):
    """What one would install is said."""
    folder = deepen(user_rt, HIDDEN)
    result = user_rt.run(user_rt.bundle(refused_overlay(folder), args=["true"]), status=1)
    assert "overlay" in result.stderr and "fuse-overlayfs" in result.stderr.split("hint:")[1], result


def test_no_server_where_the_container_would_see_it(user_rt):
    folder = deepen(user_rt)

    def change(config):
        refused_overlay(folder)(config)
        spaces = config["linux"]["namespaces"]
        spaces[:] = [space for space in spaces if space["type"] != "pid"]
        config["mounts"] = [m for m in config["mounts"] if m["type"] != "proc"]
        config["linux"]["maskedPaths"] = config["linux"]["readonlyPaths"] = []
    result = user_rt.run(user_rt.bundle(change, args=["true"]), status=1)
    assert "pid namespace of its own" in result.stderr, result


def test_a_server_that_fails_says_why(user_rt):
    folder = deepen(user_rt)
    os.chown(folder / "work", 0, 0)
    result = user_rt.run(user_rt.bundle(refused_overlay(folder), args=["true"]), status=1)
    assert "let fuse-overlayfs serve it: fuse-overlayfs: cannot" in result.stderr, result
