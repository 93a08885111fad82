"""What can be wrong with a checkpoint folder, as functions that make it so: damage(folder, older, draw),
with the folder, the one before it and a random.Random. Every function ruins the folder for good, except
those in QUIET: where they strike decides, so a loader may refuse or must load what was saved."""

import contextlib
import hashlib
import json
import os
import shutil
import socket
import zlib

import h5py
import numpy as np

STATE, COMMIT = "state.h5", "COMMIT.json"


# Bytes.

def flip_a_bit(folder, older, draw):
    data = bytearray((folder / STATE).read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    (folder / STATE).write_bytes(data)


def flip_a_bit_of_metadata(folder, older, draw):
    data = bytearray((folder / STATE).read_bytes())
    data[draw.choice(metadata_places(data))] ^= 1 << draw.randrange(8)
    (folder / STATE).write_bytes(data)


def truncate(folder, older, draw):
    os.truncate(folder / STATE, draw.randrange((folder / STATE).stat().st_size))


def append(folder, older, draw):
    with open(folder / STATE, "ab") as file:
        file.write(draw.randbytes(draw.randrange(1, 5000)))


def zero_a_block(folder, older, draw):
    data = bytearray((folder / STATE).read_bytes())
    while True:
        start = draw.randrange(len(data) // 512) * 512
        if any(data[start:start + 512]):
            break
    data[start:start + 512] = bytes(512)
    (folder / STATE).write_bytes(data)


def swap_states(folder, older, draw):
    mine, theirs = (folder / STATE).read_bytes(), (older / STATE).read_bytes()
    (folder / STATE).write_bytes(theirs)
    assert mine != theirs


def swap_commits(folder, older, draw):
    shutil.copy(older / COMMIT, folder / COMMIT)


# COMMIT.json.

FIELDS = ("schema", "schema_version", "step", "file", "bytes", "sha256", "world_size", "shards",
          "created_utc", "metadata")
WRONG = {"null": "null", "minus one": "-1", "a list": "[1]", "a truth value": "true", "a fraction": "1.5",
         "2^64": "18446744073709551616", "infinity": "1e999", "an object": "{\"a\": 1}"}


def _edit(folder, change):
    record = json.loads((folder / COMMIT).read_text())
    change(record)
    (folder / COMMIT).write_text(json.dumps(record))


def without(field):
    return lambda folder, older, draw: _edit(folder, lambda record: record.pop(field))


def another_type(folder, older, draw):
    """A field with a value that it cannot have."""
    record = json.loads((folder / COMMIT).read_text())
    field = draw.choice(FIELDS)
    wrong = {**WRONG}
    if field == "metadata":
        wrong.pop("an object")
    chosen = wrong[draw.choice(sorted(wrong))]
    record[field] = "@"
    (folder / COMMIT).write_text(json.dumps(record).replace('"@"', chosen))


def with_value(field, value):
    return lambda folder, older, draw: _edit(folder, lambda record: record.update({field: value}))


def commit_text(text):
    data = text if isinstance(text, bytes) else text.encode()
    return lambda folder, older, draw: (folder / COMMIT).write_bytes(data)


def deep_metadata(folder, older, draw):
    record = json.loads((folder / COMMIT).read_text())
    record["metadata"] = "@"
    (folder / COMMIT).write_text(json.dumps(record).replace('"@"', "[" * 200000 + "]" * 200000))


COMMITS = {
    **{f"COMMIT without {field}": without(field) for field in FIELDS},
    **{f"COMMIT with {field} {value!r:.60}": with_value(field, value) for field, value in [
        ("step", 999), ("step", 2**63), ("bytes", 0), ("bytes", 2**63), ("bytes", 2**64 - 1),
        ("sha256", "0" * 64), ("sha256", "F" * 64), ("sha256", "\0" * 64), ("world_size", 0),
        ("world_size", 2**31), ("schema", "tenfold"), ("schema_version", 2),
        ("file", "../step-000000000010/state.h5"), ("file", "/dev/zero"), ("file", "state.h5\0"),
        ("metadata", {"config": 1}), ("needs", "step-000000000010"), ("needs", [{}] * 1000),
        ("needs", [{"step": 10, "sha256": "0" * 64}]), ("needs", [{"step": 2**63, "sha256": "0" * 64}])]},
    "COMMIT empty": commit_text(""),
    "COMMIT of NULs": commit_text(b"\0" * 4096),
    "COMMIT not UTF-8": commit_text(b'{"schema": "\xff\xfe"}'),
    "COMMIT cut": lambda folder, older, draw: os.truncate(
        folder / COMMIT, draw.randrange((folder / COMMIT).stat().st_size - 2)),
    "COMMIT nested 500 000 deep": commit_text("[" * 500000),
    "COMMIT with metadata nested 200 000 deep": deep_metadata,
    "COMMIT of 64 MiB": commit_text(" " * (64 << 20)),
}


# Things that are no plain files.

def _replaced(name, make):
    def damage(folder, older, draw):
        path = folder / name
        aside = folder.parent / f"aside-{name}"
        os.rename(path, aside)
        make(path, aside)
    return damage


def _socket(path, _aside):
    with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path.name)


KINDS = {
    "missing": lambda path, aside: None,
    "a symbolic link to itself": lambda path, aside: path.symlink_to(path.name),
    "a symbolic link to the real one": lambda path, aside: path.symlink_to(f"../{aside.name}"),
    "a symbolic link to /dev/zero": lambda path, aside: path.symlink_to("/dev/zero"),
    "a dangling symbolic link": lambda path, aside: path.symlink_to("../../../nowhere"),
    "a FIFO": lambda path, aside: os.mkfifo(path),
    "a socket": _socket,
    "a folder": lambda path, aside: path.mkdir(),
}


def folder_is_a_link(folder, older, draw):
    outside = folder.parent.parent / "outside"
    os.rename(folder, outside)
    folder.symlink_to(f"../{outside.name}")


def unreadable(name):
    return lambda folder, older, draw: os.chmod(folder / name, 0)


# HDF5 that is wrong inside, with digests made to match: what the loader must survive by itself.

def make_digest_match(folder):
    data = (folder / STATE).read_bytes()
    _edit(folder, lambda record: record.update(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()))


def sealed(damage):
    """damage, then size and SHA-256 in COMMIT.json set right."""
    def both(folder, older, draw):
        damage(folder, older, draw)
        make_digest_match(folder)
    return both


def inside(change):
    def damage(folder, older, draw):
        with h5py.File(folder / STATE, "r+") as file:
            change(file, draw)
    return sealed(damage)


def metadata_places(data):
    """Places in the file that no data set's values occupy: headers, names, attributes, trees."""
    import io
    with h5py.File(io.BytesIO(bytes(data)), "r") as file:
        taken = []
        file.visititems(lambda _, item: taken.append((item.id.get_offset(), item.id.get_storage_size()))
                        if isinstance(item, h5py.Dataset) and item.id.get_offset() is not None else None)
    free = np.ones(len(data), bool)
    for start, size in taken:
        free[start:start + size] = False
    # Long runs of zeros are space that HDF5 keeps and never reads.
    used = np.frombuffer(bytes(data), np.uint8) != 0
    near = np.convolve(used, np.ones(17), "same") > 0
    return np.flatnonzero(free & near).tolist()


def overwrite_metadata(folder, older, draw):
    """An aligned word of the metadata set to an extreme value."""
    data = bytearray((folder / STATE).read_bytes())
    width = draw.choice((1, 2, 4, 8))
    place = draw.choice(metadata_places(data)) // width * width
    word = draw.choice((b"\xff", b"\x00", b"\x80", b"\x7f"))
    data[place:place + width] = (word * width)[:len(data) - place]
    (folder / STATE).write_bytes(data)


def _field(file, draw, axes=0):
    """Some data set with as many axes or more."""
    names = []
    file["checkpoint"].visititems(lambda name, item: names.append(name) if isinstance(
        item, h5py.Dataset) and len(item.shape) >= axes else None)
    return "checkpoint/" + draw.choice(sorted(names))


def _attribute(name, value):
    def change(file, draw):
        dataset = file[_sharded(file) if name == "rows" else _field(file, draw)]
        del dataset.attrs[name]
        if value is not None:
            dataset.attrs.create(name, value)
    return inside(change)


def _sharded(file):
    names = []
    file["checkpoint"].visititems(
        lambda name, item: names.append(name) if "rows" in getattr(item, "attrs", {}) and
        isinstance(item, h5py.Dataset) else None)
    return "checkpoint/" + min(names)


def _dataset(make):
    """Some data set made anew by make(file, name, shape, dtype), under its old attributes."""
    def change(file, draw):
        name = _field(file, draw, axes=1)
        old = file[name]
        attributes = {key: old.attrs[key] for key in old.attrs}
        shape, dtype, values = old.shape, old.dtype, old[()]
        del file[name]
        make(file, name, shape, dtype, values)
        if file.get(name, getlink=True).__class__ is h5py.HardLink:
            for key, value in attributes.items():
                file[name].attrs[key] = value
    return inside(change)


def _raw(file, name, shape, dtype, prepare, maximum=None):
    """A data set with creation properties that h5py's own interface hides."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    prepare(plist)
    space = h5py.h5s.create_simple(shape, maximum)
    h5py.h5d.create(file.id, name.encode(), h5py.h5t.py_create(dtype), space, plist)


def _external_storage(file, name, shape, dtype, values):
    size = max(1, int(np.prod(shape))) * dtype.itemsize
    _raw(file, name, shape, dtype, lambda plist: plist.set_external(b"/dev/zero", 0, size))


def _zip_bomb(file, name, shape, dtype, values):
    """One chunk of 2 GiB, compressed to 2 MiB."""
    rank = max(1, len(shape))
    chunk = (2 << 30) // dtype.itemsize
    dataset = file.create_dataset(name, shape, dtype, chunks=(chunk, *[1] * (rank - 1)),
                                  maxshape=(None,) * rank, compression="gzip")
    packer = zlib.compressobj(9)
    block = bytes(1 << 24)
    packed = b"".join(packer.compress(block) for _ in range((2 << 30) >> 24)) + packer.flush()
    dataset.id.write_direct_chunk((0,) * rank, packed)


def _virtual(file, name, shape, dtype, values):
    layout = h5py.VirtualLayout(shape=shape, dtype=dtype)
    layout[...] = h5py.VirtualSource("../../../elsewhere.h5", name, shape=shape)
    file.create_virtual_dataset(name, layout)


def _nested_groups(file, draw):
    group = file["checkpoint"]
    for _ in range(20000):
        group = group.create_group("a")


def _huge_extent(file, name, shape, dtype, values):
    file.create_dataset(name, (2**40,) * max(1, len(shape)), dtype, chunks=(1,) * max(1, len(shape)))


def _link(make):
    def change(file, draw):
        name = _field(file, draw)
        del file[name]
        file[name] = make(name)
    return inside(change)


def _drop(name):
    return inside(lambda file, draw: file.__delitem__(name))


def _file_attribute(name, value):
    def change(file, draw):
        del file.attrs[name]
        if value is not None:
            file.attrs[name] = value
    return inside(change)


STRUCTURE = {
    **{f"attribute {name} {'missing' if value is None else what}": _attribute(name, value)
       for name, what, value in [
           ("xxh64", "", None), ("rows", "", None), ("shape", "", None), ("dtype", "", None),
           ("scope", "", None), ("rows", "of 2^64 - 1", np.full(8, 2**64 - 1, np.uint64)),
           ("rows", "of -1", np.full(8, -1, np.int64)), ("rows", "of 2^62", np.full(8, 2**62, np.uint64)),
           ("rows", "of fractions", np.full(8, 1.5)), ("xxh64", "of 8000 values", np.zeros(8000, np.uint64)),
           ("xxh64", "as a text", "x" * 60000), ("shape", "of 8000 axes", np.zeros(8000, np.uint64)),
           ("shape", "of 2^64 - 1", np.full(3, 2**64 - 1, np.uint64)),
           ("dtype", "of 16 MiB", "f" * (16 << 20)), ("dtype", "with ESC", "\x1b[2Jfloat"),
           ("scope", "a list", np.zeros(4))]},
    "data set with an extent of 2^40": _dataset(_huge_extent),
    "data set with a compressed chunk of 2 GiB": _dataset(_zip_bomb),
    "data set stored in /dev/zero": _dataset(_external_storage),
    "data set that is virtual, elsewhere": _dataset(_virtual),
    "data set of texts": _dataset(lambda file, name, shape, dtype, values: file.create_dataset(
        name, shape, h5py.string_dtype())),
    "data set of compounds": _dataset(lambda file, name, shape, dtype, values: file.create_dataset(
        name, shape, [("a", dtype), ("b", "f8", (1000,))])),
    "data set that is null": _dataset(lambda file, name, shape, dtype, values: file.create_dataset(
        name, data=h5py.Empty(dtype))),
    "data set of other values": _dataset(lambda file, name, shape, dtype, values: file.create_dataset(
        name, data=np.full_like(values, 3))),
    "data set that is a group": _dataset(lambda file, name, shape, dtype, values: file.create_group(name)),
    "data set of another name": inside(lambda file, draw: (lambda name: file.move(name, name + "\x1b[31m"))(
        _field(file, draw))),
    "data set that is a dangling link": _link(lambda name: h5py.SoftLink("/nowhere")),
    "data set that links to itself": _link(lambda name: h5py.SoftLink("/" + name)),
    "data set in a file elsewhere": _link(lambda name: h5py.ExternalLink("../../../elsewhere.h5", name)),
    "checkpoint group in a file elsewhere": inside(lambda file, draw: (file.__delitem__("checkpoint"),
        file.__setitem__("checkpoint", h5py.ExternalLink("../../../elsewhere.h5", "checkpoint")))),
    "20 000 nested groups": inside(_nested_groups),
    "a group that holds itself": inside(
        lambda file, draw: file["checkpoint"].__setitem__("self", file["checkpoint"])),
    "no checkpoint group": _drop("checkpoint"),
    "no identity group": _drop("identity"),
    "no schema": _file_attribute("schema", None),
    "schema version -1": _file_attribute("schema_version", -1),
    "schema version as a text": _file_attribute("schema_version", "one"),
    "state.h5 cut, digest right": sealed(truncate),
    "state.h5 empty, digest right": sealed(lambda folder, older, draw: os.truncate(folder / STATE, 0)),
    "state.h5 of noise, digest right": sealed(
        lambda folder, older, draw: (folder / STATE).write_bytes(draw.randbytes(50000))),
    "state.h5 of zeros, digest right": sealed(
        lambda folder, older, draw: (folder / STATE).write_bytes(bytes(50000))),
    "state.h5 of the step before, digest right": sealed(swap_states),
}

BYTES = {"a bit flipped": flip_a_bit, "a bit of metadata flipped": flip_a_bit_of_metadata,
         "truncated": truncate, "bytes appended": append, "a block zeroed": zero_a_block,
         "state.h5 of the step before": swap_states, "COMMIT of the step before": swap_commits,
         "COMMIT with a field of another type": another_type}

FILES = {
    **{f"{name} {what}": _replaced(name, make) for name in (STATE, COMMIT) for what, make in KINDS.items()
       if (name, what) != (COMMIT, "missing")},  # without COMMIT.json there is no checkpoint: see the kills
    "the folder a symbolic link": folder_is_a_link,
    **({} if os.getuid() == 0 else {f"{name} unreadable": unreadable(name) for name in (STATE, COMMIT)}),
}

QUIET = {
    "a bit of metadata flipped, digest right": sealed(flip_a_bit_of_metadata),
    "a word of metadata overwritten, digest right": sealed(overwrite_metadata),
    "bytes appended, digest right": sealed(append),
}
