"""The system calls a container may make: Docker's default list for 64-bit programs, without what a job never needs.

Gone from the default are io_uring (kernel memory shared with the caller, the source of many holes), `ptrace` and
`process_vm_*`, the older architectures, `modify_ldt`, `memfd_secret`, file handles and clock adjustment; `keyctl`,
`add_key`, `request_key` and `userfaultfd` were never in it, and no capability brings them or mounting back. This is the
outer filter, for the nanny too; each job then loads a tighter one of its own.
"""

from __future__ import annotations

import functools
import json

__all__ = ["profile"]

ALLOWED = """
accept accept4 access alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_getres clock_gettime
clock_nanosleep close close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl
epoll_pwait epoll_pwait2 epoll_wait eventfd eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64
fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fork fremovexattr
fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv futex_wake futimesat getcpu getcwd
getdents getdents64 getegid geteuid getgid getgroups getitimer getpeername getpgid getpgrp getpid getppid getpriority
getrandom getresgid getresuid getrlimit get_robust_list getrusage getsid getsockname getsockopt gettid gettimeofday
getuid getxattr inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel ioctl io_destroy io_getevents
io_pgetevents ioprio_get ioprio_set io_setup io_submit kill landlock_add_rule landlock_create_ruleset
landlock_restrict_self lchown lgetxattr link linkat listen listxattr llistxattr lremovexattr lseek lsetxattr lstat
madvise map_shadow_stack membarrier memfd_create mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect
mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap msgctl msgget msgrcv msgsnd msync munlock
munlockall munmap nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc
pkey_free pkey_mprotect poll ppoll prctl pread64 preadv preadv2 prlimit64 process_mrelease pselect6 pwrite64 pwritev
pwritev2 read readahead readlink readlinkat readv recvfrom recvmmsg recvmsg removexattr rename renameat renameat2
restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend
rt_sigtimedwait rt_tgsigqueueinfo sched_getaffinity sched_getattr sched_getparam sched_get_priority_max
sched_get_priority_min sched_getscheduler sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam
sched_setscheduler sched_yield seccomp select semctl semget semop semtimedop sendfile sendmmsg sendmsg sendto setfsgid
setfsuid setgid setgroups setitimer setpgid setpriority setregid setresgid setresuid setreuid setrlimit set_robust_list
setsid setsockopt set_tid_address setuid setxattr shmat shmctl shmdt shmget shutdown sigaltstack signalfd signalfd4
socketpair splice stat statfs statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill time timer_create
timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill
truncate umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev
"""

NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET: none may be asked of `clone`."""
AF_VSOCK = 40
NO_SUCH_CALL = 38


@functools.cache
def profile() -> str:
    """The filter as JSON text, as `--security-opt seccomp=` and the API take it."""

    def rule(names: list[str], *condition: int | str, action: str = "SCMP_ACT_ALLOW") -> dict[str, object]:
        made: dict[str, object] = {"names": names, "action": action}
        if condition:
            value, operation, *second = condition
            made["args"] = [{"index": 0, "value": value, "op": operation, "valueTwo": second[0] if second else 0}]
        return made

    harmless = (0, 8, 0x20000, 0x20008, 0xFFFFFFFF)  # personalities: plain, and queries
    rules = [
        rule(ALLOWED.split()),
        rule(["socket"], AF_VSOCK, "SCMP_CMP_NE"),
        rule(["clone"], NEW_NAMESPACES, "SCMP_CMP_MASKED_EQ", 0),
        {**rule(["clone3"], action="SCMP_ACT_ERRNO"), "errnoRet": NO_SUCH_CALL},  # then libc falls back to clone
        *(rule(["personality"], number, "SCMP_CMP_EQ") for number in harmless),
    ]
    machines = [{"architecture": f"SCMP_ARCH_{name}", "subArchitectures": []} for name in ("X86_64", "AARCH64")]
    return json.dumps({"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1, "archMap": machines, "syscalls": rules})
