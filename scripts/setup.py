#!/usr/bin/env python3
"""Fetches libtorch 2.4.0, the engine that `detente` runs its models on, into .libtorch of this checkout.

    python3 scripts/setup.py            for this machine's processor
    python3 scripts/setup.py --cuda     with the CUDA 12.1 libraries, for a machine with an NVIDIA GPU
    python3 scripts/setup.py --check    only says whether all is there

The libraries come out of the PyTorch wheels on PyPI: Linux on x86-64 (800 MB to download, 0.6 GB on disk; with --cuda
2.6 GB and 4.3 GB), Linux on arm64 and macOS on Apple silicon (90 and 62 MB, CPU only). Every wheel is checked against
a pinned hash. A second run does nothing; a run that was interrupted goes on with the wheels that are whole, and .libtorch
changes only once everything is unpacked and loads. Whoever has a libtorch 2.4.0 sets LIBTORCH to it, and it is only checked.

Needs Python 3.8 or newer, pip (or Python's venv, to get a private one) and a C++ compiler.
"""

import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path

from wheels import DOWNLOADS, ROOT, Problem, Progress, Wheel, fetch, main, need_disk, say

VERSION = "2.4.0"
DEFAULT = ROOT / ".libtorch"
STAMP = "setup.json"


def nvidia(name, version, platform, sha256, size):
    requirement = f"nvidia-{name}-cu12=={version}"
    return Wheel(requirement, f"nvidia_{name.replace('-', '_')}_cu12-{version}-py3-none-{platform}_x86_64.whl", sha256, size)


def torch(tags, sha256, size):
    return Wheel(f"torch=={VERSION}", f"torch-{VERSION}-cp311-{tags}.whl", sha256, size)


# fmt: off
CPU = {
    "linux-x86_64": [
        torch("cp311-manylinux1_x86_64", "e743adadd8c8152bb8373543964551a7cb7cc20ba898dc8f9c0cdbe47c283de0", 797262052),
        # libtorch_cpu.so was linked with these two and does not load without them, GPU or not.
        nvidia("cuda-cupti", "12.1.105", "manylinux1", "e54fde3983165c624cb79254ae9818a456eb6e87a7fd4d56a2352c24ee542d7e", 14109015),
        nvidia("cuda-runtime", "12.1.105", "manylinux1", "6e258468ddf5796e25f1dc591a31029fa317d97a0a94ed93468fc86301d61e40", 823596),
    ],
    "linux-aarch64": [
        torch("cp311-manylinux2014_aarch64", "7334325c0292cbd5c2eac085f449bf57d3690932eac37027e193ba775703c9e6", 89850473),
    ],
    "macos-arm64": [
        torch("none-macosx_11_0_arm64", "f169b4ea6dc93b3a33319611fcc47dc1406e4dd539844dcbd2dec4c1b96e166d", 62144370),
    ],
}
# What the metadata of the torch wheel asks for, and nvjitlink, which cusparse and cusolver ask for.
CUDA = [
    nvidia("cuda-nvrtc", "12.1.105", "manylinux1", "339b385f50c309763ca65456ec75e17bbefcbbf2893f462cb8b90584cd27a1c2", 23671734),
    nvidia("cudnn", "9.1.0.70", "manylinux2014", "165764f44ef8c61fcdfdfdbe769d687e06374059fbb388b6c89ecb0e28793a6f", 664752741),
    nvidia("cublas", "12.1.3.1", "manylinux1", "ee53ccca76a6fc08fb9701aa95b6ceb242cdaab118c3bb152af4e579af792728", 410594774),
    nvidia("cufft", "11.0.2.54", "manylinux1", "794e3948a1aa71fd817c3775866943936774d1c14e7628c74f6f7417224cdf56", 121635161),
    nvidia("curand", "10.3.2.106", "manylinux1", "9d264c5036dde4e64f1de8c50ae753237c12e0b1348738169cd0f8a536c0e1e0", 56467784),
    nvidia("cusolver", "11.4.5.107", "manylinux1", "8a7ec542f0412294b15072fa7dab71d31334014a69f953004ea7a118206fe0dd", 124161928),
    nvidia("cusparse", "12.1.0.106", "manylinux1", "f3b50f42cf363f86ab21f720998517a659a48131e8d538dc02f8768237bd884c", 195958278),
    nvidia("nccl", "2.20.5", "manylinux2014", "057f6bf9685f75215d0c53bf3ac4a10b3e6578351de307abad9e18a99182af56", 176249402),
    nvidia("nvjitlink", "12.1.105", "manylinux1", "015fed699b390ce3b8a8578d822d501a4194d0a341d3859554067c1ab291cb85", 19760890),
    nvidia("nvtx", "12.1.105", "manylinux1", "dc21cf308ca5691e7c04d962e213f8a4aa9bbfa23d95412f452254c2caeb09e5", 99138),
]
# fmt: on

