"""Lines from standard input, without blocking the event loop."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator


async def stdin_lines() -> AsyncIterator[str]:
    """Each line of standard input as it arrives; ends with the input.

    A file or the null device is read at once: the event loop can only wait for pipes, sockets and terminals.
    """
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or sys.stdin.isatty()):
        for line in sys.stdin:
            yield line
        return
    reader = asyncio.StreamReader(limit=1 << 16)
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    try:
        async for data in reader:
            yield data.decode(errors="replace")
    finally:
        transport.close()
