"""Overlays: mounts of type overlay in config.json, and volumes and roots whose changes go with the container."""

import os
import pathlib
import subprocess

import pytest

from containers import mount_line


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
