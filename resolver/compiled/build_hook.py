"""Builds the library of kernels when the project is installed; without a C compiler it is left out."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE: Final = Path("resolver/compiled")
NAME: Final = "kernels.so"
#: NumPy asks no less of a processor. Sums and products are rounded one after the other, as NumPy's are.
FLAGS: Final = ("-O3", "-ffp-contract=off", "-fPIC", "-shared", "-fvisibility=hidden")
X86: Final = ("-march=x86-64-v2",)


class KernelsHook(BuildHookInterface[Any]):
    """Compiles ``*.c`` beside it into one library, which a wheel then holds."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Wheels and editable installs alike."""
        del version
        if self.target_name != "wheel":
            return
        built = build(Path(self.root) / HERE)
        if built is not None:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["artifacts"].append(str(HERE / NAME))


def build(folder: Path) -> Path | None:
    """The library of a folder's sources, None where it cannot be made; one of other sources does not stay."""
    library = folder / NAME
    sources = [*sorted(folder.glob("*.h")), *sorted(folder.glob("*.c"))]
    # as library.py has it, which is not there when this is built
    fingerprint = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    if library.is_file():
        if fingerprint.encode() in library.read_bytes():
            return library
        library.unlink()
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None:
        print("no C compiler: the kernels are left out, NumPy does their work", file=sys.stderr)  # noqa: T201
        return None
    fresh = folder / f"{NAME}.{os.getpid()}"
    x86 = any(name in sysconfig.get_platform() for name in ("x86_64", "amd64"))
    told = subprocess.run(  # noqa: S603 - given by who installs
        [
            *compiler.split(),
            *FLAGS,
            *(X86 if x86 else ()),
            f'-DBUILT_FROM="{fingerprint}"',
            *(str(path) for path in sources if path.suffix == ".c"),
            "-o",
            str(fresh),
            "-lm",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if told.returncode:
        fresh.unlink(missing_ok=True)
        print(f"the kernels are left out, for {compiler} says: {told.stderr}", file=sys.stderr)  # noqa: T201
        return None
    return fresh.replace(library)  # whoever has the old one open keeps it
