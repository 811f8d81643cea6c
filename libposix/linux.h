/*
 * Linux x86_64's binary interface: the constants and structures that programs and libposix exchange. Layouts are checked against
 * the host's headers in tests/unit/libposix. Servers have types of their own (idl/).
 */
#ifndef LIBPOSIX_LINUX_H
#define LIBPOSIX_LINUX_H

#include <stdint.h>

/* ---- files ---- */
enum {
	L_O_ACCMODE = 3, L_O_RDONLY = 0, L_O_WRONLY = 1, L_O_RDWR = 2, L_O_CREAT = 0100, L_O_EXCL = 0200, L_O_NOCTTY = 0400,
	L_O_TRUNC = 01000, L_O_APPEND = 02000, L_O_NONBLOCK = 04000, L_O_DSYNC = 010000, L_O_ASYNC = 020000,
	L_O_DIRECT = 040000, L_O_LARGEFILE = 0100000, L_O_DIRECTORY = 0200000, L_O_NOFOLLOW = 0400000, L_O_NOATIME = 01000000,
	L_O_CLOEXEC = 02000000, L_O_SYNC = 04010000, L_O_PATH = 010000000, L_O_TMPFILE = 020200000,
};

enum {
	L_AT_FDCWD = -100, L_AT_SYMLINK_NOFOLLOW = 0x100, L_AT_EACCESS = 0x200, L_AT_REMOVEDIR = 0x200, L_AT_SYMLINK_FOLLOW = 0x400,
	L_AT_NO_AUTOMOUNT = 0x800, L_AT_EMPTY_PATH = 0x1000, L_AT_STATX_SYNC_TYPE = 0x6000,
};

enum { L_S_IFMT = 0170000, L_S_IFREG = 0100000, L_S_IFDIR = 0040000, L_S_IFCHR = 0020000, L_S_IFLNK = 0120000, L_S_IFIFO = 0010000 };

enum {
	L_F_DUPFD = 0, L_F_GETFD = 1, L_F_SETFD = 2, L_F_GETFL = 3, L_F_SETFL = 4, L_F_GETLK = 5, L_F_SETLK = 6, L_F_SETLKW = 7,
	L_F_SETOWN = 8, L_F_GETOWN = 9, L_F_OFD_GETLK = 36, L_F_OFD_SETLK = 37, L_F_OFD_SETLKW = 38, L_F_DUPFD_CLOEXEC = 1030,
	L_F_SETPIPE_SZ = 1031, L_F_GETPIPE_SZ = 1032, L_FD_CLOEXEC = 1,
};

#define L_PATH_MAX 4096u

struct linux_stat {
	uint64_t st_dev, st_ino, st_nlink;
	uint32_t st_mode, st_uid, st_gid, pad0;
	uint64_t st_rdev;
	int64_t st_size, st_blksize, st_blocks;
	uint64_t st_atime_sec, st_atime_nsec, st_mtime_sec, st_mtime_nsec, st_ctime_sec, st_ctime_nsec;
	int64_t unused[3];
};

struct linux_statx_time { int64_t sec; uint32_t nsec; int32_t pad; };

struct linux_statx {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, pad0;
	uint64_t ino, size, blocks, attributes_mask;
	struct linux_statx_time atime, btime, ctime, mtime;
	uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
	uint64_t mount_id;
	uint32_t dio_mem_align, dio_offset_align;
	uint64_t spare[12];
};

struct linux_statfs {
	int64_t type, bsize, blocks, bfree, bavail, files, ffree;
	int32_t fsid[2];
	int64_t namelen, frsize, flags, spare[4];
};

struct linux_dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

struct linux_flock { int16_t type, whence; int64_t start, len; int32_t pid; };

struct linux_iovec { uint64_t base, len; };

/* ---- time ---- */
struct linux_timespec { int64_t sec, nsec; };
struct linux_timeval { int64_t sec, usec; };
struct linux_itimerval { struct linux_timeval interval, value; };
struct linux_itimerspec { struct linux_timespec interval, value; };

