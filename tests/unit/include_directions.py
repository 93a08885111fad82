"""Checks who includes whom: a module of src/ may include itself and the modules before it, an application
may include any module but no other application, and no header may include torch/torch.h.

    include_directions.py ROOT     prints each offence as path:line: text; exit code 1 if there are any
    include_directions.py --test   checks the checker on a small tree with known offences
"""

import pathlib
import re
import sys
import tempfile

ORDER = ["base", "cli", "comm", "store", "kernels", "nn", "train", "env", "rl", "search", "dataset"]
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SOURCES = {".hpp", ".cpp", ".h", ".cu", ".in"}
HEADERS = {".hpp", ".h", ".in"}
TORCH_ALL = {"torch/torch.h", "torch/all.h", "torch/extension.h"}


def includes(path):
    """(line number, text between the quotes, written with "") of each include."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1) or match.group(2), match.group(1) is not None


def wrong_include(target, quoted, home, families):
    """Why a file of home = ("src" or "apps", module or family) may not include target, or None."""
    area, name = home
    first = target.split("/")[0] if "/" in target else None
    if quoted and ".." in target.split("/"):
        return f'"{target}" climbs out of its folder; write "module/file.hpp"'
    if not quoted or first is None:
        return None
    if first in families:
        if area == "src":
            return f"module {name} may not include application {first}"
        return None if first == name else f"application {name} may not include application {first}"
    if area == "src" and first in ORDER and ORDER.index(first) > ORDER.index(name):
        return f"module {name} may not include {first}, which comes after it"
    return None


def offences(root):
    """All offences below root/src and root/apps, as path:line: text."""
    families = {p.name for p in (root / "apps").iterdir() if p.is_dir()} - set(ORDER)
    found = []
    for area in ("src", "apps"):
        for folder in sorted(p for p in (root / area).iterdir() if p.is_dir()):
            if area == "src" and folder.name not in ORDER:
                found.append(f"src/{folder.name}:0: module {folder.name} has no place in the order of modules")
                continue
            for path in sorted(p for p in folder.rglob("*") if p.suffix in SOURCES):
                for number, target, quoted in includes(path):
                    reason = wrong_include(target, quoted, (area, folder.name), families)
                    if path.suffix in HEADERS and target in TORCH_ALL:
                        reason = f"a header may not include {target}; take ATen/core/Tensor.h"
                    if reason:
                        found.append(f"{path.relative_to(root)}:{number}: {reason}")
    return found


TEST_TREE = {
    "src/base/good.hpp": '#include <string>\n#include "base/other.hpp"\n',
    "src/base/bad.cpp": '#include "base/good.hpp"\n#  include "comm/communicator.hpp"\n',
    "src/train/good.cpp": '#include "base/good.hpp"\n#include <torch/torch.h>\n// #include "rl/replay.hpp"\n',
    "src/train/bad.hpp": "#pragma once\n#include <torch/torch.h>\n",
    "src/rl/good.cpp": '#include "env/batch_env.hpp"\n#include "train/loop.hpp"\n',
    "src/env/bad.hpp": '#include "rl/replay.hpp"\n#include "../base/good.hpp"\n',
    "src/nn/bad.cpp": '#include "ddpg/agent.hpp"\n',
    "src/extra/bad.cpp": "",
    "apps/ddpg/good.cpp": '#include "ddpg/agent.hpp"\n#include "dataset/reader.hpp"\n#include "local.hpp"\n',
    "apps/a3c/bad.cpp": '#include "ddpg/agent.hpp"\n',
}
TEST_OFFENCES = [
    "src/base/bad.cpp:2: module base may not include comm, which comes after it",
    'src/env/bad.hpp:1: module env may not include rl, which comes after it',
    'src/env/bad.hpp:2: "../base/good.hpp" climbs out of its folder; write "module/file.hpp"',
    "src/extra:0: module extra has no place in the order of modules",
    "src/nn/bad.cpp:1: module nn may not include application ddpg",
    "src/train/bad.hpp:2: a header may not include torch/torch.h; take ATen/core/Tensor.h",
    "apps/a3c/bad.cpp:1: application a3c may not include application ddpg",
]


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in TEST_TREE.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found = offences(root)
    missed = [line for line in TEST_OFFENCES if line not in found]
    invented = [line for line in found if line not in TEST_OFFENCES]
    for line in missed:
        print(f"missed: {line}")
    for line in invented:
        print(f"invented: {line}")
    return 1 if missed or invented else 0


def main(arguments):
    if arguments == ["--test"]:
        return self_test()
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(__doc__, file=sys.stderr)
        return 2
    found = offences(pathlib.Path(arguments[0]))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