# The folders stay as they are in the wheels, since the libraries look for each other by these paths.
WANTED = re.compile(
    r"torch/(lib/[^/]+\.(so|dylib)[^/]*|include/.+|share/cmake/.+)|torch\.libs/.+|nvidia/[^/]+/lib/[^/]+\.so[^/]*"
    r"|[^/]+\.dist-info/(LICENSE|NOTICE|License\.txt)"
)
# Python's own part of PyTorch, and what nothing here links to.
UNWANTED = re.compile(
    r".*/lib(torch_python|torch_global_deps|shm|nvperf_\w+|checkpoint|pcsamplingutil|nvblas|cufftw|cusolverMg)\.[^/]+"
)
# On a machine without a GPU the CUDA half stays behind, and a linker script takes the place of the libtorch.so that needs it.
CUDA_HALF = re.compile(r"torch/lib/lib(torch|torch_cuda\w*|c10_cuda|caffe2_nvrtc|cusparseLt-\w+)\.so[^/]*")
LINKER_SCRIPT = "/* Stands for the libtorch.so that also needs CUDA. */\nINPUT(libtorch_cpu.so libc10.so)\n"


def this_platform():
    system, machine = platform.system(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine, machine)
    known = {
        ("Linux", "x86_64"): "linux-x86_64",
        ("Linux", "aarch64"): "linux-aarch64",
        ("Darwin", "aarch64"): "macos-arm64",
    }
    own = f"Put a libtorch {VERSION} for this machine somewhere and set LIBTORCH to its folder"
    if (system, machine) == ("Darwin", "x86_64"):
        raise Problem(
            f"There is no PyTorch {VERSION} on PyPI for Macs with Intel processors. {own} (conda-forge has one). "
            "On a Mac with Apple silicon, run this with a Python that does not run under Rosetta."
        )
    if (system, machine) not in known:
        raise Problem(f"There is no PyTorch {VERSION} on PyPI for {system} on {machine}. {own}.")
    if system == "Linux" and platform.libc_ver()[0] != "glibc":
        raise Problem(f"The PyTorch wheels need the GNU C library, and this Linux (Alpine?) has another. {own}.")
    return known[system, machine]


def need_compiler():
    compiler = os.environ.get("CXX", "c++").split()
    try:
        done = subprocess.run(
            compiler + ["-std=c++17", "-fsyntax-only", "-x", "c++", "-"],
            input="#include <vector>\n", capture_output=True, text=True,
        )  # fmt: skip
        works = done.returncode == 0
    except OSError:
        works = False
    if not works:
        raise Problem(
            f"There is no C++ compiler here that knows C++17 (`{' '.join(compiler)}` was tried). Install one (Debian and "
            "Ubuntu: `apt install g++`; Fedora: `dnf install gcc-c++`; macOS: `xcode-select --install`) and run this again."
        )