enum {
	L_CLOCK_REALTIME = 0, L_CLOCK_MONOTONIC = 1, L_CLOCK_PROCESS_CPUTIME_ID = 2, L_CLOCK_THREAD_CPUTIME_ID = 3,
	L_CLOCK_MONOTONIC_RAW = 4, L_CLOCK_REALTIME_COARSE = 5, L_CLOCK_MONOTONIC_COARSE = 6, L_CLOCK_BOOTTIME = 7,
	L_CLOCK_REALTIME_ALARM = 8, L_CLOCK_BOOTTIME_ALARM = 9, L_CLOCK_TAI = 11, L_TIMER_ABSTIME = 1,
};

/* ---- memory ---- */
enum {
	L_PROT_READ = 1, L_PROT_WRITE = 2, L_PROT_EXEC = 4, L_PROT_GROWSDOWN = 0x01000000, L_PROT_GROWSUP = 0x02000000,
	L_MAP_SHARED = 1, L_MAP_PRIVATE = 2, L_MAP_SHARED_VALIDATE = 3, L_MAP_TYPE = 15, L_MAP_FIXED = 0x10, L_MAP_ANONYMOUS = 0x20,
	L_MAP_32BIT = 0x40, L_MAP_GROWSDOWN = 0x100, L_MAP_LOCKED = 0x2000, L_MAP_NORESERVE = 0x4000, L_MAP_POPULATE = 0x8000,
	L_MAP_NONBLOCK = 0x10000, L_MAP_STACK = 0x20000, L_MAP_HUGETLB = 0x40000, L_MAP_FIXED_NOREPLACE = 0x100000,
	L_MREMAP_MAYMOVE = 1, L_MREMAP_FIXED = 2, L_MREMAP_DONTUNMAP = 4,
	L_MS_ASYNC = 1, L_MS_INVALIDATE = 2, L_MS_SYNC = 4,
};

/* ---- processes and threads ---- */
enum {
	L_CLONE_VM = 0x100, L_CLONE_FS = 0x200, L_CLONE_FILES = 0x400, L_CLONE_SIGHAND = 0x800, L_CLONE_PIDFD = 0x1000,
	L_CLONE_PTRACE = 0x2000, L_CLONE_VFORK = 0x4000, L_CLONE_PARENT = 0x8000, L_CLONE_THREAD = 0x10000, L_CLONE_NEWNS = 0x20000,
	L_CLONE_SYSVSEM = 0x40000, L_CLONE_SETTLS = 0x80000, L_CLONE_PARENT_SETTID = 0x100000, L_CLONE_CHILD_CLEARTID = 0x200000,
	L_CLONE_DETACHED = 0x400000, L_CLONE_UNTRACED = 0x800000, L_CLONE_CHILD_SETTID = 0x1000000, L_CLONE_IO = (int)0x80000000,
	L_CLONE_NAMESPACES = 0x7e020080, /* NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET, NEWTIME */
};
#define L_CLONE_CLEAR_SIGHAND UINT64_C(0x100000000)
#define L_CLONE_INTO_CGROUP UINT64_C(0x200000000)

struct linux_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid, set_tid_size, cgroup;
};

struct linux_rusage {
	struct linux_timeval utime, stime;
	int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};

struct linux_rlimit { uint64_t current, maximum; };
struct linux_tms { int64_t utime, stime, cutime, cstime; };

enum { L_WNOHANG = 1, L_WUNTRACED = 2, L_WSTOPPED = 2, L_WEXITED = 4, L_WCONTINUED = 8, L_WNOWAIT = 0x01000000, L_WALL = 0x40000000,
	L_WNOTHREAD = 0x20000000, L_WCLONE = (int)0x80000000 };

struct linux_utsname { char sysname[65], nodename[65], release[65], version[65], machine[65], domainname[65]; };

struct linux_sysinfo {
	int64_t uptime;
	uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit;
};

