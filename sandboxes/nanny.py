"""The worker: a small, trusted process that forks one confined child per job and never reads what the child wrote.

It is started by file with `-I -S` and an empty environment (embedded), or sent to a bare interpreter (container, see
`boot`); it imports the standard library and its own four siblings, nothing else. It speaks the frames of `wire` on two
file descriptors given on its command line: one to read, one to write (the same socket, embedded; 0 and 1, container).

The first frame is CONFIG, one dict of:

    mode      "namespaced"  everything: a new root, user, pid, mount, network, ipc, uts and cgroup namespaces
              "reduced"     Landlock, seccomp and resource limits in the host's own namespaces
              "container"   inside a container that somebody else walled in; started as its root and process 1
              "none"        resource limits only
    uid       the host user id to become (namespaced, when started as root), or the one a child becomes (container);
              None to stay who we are
    binds     [(path on the host, path inside), ...] read-only (namespaced), and the paths a child may read (all modes)
    links     [(path inside, target), ...] symbolic links to make (namespaced)
    devices   [path, ...] device nodes a child may use
    scratch   the path of the child's scratch space: mounted afresh for each job (namespaced), otherwise an empty directory
              of ours that is emptied after each job
    scratch_limits   [bytes, inodes] a container's tmpfs has, for the record
    syspath   [path, ...] appended to sys.path
    hide      [path, ...] directories to cover with an empty one (namespaced)
    preload   [module, ...] imported once, before the first fork
    env       {name: value} of every child
    drop      whether to try to drop the capability bounding set

It answers READY {"pid", "python", "gaps", "landlock", "rss_kb"} or FAILED "step: reason".

A JOB frame is u32 length, that many bytes of one dict of numbers (trusted, from the host), and the body, which goes unread
to the child. For each job: fork, wall in (`walls`), run (`runner`), wait for the child's death or a limit, kill all that
is left, send DATA frames for streams 1 (stdout), 2 (stderr) and 3 (answers), ARTIFACT frames, and DONE, a dict of:

    why       "exit", or what ended it: "timeout" "cpu" "memory" "output" "processes" "killed" (the host asked),
              "missing" (no such program), "setup" (the sandbox could not be built: the host raises, it is no result)
    code, signal, wall, cpu, rss_kb, setup_s, teardown_s, truncated, detail, worn (replace this worker)

While a job runs, KILL ends it; when the stream closes, the nanny kills the job and exits. With `live` (sessions), DATA
frames are sent as they come and FEED bytes go to the child's file descriptor 4.
"""
