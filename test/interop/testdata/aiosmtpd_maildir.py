"""A mail server that puts what it gets into a Maildir.

Usage: aiosmtpd_maildir.py PORT PORT MAILDIR CA CERTIFICATE KEY USER PASSWORD

The ports are of SMTP, with STARTTLS and AUTH, and of the same with TLS from the first octet. Each
message is stored once for each recipient, after a line that tells of the connection. Ends when it is
killed.
"""

import asyncio
import base64
import hmac
import os
import secrets
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

PLAIN, IMPLICIT, MAILDIR, CA, CERTIFICATE, KEY, USER, PASSWORD = sys.argv[1:]
SIZE = 6 << 20
RECIPIENTS = 50


class Server(SMTP):
    """Takes lines of any length that a test sends."""

    line_length_limit = 4 << 20


class Handler:
    def __init__(self):
        self.count = 0

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("refused@"):
            return "550 5.7.1 not to them"
        if address.startswith("deferred@"):
            return "450 4.7.1 not to them yet"
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        trace = "X-Trace: id %d from <%s>" % (self.count, envelope.mail_from)
        tls = server.transport.get_extra_info("ssl_object")
        if tls is not None:
            trace += " tls " + tls.version()
            for part in (tls.getpeercert() or {}).get("subject", ()):
                trace += " certificate %s=%s" % part[0]
        if session.authenticated:
            trace += " user " + session.auth_data.decode()
        for i, to in enumerate(envelope.rcpt_tos):
            name = "%d.%d" % (self.count, i)
            new = os.path.join(MAILDIR, "tmp", name)
            with open(new, "wb") as f:
                f.write(("%s to <%s>\n" % (trace, to)).encode())
                f.write(envelope.original_content.replace(b"\r\n", b"\n"))
            os.rename(new, os.path.join(MAILDIR, "new", name))
        return "250 2.0.0 Ok: queued as %d" % self.count

    async def auth_CRAM__MD5(self, server, args):
        challenge = ("<%s@mx.example.com>" % secrets.token_hex(8)).encode()
        answer = await server.challenge_auth(challenge)
        user, _, digest = answer.rpartition(b" ")
        want = hmac.new(PASSWORD.encode(), challenge, "md5").hexdigest()
        good = user.decode() == USER and hmac.compare_digest(digest.decode(), want)
        return AuthResult(success=good, handled=False, auth_data=user)


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == USER.encode() and data.password == PASSWORD.encode()
    return AuthResult(success=good, handled=False, auth_data=data.login)


async def main():
    for name in ("tmp", "new", "cur"):
        os.makedirs(os.path.join(MAILDIR, name))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=CA)
    tls.verify_mode = ssl.CERT_OPTIONAL
    tls.load_cert_chain(CERTIFICATE, KEY)
    loop = asyncio.get_running_loop()
    handler = Handler()

    def server(**more):
        return Server(
            handler,
            data_size_limit=SIZE,
            enable_SMTPUTF8=True,
            authenticator=authenticate,
            auth_require_tls=False,
            loop=loop,
            **more,
        )

    await loop.create_server(lambda: server(tls_context=tls), "127.0.0.1", int(PLAIN))
    await loop.create_server(server, "127.0.0.1", int(IMPLICIT), ssl=tls)
    await asyncio.Event().wait()


asyncio.run(main())
