"""Where stages and results lie: any address that Spark reads, this machine's disk or an object store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def address_of(place: str | Path) -> str:
    """The place as an address: a path without a scheme is this machine's."""
    text = str(place)
    # as it is written: Hadoop takes no %20 for a blank
    return text.rstrip("/") if "://" in text else f"file://{Path(text).absolute()}"


class Store:
    """A directory by its address, through the Hadoop file systems of a Spark session."""

    def __init__(self, spark: SparkSession, place: str | Path) -> None:
        self.spark = spark
        self.address = address_of(place)

    def under(self, name: str) -> str:
        """The address of something in it."""
        return f"{self.address}/{name}"

    def exists(self, name: str) -> bool:
        """Whether it is there."""
        system, path = self._at(name)
        return bool(system.exists(path))

    def read_text(self, name: str) -> str | None:
        """The text of a file; None where there is none that can be read."""
        system, path = self._at(name)
        if not system.exists(path):
            return None
        stream = system.open(path)
        try:
            return str(self._java.org.apache.commons.io.IOUtils.toString(stream, "UTF-8"))
        finally:
            stream.close()

    def write_text(self, text: str, name: str) -> None:
        """The text as a file, which is there whole or not at all."""
        system, path = self._at(name)
        partial = self._at(f".{name}.partial")[1]
        stream = system.create(partial, True)  # noqa: FBT003 - Java takes places only
        stream.write(bytearray(text.encode()))
        stream.close()
        system.delete(path, False)  # noqa: FBT003 - as above
        system.rename(partial, path)

    def remove(self, name: str) -> None:
        """Without a file or directory, if there was one."""
        system, path = self._at(name)
        system.delete(path, True)  # noqa: FBT003 - as above

    def fetch(self, name: str, to: Path) -> None:
        """A copy of a file or directory on this machine."""
        system, path = self._at(name)
        system.copyToLocalFile(False, path, self._path(address_of(to)), True)  # noqa: FBT003 - as above

    def put(self, file: Path, name: str) -> None:
        """A file of this machine, in place of an earlier one."""
        system, path = self._at(name)
        system.mkdirs(self._path(self.address))
        system.copyFromLocalFile(False, True, self._path(address_of(file)), path)  # noqa: FBT003 - as above

    def _at(self, name: str) -> tuple[Any, Any]:
        path = self._path(self.under(name) if name else self.address)
        return path.getFileSystem(self.spark.sparkContext._jsc.hadoopConfiguration()), path  # noqa: SLF001 - the one way to Spark's file systems

    def _path(self, address: str) -> Any:
        return self._java.org.apache.hadoop.fs.Path(address)

    @property
    def _java(self) -> Any:
        return self.spark.sparkContext._jvm  # noqa: SLF001 - as above
