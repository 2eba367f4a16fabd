"""Linux system calls that Python does not wrap, through ctypes: namespaces, mounts, Landlock, capabilities, seccomp.

Runs on the host, in the worker and in a container, so it imports only what a bare interpreter has. Every call raises
OSError with the name of the call. Numbers are for x86_64 and aarch64; elsewhere `ARCH` is None, and no tier works.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct

__all__ = ["ARCH", "bpf_filters", "landlock_abi"]

ARCH = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}.get(platform.machine().lower())
_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.syscall.restype = ctypes.c_long

CLONE_NEWTIME, CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x80, 0x20000, 0x2000000, 0x4000000
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x8000000, 0x10000000, 0x20000000, 0x40000000

MS_RDONLY, MS_REC, MS_PRIVATE = 1, 0x4000, 0x40000
MNT_DETACH = 2
AT_EMPTY_PATH, AT_RECURSIVE, AT_FDCWD, OPEN_TREE_CLONE, O_CLOEXEC = 0x1000, 0x8000, -100, 1, os.O_CLOEXEC
ATTR_RDONLY, ATTR_NOSUID, ATTR_NODEV, ATTR_NOEXEC = 1, 2, 4, 8

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_SECCOMP, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT = 22, 36, 38, 47

_NUMBERS = {"x86_64": {"pivot_root": 155, "capset": 126}, "aarch64": {"pivot_root": 41, "capset": 91}}


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def _call(what: str, number: int, *args: object) -> int:
    return _check(_LIBC.syscall(ctypes.c_long(number), *args), what)


def unshare(flags: int) -> None:
    """Move this process into new namespaces (its children, for CLONE_NEWPID)."""
    _check(_LIBC.unshare(flags), "unshare")


def setns(fd: int, kind: int) -> None:
    """Join the namespace behind `fd`."""
    _check(_LIBC.setns(fd, kind), "setns")


def prctl(option: int, value: int = 0, third: int = 0) -> int:
    """`prctl` with up to three integers."""
    return _check(
        _LIBC.prctl(option, ctypes.c_ulong(value), ctypes.c_ulong(third), ctypes.c_ulong(0), ctypes.c_ulong(0)), "prctl"
    )


def mount(source: str, target: str, fstype: str, flags: int, data: str = "") -> None:
    """The classic mount call."""
    _check(
        _LIBC.mount(source.encode(), target.encode(), fstype.encode(), ctypes.c_ulong(flags), data.encode()),
        f"mount {target}",
    )


def umount(target: str, flags: int = MNT_DETACH) -> None:
    """Take a mount away."""
    _check(_LIBC.umount2(target.encode(), flags), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root."""
    _call("pivot_root", _NUMBERS[ARCH or ""]["pivot_root"], new.encode(), old.encode())


def open_tree(path: str, flags: int = AT_RECURSIVE, dir_fd: int = AT_FDCWD) -> int:
    """A detached copy of the mount at `path`, as a file descriptor."""
    return _call(f"open_tree {path}", 428, dir_fd, path.encode(), ctypes.c_uint(OPEN_TREE_CLONE | O_CLOEXEC | flags))


def move_mount(fd: int, target: str) -> None:
    """Attach the detached mount `fd` at `target`."""
    _call(f"move_mount {target}", 429, fd, b"", AT_FDCWD, target.encode(), ctypes.c_uint(4))


class _MountAttr(ctypes.Structure):
    _fields_ = (
        ("set", ctypes.c_uint64),
        ("clear", ctypes.c_uint64),
        ("propagation", ctypes.c_uint64),
        ("userns", ctypes.c_uint64),
    )


def mount_setattr(fd: int, attributes: int, *, recursive: bool = True) -> None:
    """Add attributes such as ATTR_RDONLY to the mount `fd` and those below it."""
    what = _MountAttr(attributes, 0, 0, 0)
    flags = AT_EMPTY_PATH | (AT_RECURSIVE if recursive else 0)
    _call("mount_setattr", 442, fd, b"", ctypes.c_uint(flags), ctypes.byref(what), ctypes.c_size_t(32))


def new_mount(fstype: str, options: dict[str, str], attributes: int) -> int:
    """A new, detached file system as a file descriptor (fsopen, fsconfig, fsmount). An option of "" is a flag."""
    fd = _call(f"fsopen {fstype}", 430, fstype.encode(), ctypes.c_uint(1))
    try:
        for key, value in options.items():
            if value:
                _call(f"fsconfig {key}", 431, fd, ctypes.c_uint(1), key.encode(), value.encode(), 0)
            else:
                _call(f"fsconfig {key}", 431, fd, ctypes.c_uint(0), key.encode(), None, 0)
        _call(f"create {fstype}", 431, fd, ctypes.c_uint(6), None, None, 0)
        return _call(f"fsmount {fstype}", 432, fd, ctypes.c_uint(1), ctypes.c_uint(attributes))
    finally:
        os.close(fd)


