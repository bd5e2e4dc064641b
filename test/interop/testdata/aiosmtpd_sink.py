"""A mail server that keeps what it gets.

Usage: aiosmtpd_sink.py DIR

Prints its address, HOST:PORT, and stores each message in DIR: the bytes as N.eml, and the envelope
as N.json, which appears last. Ends when it is killed or its stdin ends.
"""

import asyncio
import json
import os
import sys

from aiosmtpd.smtp import SMTP


class PatientSMTP(SMTP):
    """Takes lines of any length that a test sends."""

    line_length_limit = 4 << 20


class Keep:
    def __init__(self, folder):
        self.folder = folder
        self.count = 0

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        path = os.path.join(self.folder, str(self.count))
        with open(path + ".eml", "wb") as f:
            f.write(envelope.original_content)
        with open(path + ".new", "w", encoding="utf-8") as f:
            json.dump({"from": envelope.mail_from, "to": envelope.rcpt_tos}, f)
        os.rename(path + ".new", path + ".json")
        return "250 2.0.0 kept as %d" % self.count


async def main():
    loop = asyncio.get_running_loop()
    keep = Keep(sys.argv[1])
    server = await loop.create_server(
        lambda: PatientSMTP(keep, data_size_limit=None, enable_SMTPUTF8=True, loop=loop),
        "127.0.0.1",
        0,
    )
    print("%s:%d" % server.sockets[0].getsockname(), flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
