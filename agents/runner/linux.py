"""The calls of Linux that Python does not have: namespaces, mounts and what a process leaves to its parent."""

import ctypes
import os

# linux/sched.h, linux/mount.h, linux/prctl.h, linux/capability.h
MOUNT_NAMESPACE, IPC_NAMESPACE, USER_NAMESPACE, PROCESS_NAMESPACE = 0x00020000, 0x08000000, 0x10000000, 0x20000000
READ_ONLY, NO_SETUID, NO_DEVICES, NO_PROGRAMS = 1, 2, 4, 8
_REMOUNT, _BIND, _MOVE, _WITH_ALL_BELOW, _FOLLOWS_ITS_ORIGIN = 32, 4096, 8192, 16384, 1 << 19
_KEPT_FLAGS = {2: 2, 4: 4, 8: 8, 1024: 1024, 2048: 2048, 4096: 1 << 21}  # of statvfs, and as mount wants them again
_DIES_WITH_PARENT, _IS_DUMPABLE, _DROP_CAPABILITY, _ADOPTS_ORPHANS = 1, 4, 24, 36
_MAY_ADMINISTER = 21
_CAPABILITIES_VERSION = 0x20080522

_library = ctypes.CDLL(None, use_errno=True)


def unshare(namespaces: int) -> None:
    """Enter new namespaces; into a new process namespace go only the children."""
    _call("unshare", namespaces)


def follow_mounts_of_the_host() -> None:
    """See what the host mounts from now on, and mount nothing there."""
    _mount("", "/", "", _WITH_ALL_BELOW | _FOLLOWS_ITS_ORIGIN)


def bind(source: str, target: str) -> None:
    """Let `target` show what `source` is."""
    _mount(source, target, "", _BIND | _WITH_ALL_BELOW)


def move(mounted: str, target: str) -> None:
    """Take away what is mounted there, and mount it at `target`."""
    _mount(mounted, target, "", _MOVE)


def forbid_writing(mounted: str) -> None:
    """Make what is mounted there read-only. Its other flags may not be left out."""
    flags = os.statvfs(mounted).f_flag
    kept = sum(wanted for flag, wanted in _KEPT_FLAGS.items() if flags & flag)
    _mount("", mounted, "", _REMOUNT | _BIND | READ_ONLY | kept)


def mount_memory(target: str, options: str) -> None:
    """Mount an empty tmpfs."""
    _mount("tmpfs", target, "tmpfs", NO_SETUID | NO_DEVICES, options)


def mount_processes() -> None:
    """Mount /proc anew, with the processes of this namespace."""
    _mount("proc", "/proc", "proc", NO_SETUID | NO_DEVICES | NO_PROGRAMS)


def give_up_mounting() -> None:
    """Give up CAP_SYS_ADMIN for good, for this process and its children."""
    _call("prctl", _DROP_CAPABILITY, _MAY_ADMINISTER)
    header, sets = (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0), (ctypes.c_uint32 * 6)()
    _call("capget", header, sets)
    for effective_or_permitted in (0, 1):
        sets[effective_or_permitted] &= ~(1 << _MAY_ADMINISTER)
    _call("capset", header, sets)


def die_with_parent(signal_number: int) -> None:
    """Get this signal when the parent ends."""
    _call("prctl", _DIES_WITH_PARENT, signal_number)


def adopt_orphans() -> None:
    """Become the parent of what descendants leave behind."""
    _call("prctl", _ADOPTS_ORPHANS, 1)


def leave_no_core() -> None:
    """Write no core file when a signal ends this process."""
    _call("prctl", _IS_DUMPABLE, 0)


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    texts = [text.encode() or None for text in (source, target, kind)]
    _call("mount", *texts, ctypes.c_ulong(flags), options.encode() or None, what=f"mount of {target}")


def _call(name: str, *arguments: object, what: str = "") -> None:
    """Call the C library. Raises `OSError` with the call's name, or `what`, in place of a file's."""
    if getattr(_library, name)(*arguments) < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what or name)
