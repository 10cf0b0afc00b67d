"""What a mail program and its provider do: a mail is signed for a domain (DKIM, by dkimpy) and put into a mailbox
by IMAP; the signature of one that came in is checked.

The order is a file of JSON: {"do": "deliver", "mail": base64, "sign": {...} or null, "port": 143} or
{"do": "verify", "mail": base64, "key": "v=DKIM1; ..."}."""

import base64
import imaplib
import json
import sys

import dkim

SIGNED = [b"from", b"to", b"subject", b"in-reply-to", b"date", b"message-id"]


def deliver(order):
    mail = base64.b64decode(order["mail"])
    sign = order["sign"]
    if sign:
        with open(sign["key"], "rb") as file:
            key = file.read()
        headers = [name for name in SIGNED if name.decode() not in sign.get("without", [])]
        canonical = tuple(form.encode() for form in sign.get("form", "relaxed/relaxed").split("/"))
        signature = dkim.sign(
            mail,
            sign["selector"].encode(),
            sign["domain"].encode(),
            key,
            canonicalize=canonical,
            include_headers=headers,
            length=sign.get("length", False),
        )
        mail = signature + mail
    for old, new in order.get("after", []):
        mail = mail.replace(old.encode(), new.encode())
    box = imaplib.IMAP4("127.0.0.1", order["port"])
    box.login("acme", "canary-of-the-mailbox")
    box.append("INBOX", "", None, mail)
    box.logout()


def verify(order):
    mail = base64.b64decode(order["mail"])
    sys.exit(0 if dkim.verify(mail, dnsfunc=lambda name, timeout=5: order["key"].encode()) else 1)


with open(sys.argv[1], encoding="utf-8") as file:
    ORDER = json.load(file)
{"deliver": deliver, "verify": verify}[ORDER["do"]](ORDER)
