"""The walls round one task: namespaces in which the folders and the processes of other tasks are not there.

They need no rights, only a kernel that lets anybody have a user namespace. In there everybody is who he is outside
(root may be all users), has the groups that he has, and the same network; setuid programs such as sudo give no rights.
"""

# It is part of `chamber`, which does without pathlib.
# ruff: noqa: PTH102, PTH109, PTH113, PTH118, PTH120, PTH123, PTH208

import os

from agents.runner import linux, neighbours

TMP = "run/tmp"
"""Of a task's folder: its temporary files. As their paths must be short, `tmp` of the work folder shows it."""

_NAMESPACES = linux.USER_NAMESPACE | linux.MOUNT_NAMESPACE | linux.PROCESS_NAMESPACE | linux.IPC_NAMESPACE
_SSH = "/etc/ssh"


def enter() -> None:
    """Enter the namespaces; the next child is the first process in them. Raises `OSError`."""
    process, (reader, writer) = os.getpid(), os.pipe()
    mapper = os.fork()  # only a process that stays outside may say who is who in there
    if mapper == 0:
        os.close(writer)
        os._exit(_mapped(process) if os.read(reader, 1) else 0)
    linux.unshare(_NAMESPACES)
    os.write(writer, b"1")
    os.close(writer)
    if number := os.waitstatus_to_exitcode(os.waitpid(mapper, 0)[1]):
        raise OSError(number, os.strerror(number), "uid_map")


def build(workdir: str, task: str) -> None:
    """Hide the other tasks for good, as the first process in the namespaces. Raises `OSError`."""
    here, tasks = os.getcwd(), os.path.dirname(task)
    linux.follow_mounts_of_the_host()
    opened = [os.open(path, os.O_PATH) for path in (task, f"{task}/{TMP}")]
    own, own_tmp = (f"/proc/self/fd/{number}" for number in opened)
    linux.bind(workdir, workdir)
    linux.forbid_writing(workdir)
    linux.mount_memory(tasks, "size=1m,mode=0700")
    os.mkdir(task)
    linux.bind(own, task)
    linux.bind(own_tmp, os.path.join(workdir, "tmp"))
    neighbours.close_off(workdir, tasks)
    if os.geteuid():
        _copy_settings_of_ssh(tasks)
    linux.forbid_writing(tasks)
    linux.mount_processes()
    linux.give_up_mounting()  # who is root in here could take the walls down
    os.chdir(here)  # from where it was until now, and from what was opened there, `..` leads to the other tasks
    for number in opened:
        os.close(number)


def _mapped(process: int) -> int:
    """Let everybody be in there who he is out here; return an error's number, or 0."""
    try:
        for kind, own in (("uid", os.geteuid()), ("gid", os.getegid())):
            if os.geteuid():
                _write(f"/proc/{process}/setgroups", b"deny")
            lines = f"{own} {own} 1\n" if os.geteuid() else _everybody(kind)
            _write(f"/proc/{process}/{kind}_map", lines.encode())
    except OSError as error:
        return error.errno or 1
    return 0


def _everybody(kind: str) -> str:
    """Return the map in which all ids that this process knows stay as they are."""
    known = [line.split() for line in _read(f"/proc/self/{kind}_map").decode().splitlines()]
    return "".join(f"{first} {first} {count}\n" for first, _, count in known)


def _copy_settings_of_ssh(place: str) -> None:
    """Put copies over what the machine's settings of ssh include: ssh takes no file whose owner is nobody in here."""
    for number, file in enumerate(_included(f"{_SSH}/ssh_config")):
        copy = f"{place}/.ssh-{number}"
        _write(copy, _read(file))
        linux.bind(copy, file)


def _included(settings: str, depth: int = 4) -> list[str]:
    """Return the files that settings of ssh include, which may include others, as far as they can be read."""
    lines = [line.split() for line in _read(settings).decode(errors="replace").splitlines()]
    named = [name.strip('"') for words in lines if words and words[0].lower() == "include" for name in words[1:]]
    files = [file for name in named for file in _matching(os.path.join(_SSH, name))]
    below = [each for file in files if depth for each in _included(file, depth - 1)]
    return list(dict.fromkeys(files + below))


def _matching(pattern: str) -> list[str]:
    """Return the readable files of a pattern whose last part may hold one star, as in `ssh_config.d/*.conf`."""
    folder, name = os.path.split(pattern)
    start, star, end = name.partition("*")
    names = _listed(folder) if star else [name]
    found = [os.path.realpath(f"{folder}/{each}") for each in names if each.startswith(start) and each.endswith(end)]
    return [file for file in found if os.path.isfile(file) and os.access(file, os.R_OK)]


def _listed(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as file:
        file.write(content)
