"""A disk that can be full."""
import errno
import os
import shutil
import subprocess

import pytest


class SmallDisk:
    """A file system of 2 MB that can be filled up."""

    def __init__(self, folder, size="2m"):
        self.folder = folder
        folder.mkdir()
        if os.getuid() != 0 or not shutil.which("mount"):
            pytest.skip("mounting needs root")
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}",
                               "tmpfs", folder], capture_output=True)
        if done.returncode != 0:
            pytest.skip("mounting is not allowed here")

    def fill(self, _engine=None):
        with open(self.folder / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 65536):
                    pass
            except OSError as full:
                assert full.errno == errno.ENOSPC

    def empty(self, _engine=None):
        (self.folder / "filler").unlink()

    def close(self):
        subprocess.run(["umount", self.folder], check=True)