def close_range(first: int, last: int = 0xFFFFFFFF) -> None:
    """Close every file descriptor from `first` to `last`."""
    _call("close_range", 436, ctypes.c_uint(first), ctypes.c_uint(last), ctypes.c_uint(0))


def openat2_beneath(dir_fd: int, path: str, flags: int) -> int:
    """Open `path` below `dir_fd`: no symbolic links, no `..` out of it, no other mounts."""
    how = struct.pack("<QQQ", flags | O_CLOEXEC, 0, 0x01 | 0x02 | 0x04 | 0x08)
    return _call(f"openat2 {path!r}", 437, dir_fd, os.fsencode(path), how, ctypes.c_size_t(len(how)))


_CAP_HEADER = (ctypes.c_uint32 * 2)(0x20080522, 0)
_CAP_NONE = (ctypes.c_uint32 * 6)()


def drop_capabilities() -> None:
    """Give up every capability of this process."""
    _call("capset", _NUMBERS[ARCH or ""]["capset"], ctypes.byref(_CAP_HEADER), ctypes.byref(_CAP_NONE))


def drop_bounding_set() -> bool:
    """Forbid every capability for good, whatever is executed later. Returns False without the privilege to."""
    for number in range(64):
        try:
            prctl(PR_CAPBSET_DROP, number)
        except OSError as error:
            return error.errno == 22
    return True


# Landlock ------------------------------------------------------------------------------------------------------------

FS_EXECUTE, FS_WRITE_FILE, FS_READ_FILE, FS_READ_DIR = 1, 2, 4, 8
FS_REFER, FS_TRUNCATE, FS_IOCTL_DEV = 1 << 13, 1 << 14, 1 << 15
FS_READ = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR
FS_DEVICE = FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE
FS_SCRATCH = ((1 << 15) - 1) & ~((1 << 6) | (1 << 11))  # everything but device nodes and device ioctls


def landlock_abi() -> int:
    """The version of Landlock in this kernel; 0 without it."""
    number = _LIBC.syscall(ctypes.c_long(444), None, ctypes.c_size_t(0), ctypes.c_uint(1))
    return max(0, int(number))


def _known(abi: int) -> int:
    return (1 << (13 + (abi >= 2) + (abi >= 3))) - 1 | (FS_IOCTL_DEV if abi >= 5 else 0)


def landlock_ruleset(abi: int, *, files: bool = True, network: bool = True, scope: bool = True) -> int:
    """A ruleset that refuses all it can: files, TCP, abstract sockets and signals to outside. Rules then allow."""
    attr = struct.pack(
        "<QQQ", _known(abi) if files else 0, 3 if network and abi >= 4 else 0, 3 if scope and abi >= 6 else 0
    )
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    return _call("landlock_create_ruleset", 444, attr, ctypes.c_size_t(size), ctypes.c_uint(0))


def landlock_allow(ruleset: int, path: str, access: int, abi: int) -> None:
    """Allow `access` to the file or to all beneath the directory `path`."""
    fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - no pathlib in a worker
            access &= FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV
        rule = struct.pack("<Qi", access & _known(abi), fd)
        _call(f"landlock_add_rule {path}", 445, ruleset, ctypes.c_int(1), rule, ctypes.c_uint(0))
    finally:
        os.close(fd)


def landlock_enter(ruleset: int) -> None:
    """Confine this process and its descendants, for ever. Needs no_new_privs."""
    _call("landlock_restrict_self", 446, ruleset, ctypes.c_uint(0))


# seccomp -------------------------------------------------------------------------------------------------------------

# name: (x86_64, aarch64); None where the architecture has no such call. All are refused with EPERM.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197),
    "semget": (64, 190), "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "mq_open": (240, 180), "mq_unlink": (241, 181), "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183),
    "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "statmount": (457, 457), "listmount": (458, 458), "open_tree_attr": (467, 467),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_setup": (206, 0), "io_submit": (209, 2), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "create_module": (174, None),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60), "quotactl_fd": (443, 443), "syslog": (103, 116),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None),
    "lookup_dcookie": (212, 18), "uselib": (134, None), "vhangup": (153, 58), "modify_ldt": (154, None),
    "nfsservctl": (180, 42), "sysfs": (139, None), "_sysctl": (156, None), "ustat": (136, None),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263), "memfd_create": (319, 279), "memfd_secret": (447, 447),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
}  # fmt: skip
_SIGNALS = {
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_send_signal": (424, 424),
}
_SPECIAL = {"socket": (41, 198), "clone": (56, 220), "clone3": (435, 435), "ioctl": (16, 29)}
_WORKER_NEEDS = (
    "unshare",
    "setns",
    "open_tree",
    "move_mount",
    "fsopen",
    "fsconfig",
    "fsmount",
    "umount2",
    "memfd_create",
)
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_LD, _JEQ, _JGE, _JSET, _JA, _RET = 0x20, 0x15, 0x35, 0x45, 0x05, 0x06
_ALLOW, _KILL, _EPERM, _ENOSYS, _EAFNOSUPPORT = 0x7FFF0000, 0x80000000, 0x50001, 0x50026, 0x50061
# Not CLONE_NEWTIME: its bit belongs to the exit signal in `clone`, and `clone3`, which has it, is refused.
_NEW_NAMESPACES = 0x7E020000