struct linux_robust_list { uint64_t next; };
struct linux_robust_list_head { struct linux_robust_list list; int64_t futex_offset; uint64_t pending; };

/* ---- signals ---- */
enum {
	L_SIGHUP = 1, L_SIGINT = 2, L_SIGQUIT = 3, L_SIGILL = 4, L_SIGTRAP = 5, L_SIGABRT = 6, L_SIGBUS = 7, L_SIGFPE = 8, L_SIGKILL = 9,
	L_SIGUSR1 = 10, L_SIGSEGV = 11, L_SIGUSR2 = 12, L_SIGPIPE = 13, L_SIGALRM = 14, L_SIGTERM = 15, L_SIGSTKFLT = 16,
	L_SIGCHLD = 17, L_SIGCONT = 18, L_SIGSTOP = 19, L_SIGTSTP = 20, L_SIGTTIN = 21, L_SIGTTOU = 22, L_SIGURG = 23, L_SIGXCPU = 24,
	L_SIGXFSZ = 25, L_SIGVTALRM = 26, L_SIGPROF = 27, L_SIGWINCH = 28, L_SIGIO = 29, L_SIGPWR = 30, L_SIGSYS = 31, L_NSIG = 64,
};
#define SIGNAL_BIT(signal) (UINT64_C(1) << ((signal) - 1))

#define L_SA_NOCLDSTOP 1u
#define L_SA_NOCLDWAIT 2u
#define L_SA_SIGINFO 4u
#define L_SA_UNSUPPORTED 0x400u
#define L_SA_EXPOSE_TAGBITS 0x800u
#define L_SA_RESTORER 0x04000000u
#define L_SA_ONSTACK 0x08000000u
#define L_SA_RESTART 0x10000000u
#define L_SA_NODEFER 0x40000000u
#define L_SA_RESETHAND 0x80000000u
#define L_SIG_DFL 0u
#define L_SIG_IGN 1u

struct linux_sigaction { uint64_t handler, flags, restorer, mask; };

enum { L_SS_ONSTACK = 1, L_SS_DISABLE = 2 };
#define L_SS_AUTODISARM 0x80000000u
struct linux_stack { uint64_t base; uint32_t flags, pad; uint64_t size; };

enum {
	L_SI_USER = 0, L_SI_KERNEL = 0x80, L_SI_QUEUE = -1, L_SI_TIMER = -2, L_SI_TKILL = -6,
	L_ILL_ILLOPN = 2, L_FPE_INTDIV = 1, L_FPE_FLTINV = 7, L_SEGV_MAPERR = 1, L_SEGV_ACCERR = 2, L_BUS_ADRALN = 1, L_BUS_ADRERR = 2,
	L_TRAP_BRKPT = 1, L_TRAP_TRACE = 2,
};

struct linux_siginfo {
	int32_t signo, error, code, pad;
	union {
		struct { int32_t pid; uint32_t uid; uint64_t value; } queue;
		struct { int32_t timer, overrun; uint64_t value; } timer;
		struct { int32_t pid; uint32_t uid; int32_t status; int64_t utime, stime; } child;
		struct { uint64_t address; } fault;
		struct { int64_t band; int32_t fd; } poll;
		uint8_t space[112];
	} u;
};

struct linux_sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t error, trap, old_mask, cr2, fpstate, reserved[8];
};

struct linux_ucontext {
	uint64_t flags, link;
	struct linux_stack stack;
	struct linux_sigcontext context;
	uint64_t mask;
};

struct linux_rt_sigframe {
	uint64_t return_address;
	struct linux_ucontext uc;
	struct linux_siginfo info;
};

enum { L_UC_FP_XSTATE = 1, L_UC_SIGCONTEXT_SS = 2, L_UC_STRICT_RESTORE_SS = 4 };

