"""The certificate and key that the server shows: TLS 1.2 and 1.3, ciphers with forward secrecy alone."""

from __future__ import annotations

import ssl
import stat
from pathlib import Path

from app.errors import Finding, InputError

#: Of TLS 1.2; those of TLS 1.3 are all fit.
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"


def open_tls(certificate: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """Return the server's side of TLS, None where neither file is named. `certificate`: PEM, the server's own first, then its chain.

    Raises:
        InputError: one file alone is named, is missing, no PEM, readable by others (the key), or the two do not belong together.
    """
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        step = "Give --tls-cert and --tls-key together."
        raise InputError([Finding("serve", "TLS", "a certificate and its key", "one of the two", step)])
    try:
        mode = stat.S_IMODE(key.stat().st_mode)
        if mode & 0o077:
            step = f"Run chmod 600 {key}, and have another certificate made if others may have read it."
            raise InputError([Finding(str(key), "key of TLS", "mode 600", f"mode {mode:o}, which others can use", step)])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(CIPHERS)
        context.load_cert_chain(certificate, key, password=_refuse_password)
    except (OSError, ValueError) as error:
        found = getattr(error, "reason", None) or getattr(error, "strerror", None) or str(error)
        step = "Give PEM files that belong together with --tls-cert and --tls-key; the key without a password."
        raise InputError([Finding(f"{certificate}, {key}", "TLS", "a certificate and its key", str(found), step)]) from None
    return context


def _refuse_password() -> str:
    """Stop a key with a password: asking for it would wait for a terminal that a service does not have."""
    raise ValueError("a key with a password")