def own_libtorch():
    """Checks the libtorch that the user chose; the sentence about it, or None where there is none."""
    if os.environ.get("LIBTORCH_USE_PYTORCH"):
        python = "python" if os.environ.get("VIRTUAL_ENV") else "python3"
        ask = "import os, torch; print(os.path.dirname(torch.__file__))"
        try:
            done = subprocess.run([python, "-c", ask], capture_output=True, text=True)
        except OSError:
            done = None
        if done is None or done.returncode:
            raise Problem(f"LIBTORCH_USE_PYTORCH is set, but `{python}` cannot import torch. Install torch=={VERSION} or unset it.")
        root, name = Path(done.stdout.strip()), "LIBTORCH_USE_PYTORCH"
    else:
        value, name = os.environ.get("LIBTORCH"), "LIBTORCH"
        if not value or Path(value).resolve() == DEFAULT.resolve():
            return None
        root = Path(value)
    wrong = f"{name} points to {root}, "
    out = f"Correct it, or unset {name} and run this again to fetch libtorch {VERSION}."
    if not root.is_absolute():
        raise Problem(f"{wrong}which must be an absolute path. {out}")
    if not any((root / "lib" / file).exists() for file in ("libtorch_cpu.so", "libtorch_cpu.dylib")):
        raise Problem(f"{wrong}where there is no lib/libtorch_cpu. {out}")
    version = version_of(root)
    if version is None:
        raise Problem(f"{wrong}which has no headers in include/torch. {out}")
    if not version.startswith(VERSION) and not os.environ.get("LIBTORCH_BYPASS_VERSION_CHECK"):
        near = " (LIBTORCH_BYPASS_VERSION_CHECK=1 tries it all the same)" if version.startswith("2.4.") else ""
        raise Problem(f"{wrong}which is libtorch {version}, and {VERSION} is needed{near}. {out}")
    abi, set_to = abi_of(root), os.environ.get("LIBTORCH_CXX11_ABI", "0")
    if platform.system() == "Linux" and name == "LIBTORCH" and abi not in (None, set_to):
        raise Problem(f"{wrong}which was compiled with the other C++ ABI: `export LIBTORCH_CXX11_ABI={abi}` and run this again.")
    return f"Using your own libtorch {version} at {root} ({name} is set)."


def version_of(root):
    if (root / "build-version").exists():
        return (root / "build-version").read_text().strip()
    for header in ("csrc/api/include/torch/version.h", "version.h"):
        path = root / "include" / "torch" / header
        if path.exists():
            numbers = dict(re.findall(r"#define TORCH_VERSION_(\w+) (\d+)", path.read_text()))
            return ".".join(numbers.get(part, "?") for part in ("MAJOR", "MINOR", "PATCH"))
    return None


def abi_of(root):
    path = root / "share/cmake/Torch/TorchConfig.cmake"
    found = re.search(r"_GLIBCXX_USE_CXX11_ABI=([01])", path.read_text()) if path.exists() else None
    return found and found[1]


def is_ready(target, system, cuda):
    """Whether `target` holds, complete, what a run would put there; the CUDA libraries serve a CPU as well."""
    try:
        stamp = json.loads((target / STAMP).read_text())
        if stamp["wheels"] != {wheel.file: wheel.sha256 for wheel in wanted_wheels(system, stamp["cuda"])}:
            return False
        return stamp["cuda"] >= cuda and all((target / name).stat().st_size == size for name, size in stamp["files"].items())
    except (OSError, ValueError, KeyError):
        return False


def wanted_wheels(system, cuda):
    return CPU[system] + (CUDA if cuda else [])


def wanted_files(archive, system, cuda):
    leave = CUDA_HALF if system == "linux-x86_64" and not cuda else None
    for member in archive.infolist():
        name = member.filename
        if WANTED.fullmatch(name) and not name.endswith("/") and not UNWANTED.fullmatch(name):
            if not (leave and leave.fullmatch(name)):
                yield member


def unpack(wheels, target, system, cuda):
    """Fills the new folder `target` with what is wanted of the wheels; the sizes of its files, by name."""
    archives = [(wheel, zipfile.ZipFile(wheel.path)) for wheel in wheels]
    members = [(archive, member) for _, archive in archives for member in wanted_files(archive, system, cuda)]
    total = sum(member.file_size for _, member in members)
    need_disk(target, total + 100_000_000, "unpacking libtorch")
    progress, files = Progress("unpacking", total), {}
    for archive, member in members:
        path = target / member.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        # Reading to the end also checks the archive's own checksum of the file.
        with archive.open(member) as source, open(path, "wb") as file:
            while block := source.read(1 << 20):
                file.write(block)
                progress.add(len(block))
        # Of thousands of headers one stands for all; the libraries count one by one.
        if not member.filename.startswith("torch/include/") or member.filename.endswith("/torch/version.h"):
            files[member.filename] = member.file_size
    for _, archive in archives:
        archive.close()
    if system == "linux-x86_64" and not cuda:
        (target / "torch/lib/libtorch.so").write_text(LINKER_SCRIPT)
        files["torch/lib/libtorch.so"] = len(LINKER_SCRIPT)
    for folder in ("lib", "include", "share"):
        (target / folder).symlink_to(Path("torch") / folder)
    (target / "build-version").write_text(f"{VERSION}+{'cu121' if cuda else 'cpu'}\n")
    return files