def bpf_filters(arch: str, *, sockets: bool = True, signals: bool = True) -> tuple[bytes, bytes]:
    """Assemble two filters: one that the worker itself lives under, and the rest, which each job adds.

    A filter costs its length each time it is loaded, so what the worker never needs is loaded once, and inherited. Each
    is a binary search over the refused numbers, so that passing it stays cheap.

    Args:
        sockets: Allow local (AF_UNIX) sockets. No other family is ever allowed.
        signals: Allow sending signals. Refuse them where nothing else keeps them inside.
    """
    job = {name: _REFUSED[name] for name in _WORKER_NEEDS} | ({} if signals else _SIGNALS)
    worker = {name: numbers for name, numbers in _REFUSED.items() if name not in _WORKER_NEEDS}
    return _filter(arch, worker, _SPECIAL, sockets=sockets), _filter(arch, job, {}, sockets=sockets)


def _filter(
    arch: str,
    refused: dict[str, tuple[int | None, int | None]],
    special: dict[str, tuple[int, int]],
    *,
    sockets: bool,
) -> bytes:
    column = ("x86_64", "aarch64").index(arch)
    targets = {numbers[column]: "eperm" for numbers in refused.values() if numbers[column] is not None}
    targets.update({numbers[column]: name for name, numbers in special.items()})
    code: list[tuple[int, object, object, int] | str] = [
        (_LD, 0, 0, 4), (_JEQ, 0, "kill", _AUDIT[arch]), (_LD, 0, 0, 0),
    ]  # fmt: skip
    if arch == "x86_64":
        code += [(_JGE, "kill", 0, 0x40000000)]
    code += [(_JA, 0, 0, "search"), "kill", (_RET, 0, 0, _KILL), "search"]  # type: ignore[list-item]
    _search(sorted((int(number or 0), target) for number, target in targets.items()), code)
    if special:
        code += [
            "socket", (_LD, 0, 0, 16), (_JEQ, 0, 1, 1), (_RET, 0, 0, _ALLOW if sockets else _EPERM),
            (_RET, 0, 0, _EAFNOSUPPORT),
            "clone", (_LD, 0, 0, 16), (_JSET, 0, 1, _NEW_NAMESPACES), (_RET, 0, 0, _EPERM), (_RET, 0, 0, _ALLOW),
            "clone3", (_RET, 0, 0, _ENOSYS),
            "ioctl", (_LD, 0, 0, 24), (_JEQ, 1, 0, 0x5412), (_JEQ, 0, 1, 0x541C), (_RET, 0, 0, _EPERM),
            (_RET, 0, 0, _ALLOW),
        ]  # fmt: skip
    return _link(code)


def _search(numbers: list[tuple[int, str]], code: list) -> None:  # type: ignore[type-arg]
    """Emit a decision tree over sorted (system call, target label) pairs; every leaf ends the program or jumps on."""
    if len(numbers) > 3:
        half = len(numbers) // 2
        label = f"from {numbers[half][0]}"
        code.append((_JGE, label, 0, numbers[half][0]))
        _search(numbers[:half], code)
        code.append(label)
        _search(numbers[half:], code)
        return
    code.extend((_JEQ, len(numbers), 0, number) for number, _ in numbers)
    code.append((_RET, 0, 0, _ALLOW))
    code.extend((_RET, 0, 0, _EPERM) if target == "eperm" else (_JA, 0, 0, target) for _, target in numbers)


def _link(code: list) -> bytes:  # type: ignore[type-arg]
    places: dict[str, int] = {}
    flat: list[tuple[int, object, object, object]] = []
    for item in code:
        if isinstance(item, str):
            places[item] = len(flat)
        else:
            flat.append(item)
    out = []
    for at, (op, yes, no, k) in enumerate(flat):
        yes, no, k = (places[x] - at - 1 if isinstance(x, str) else x for x in (yes, no, k))
        out.append(struct.pack("<HBBI", op, yes, no, k))
    return b"".join(out)


class Filter:
    """A seccomp program in memory, ready to be loaded by any number of children."""

    def __init__(self, program: bytes) -> None:
        self._program = ctypes.create_string_buffer(program, len(program))
        self._header = struct.pack("<HxxxxxxQ", len(program) // 8, ctypes.addressof(self._program))

    def load(self) -> None:
        """Put this process and its descendants under the filter, for ever. Needs no_new_privs."""
        _check(_LIBC.prctl(PR_SET_SECCOMP, ctypes.c_ulong(2), self._header), "seccomp")
