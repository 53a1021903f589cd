"""The key of a command, which tells where in a cluster it belongs."""

from collections.abc import Sequence

_SCRIPTS = frozenset({b"EVAL", b"EVALSHA", b"EVAL_RO", b"EVALSHA_RO", b"FCALL", b"FCALL_RO"})
_STREAM_READS = frozenset({b"XREAD", b"XREADGROUP"})
_KEYLESS = frozenset({b"ACL", b"CLIENT", b"CONFIG", b"DBSIZE", b"INFO", b"PING", b"ROLE", b"SCRIPT", b"TIME", b"WAIT"})
_NUMBER_AND_KEY = 4


def command_key(command: Sequence[bytes | int]) -> bytes | None:
    """The first key; None: the command concerns none. Several keys of one command lie together or are refused."""
    name = command[0].upper() if isinstance(command[0], bytes) else b""
    place = 1
    if name in _KEYLESS:
        return None
    if name in _SCRIPTS:
        place = _NUMBER_AND_KEY - 1 if len(command) >= _NUMBER_AND_KEY and int(command[2]) > 0 else len(command)
    elif name in _STREAM_READS:
        place = next((i + 1 for i, word in enumerate(command) if word == b"STREAMS"), len(command))
    key = command[place] if place < len(command) else None
    return key if isinstance(key, bytes) else None
