"""Tar and gzip without anything of the machine in them: no clock, no owner, no order of a folder's own."""

import gzip
import io
import tarfile


def tar(files):
    """A tar archive of (name, bytes) pairs, in the order given."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in files:
            archive.addfile(entry(name, content), io.BytesIO(content))
    return buffer.getvalue()


def entry(name, content):
    info = tarfile.TarInfo(name)      # its defaults: owner 0, nobody's name, mode 0644, time 0
    info.size = len(content)
    return info


def gzipped(content):
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as stream:
        stream.write(content)
    return buffer.getvalue()
