import hashlib
import json
import tarfile
from pathlib import Path

from lab.oci import Image, merged, write


def test_an_archive_holds_what_its_index_says(tmp_path: Path) -> None:
    program = tmp_path / "echo"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    image = Image(
        names=("lab.local/echo:1", "lab.local/also:1"),
        entrypoint=("/bin/echo",),
        user="100",
        files={"/bin/echo": program},
        texts={"/etc/x": "y"},
        links={"/bin/sh": "echo"},
    )
    target = tmp_path / "image.tar"
    write(image, target)
    with tarfile.open(target) as archive:
        blobs = {member.name: archive.extractfile(member).read() for member in archive if member.isfile()}  # pyright: ignore[reportOptionalMemberAccess]  # files have content
    index = json.loads(blobs["index.json"])
    assert [entry["annotations"]["io.containerd.image.name"] for entry in index["manifests"]] == list(image.names)
    for name, content in blobs.items():
        if name.startswith("blobs/"):
            assert name == f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"
    manifest = json.loads(blobs[f"blobs/sha256/{index['manifests'][0]['digest'].removeprefix('sha256:')}"])
    config = json.loads(blobs[f"blobs/sha256/{manifest['config']['digest'].removeprefix('sha256:')}"])
    assert config["config"]["User"] == "100"
    (tmp_path / "layer.tar").write_bytes(blobs[f"blobs/sha256/{manifest['layers'][0]['digest'].removeprefix('sha256:')}"])
    with tarfile.open(tmp_path / "layer.tar") as layer:
        assert layer.getmember("usr/bin/echo").mode == 0o755
        assert layer.getmember("bin").linkname == "usr/bin"
        assert layer.getmember("bin/sh").linkname == "echo"


def test_the_same_image_is_the_same_archive(tmp_path: Path) -> None:
    image = Image(names=("lab.local/x:1",), texts={"/etc/x": "y"})
    for name in ("a.tar", "b.tar"):
        write(image, tmp_path / name)
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_old_places_of_programs_lead_to_new_ones() -> None:
    assert merged("/bin/sh") == "/usr/bin/sh"
    assert merged("/lib64/ld.so") == "/usr/lib64/ld.so"
    assert merged("/usr/bin/sh") == "/usr/bin/sh"
    assert merged("/binary") == "/binary"
