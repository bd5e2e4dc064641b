"""Sends one message as Python's standard library does.

Usage: smtplib_send.py HOST PORT FROM TO[,TO...] FILE
"""

import smtplib
import sys

host, port, sender, recipients, path = sys.argv[1:]
with open(path, "rb") as f:
    text = f.read()
with smtplib.SMTP(host, int(port), local_hostname="client.example.com", timeout=50) as client:
    refused = client.sendmail(sender, recipients.split(","), text)
if refused:
    sys.exit("refused: %r" % refused)