/* Bytes 464 to 511 of the vector state in a signal frame, and what follows the state. */
#define L_FP_XSTATE_MAGIC1 0x46505853u
#define L_FP_XSTATE_MAGIC2 0x46505845u
#define L_FP_SOFTWARE_BYTES 464u
struct linux_fpx_software { uint32_t magic1, extended_size; uint64_t features; uint32_t xstate_size, padding[7]; };

/* ---- polling ---- */
enum { L_POLLIN = 1, L_POLLPRI = 2, L_POLLOUT = 4, L_POLLERR = 8, L_POLLHUP = 0x10, L_POLLNVAL = 0x20, L_POLLRDNORM = 0x40,
	L_POLLRDBAND = 0x80, L_POLLWRNORM = 0x100, L_POLLWRBAND = 0x200, L_POLLRDHUP = 0x2000 };

struct linux_pollfd { int32_t fd; int16_t events, revents; };
struct linux_epoll_event { uint32_t events; uint64_t data; } __attribute__((packed));
#define L_EPOLLET 0x80000000u
#define L_EPOLLONESHOT 0x40000000u
#define L_EPOLLEXCLUSIVE 0x10000000u
enum { L_EPOLL_CTL_ADD = 1, L_EPOLL_CTL_DEL = 2, L_EPOLL_CTL_MOD = 3 };

/* ---- sockets ---- */
enum { L_AF_UNSPEC = 0, L_AF_UNIX = 1, L_SOL_SOCKET = 1 };
enum { L_SOCK_TYPE_MASK = 0xf, L_SOCK_NONBLOCK = 04000, L_SOCK_CLOEXEC = 02000000, L_SOCK_STREAM = 1, L_SOCK_DGRAM = 2, L_SOCK_SEQPACKET = 5 };
enum { L_MSG_OOB = 1, L_MSG_PEEK = 2, L_MSG_CTRUNC = 8, L_MSG_TRUNC = 0x20, L_MSG_DONTWAIT = 0x40, L_MSG_EOR = 0x80, L_MSG_WAITALL = 0x100,
	L_MSG_ERRQUEUE = 0x2000, L_MSG_NOSIGNAL = 0x4000, L_MSG_MORE = 0x8000, L_MSG_WAITFORONE = 0x10000, L_MSG_CMSG_CLOEXEC = 0x40000000 };
enum { L_SCM_RIGHTS = 1, L_SCM_CREDENTIALS = 2, L_SCM_MAX_FD = 253 };

struct linux_msghdr {
	uint64_t name;
	uint32_t namelen, pad0;
	uint64_t iov, iovlen, control, controllen;
	int32_t flags;
	uint32_t pad1;
};
struct linux_mmsghdr { struct linux_msghdr header; uint32_t length, pad; };
struct linux_cmsghdr { uint64_t len; int32_t level, type; };
struct linux_ucred { int32_t pid; uint32_t uid, gid; };

_Static_assert(sizeof(struct linux_msghdr) == 56, "Linux");
_Static_assert(sizeof(struct linux_mmsghdr) == 64, "Linux");
_Static_assert(sizeof(struct linux_cmsghdr) == 16, "Linux");
_Static_assert(sizeof(struct linux_stat) == 144, "Linux");
_Static_assert(sizeof(struct linux_statx) == 256, "Linux");
_Static_assert(sizeof(struct linux_statfs) == 120, "Linux");
_Static_assert(sizeof(struct linux_flock) == 32, "Linux");
_Static_assert(sizeof(struct linux_siginfo) == 128, "Linux");
_Static_assert(sizeof(struct linux_sigcontext) == 256, "Linux");
_Static_assert(sizeof(struct linux_ucontext) == 304, "Linux");
_Static_assert(sizeof(struct linux_rt_sigframe) == 440, "Linux");
_Static_assert(sizeof(struct linux_fpx_software) == 48, "Linux");
_Static_assert(sizeof(struct linux_rusage) == 144, "Linux");
_Static_assert(sizeof(struct linux_sysinfo) == 112, "Linux");
_Static_assert(sizeof(struct linux_epoll_event) == 12, "Linux");

#endif
