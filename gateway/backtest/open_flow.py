"""Which reader a recording needs: told by its content, not by its name."""

from pathlib import Path

from gateway.backtest.csv_flow import CsvFlow
from gateway.backtest.dbn import DbnFlow
from gateway.backtest.dbn_file import DBN_MAGIC, ZSTD_MAGIC
from gateway.backtest.flow import Flow, FlowError, Party


def open_flow(path: Path, party: Party) -> Flow:
    """Open a recording. ``party`` sends the orders that the recording gives no account or router for.

    Raises:
        FlowError: it cannot be read, or is neither DBN market-by-order nor the documented CSV.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(4)
    except OSError as error:
        raise FlowError(str(path), "", f"cannot be read ({error.strerror})", "check the path") from error
    if not start:
        raise FlowError(str(path), "", "is empty", "name a DBN or CSV file")
    if start == ZSTD_MAGIC or start.startswith(DBN_MAGIC):
        return DbnFlow(path, party)
    return CsvFlow(path, party)