def need_loading(target, system, cuda):
    """Raises a Problem unless the libraries load on this machine."""
    library = "libtorch_cpu.dylib" if system == "macos-arm64" else "libtorch.so" if cuda else "libtorch_cpu.so"
    load = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", load, str(target / "torch/lib" / library)], capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"the loader stopped with code {done.returncode}"])[-1]
        raise Problem(
            f"libtorch is unpacked but does not load on this machine ({reason}). Install what that names, or set LIBTORCH "
            f"to a libtorch {VERSION} that loads here, and run this again."
        )


def set_up(target, system, cuda, keep):
    wheels = wanted_wheels(system, cuda)
    missing = [wheel.size for wheel in wheels if not wheel.path.exists()]
    unpacked = (4_500_000_000 if cuda else 600_000_000) if system == "linux-x86_64" else 400_000_000
    # pip holds the wheel that is on its way a second time.
    need_disk(target, sum(missing) + max(missing, default=0) + unpacked, "setting up libtorch")
    for wheel in wheels:
        fetch(wheel)
    new, old = target.with_name(target.name + ".new"), target.with_name(target.name + ".old")
    for leftover in (new, old):
        shutil.rmtree(leftover, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        files = unpack(wheels, new, system, cuda)
        if system == platform_or_none():
            need_loading(new, system, cuda)
    except zipfile.BadZipFile as error:
        raise Problem(f"Unpacking failed ({error}), so the disk or the memory is at fault. Run this again.") from None
    except OSError as error:
        raise Problem(f"Unpacking failed: {error}. Mend that and run this again; what is downloaded stays.") from None
    stamp = {"libtorch": VERSION, "platform": system, "cuda": cuda}
    stamp.update(wheels={wheel.file: wheel.sha256 for wheel in wheels}, files=files)
    (new / STAMP).write_text(json.dumps(stamp, indent=1) + "\n")
    # The new folder takes the place of the old one at once, complete.
    if target.exists():
        os.replace(target, old)
    os.replace(new, target)
    shutil.rmtree(old, ignore_errors=True)
    if not keep:
        for wheel in wheels:
            wheel.path.unlink()
    say(f"libtorch {VERSION} {'with CUDA 12.1 ' if cuda else ''}is now in {target}.")


@contextmanager
def alone():
    """Waits until no other set-up of this checkout runs."""
    import fcntl  # not on Windows, where nothing is fetched

    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    with open(DOWNLOADS / "lock", "w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("Another set-up is running; waiting for it …")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def platform_or_none():
    try:
        return this_platform()
    except Problem:
        return None


def run():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="only say whether all is there (exit code 0 or 1)")
    parser.add_argument("--cuda", action="store_true", help="keep the CUDA libraries, for a machine with an NVIDIA GPU")
    parser.add_argument("--dest", type=Path, metavar="DIR", help="put libtorch there, for LIBTORCH to point to (default .libtorch)")
    parser.add_argument("--platform", choices=sorted(CPU), help="fetch for another machine (with --dest)")
    parser.add_argument("--keep-wheels", action="store_true", help="leave the downloads in .libtorch-dl")
    options = parser.parse_args()
    if options.platform and not options.dest:
        parser.error("--platform needs --dest, since .libtorch is for this machine")
    own = None if options.dest else own_libtorch()
    system = None if own else options.platform or this_platform()
    if not options.platform:
        need_compiler()
    if own:
        say(own)
        return 0
    target = (options.dest or DEFAULT).resolve()
    if options.cuda and system != "linux-x86_64":
        raise Problem(f"PyPI has CUDA libraries for PyTorch {VERSION} only on x86-64 Linux. Run this without --cuda.")
    kind = f"libtorch {VERSION}{' with CUDA' if options.cuda else ''}"
    if is_ready(target, system, options.cuda):
        say(f"{kind} is in {target}.")
        return 0
    if options.check:
        raise Problem(f"{kind} is not complete in {target}. Run `python3 {sys.argv[0]}` without --check.")
    if options.cuda and not shutil.which("nvidia-smi"):
        say("There is no NVIDIA driver here; the CUDA libraries are fetched all the same.")
    with alone():
        # Whoever ran at the same time may have done it.
        if not is_ready(target, system, options.cuda):
            set_up(target, system, options.cuda, options.keep_wheels)
    return 0


if __name__ == "__main__":
    main(run)
