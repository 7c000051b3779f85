"""Reading data: JSON lines, CSV, a folder of splits, or a data set of the model hub."""

from adapter_lib.tasks.reading.opening import Data, read_file
from adapter_lib.tasks.reading.rows import Row, Rows

__all__ = ["Data", "Row", "Rows", "read_file"]
