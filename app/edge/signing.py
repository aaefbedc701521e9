"""Ed25519 keys in files outside git, signatures, and the clock that evidence was taken by."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from app.errors import Finding, InputError

KEYGEN = "Run waiwang evidence keygen FILE, and keep FILE outside every repository."


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key; its representation tells nothing of it."""

    _private: Ed25519PrivateKey

    def __repr__(self) -> str:
        return f"SigningKey({self.public.hex()})"

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes (RFC 8032)."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """Return the signature, 64 bytes."""
        return self._private.sign(message)


def write_key(path: Path) -> SigningKey:
    """Make a key, write it to `path` (mode 600) and its public half to `path`.pub.

    Raises:
        InputError: a file is there already, or the folder is part of a repository or cannot be written.
    """
    public_path = public_file(path)
    folder = path.absolute().parent
    if (repository := next((above for above in (folder, *folder.parents) if (above / ".git").exists()), None)) is not None:
        step = "Choose a folder that no repository holds, such as one under the account's home."
        raise _refused(path, "a place outside every repository", f"a folder of the repository {repository}", step)
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for file, content, mode in ((path, private, 0o600), (public_path, public, 0o644)):
        _write_new(file, content, mode)
    return SigningKey(key)


def public_file(path: Path) -> Path:
    return path.with_name(f"{path.name}.pub")


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError:
        step = "Choose another name; a key that is lost cannot be made again."
        raise _refused(path, "a name that is free", "a file", step) from None
    except OSError as error:
        raise _refused(path, "a folder that can be written", str(error.strerror), "Make the folder, or choose another.") from None
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def read_key(path: Path | None) -> SigningKey:
    """Read a private key.

    Raises:
        InputError: no file is named, it is missing, readable by others, or holds no Ed25519 key.
    """
    if path is None:
        raise InputError([Finding("WAIWANG_EVIDENCE_KEY", "signing key", "the path of a key file", "none", KEYGEN)])
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o077:
            step = f"Run chmod 600 {path}; if others may have read it, make a new key."
            raise _refused(path, "mode 600", f"mode {mode:o}, which others can read", step)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise _refused(path, "a readable file", str(error.strerror), KEYGEN) from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _refused(path, "an Ed25519 key in PEM", "something else", KEYGEN) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise _refused(path, "an Ed25519 key in PEM", "a key of another kind", KEYGEN)
    return SigningKey(key)


def read_public_key(path: Path) -> bytes:
    """Read a public key, 32 bytes.

    Raises:
        InputError: the file is missing or holds no Ed25519 public key.
    """
    step = "Name the .pub file that waiwang evidence keygen wrote."
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except OSError as error:
        raise _refused(path, "a readable file", str(error.strerror), step) from None
    except (ValueError, UnsupportedAlgorithm):
        raise _refused(path, "an Ed25519 public key in PEM", "something else", step) from None
    if not isinstance(key, Ed25519PublicKey):
        raise _refused(path, "an Ed25519 public key in PEM", "a key of another kind", step)
    return key.public_bytes_raw()


def check_signature(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Tell whether the signature is this key's over this message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _refused(path: Path, expected: str, found: str, next_step: str) -> InputError:
    return InputError([Finding(str(path), "signing key", expected, found, next_step)])
