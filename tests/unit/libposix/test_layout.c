/* Structures that programs see, against the host's headers. */
#define _GNU_SOURCE
#include "../../../libposix/linux.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/ucontext.h>
#include <sys/utsname.h>
#include <time.h>

#define SAME(ours, our_field, host, host_field) \
	cr_assert_eq(offsetof(struct ours, our_field), offsetof(host, host_field), #our_field)
#define SAME_SIZE(ours, host) cr_assert_eq(sizeof(struct ours), sizeof(host))

Test(layout, stat)
{
	SAME_SIZE(linux_stat, struct stat);
	SAME(linux_stat, st_nlink, struct stat, st_nlink);
	SAME(linux_stat, st_mode, struct stat, st_mode);
	SAME(linux_stat, st_uid, struct stat, st_uid);
	SAME(linux_stat, st_rdev, struct stat, st_rdev);
	SAME(linux_stat, st_size, struct stat, st_size);
	SAME(linux_stat, st_blocks, struct stat, st_blocks);
	SAME(linux_stat, st_mtime_sec, struct stat, st_mtim.tv_sec);
	SAME(linux_stat, st_ctime_nsec, struct stat, st_ctim.tv_nsec);
}

Test(layout, statx)
{
	SAME_SIZE(linux_statx, struct statx);
	SAME(linux_statx, nlink, struct statx, stx_nlink);
	SAME(linux_statx, mode, struct statx, stx_mode);
	SAME(linux_statx, ino, struct statx, stx_ino);
	SAME(linux_statx, size, struct statx, stx_size);
	SAME(linux_statx, atime, struct statx, stx_atime);
	SAME(linux_statx, btime, struct statx, stx_btime);
	SAME(linux_statx, rdev_major, struct statx, stx_rdev_major);
	SAME(linux_statx, dev_minor, struct statx, stx_dev_minor);
}

Test(layout, statfs)
{
	SAME_SIZE(linux_statfs, struct statfs);
	SAME(linux_statfs, files, struct statfs, f_files);
	SAME(linux_statfs, fsid, struct statfs, f_fsid);
	SAME(linux_statfs, namelen, struct statfs, f_namelen);
	SAME(linux_statfs, flags, struct statfs, f_flags);
}

Test(layout, directory_entry)
{
	SAME(linux_dirent64, off, struct dirent64, d_off);
	SAME(linux_dirent64, reclen, struct dirent64, d_reclen);
	SAME(linux_dirent64, type, struct dirent64, d_type);
	SAME(linux_dirent64, name, struct dirent64, d_name);
}

Test(layout, small_ones)
{
	SAME_SIZE(linux_flock, struct flock);
	SAME(linux_flock, pid, struct flock, l_pid);
	SAME_SIZE(linux_rusage, struct rusage);
	SAME(linux_rusage, maxrss, struct rusage, ru_maxrss);
	SAME(linux_rusage, nivcsw, struct rusage, ru_nivcsw);
	SAME_SIZE(linux_rlimit, struct rlimit);
	SAME_SIZE(linux_sysinfo, struct sysinfo);
	SAME(linux_sysinfo, procs, struct sysinfo, procs);
	SAME(linux_sysinfo, mem_unit, struct sysinfo, mem_unit);
	SAME_SIZE(linux_utsname, struct utsname);
	SAME_SIZE(linux_pollfd, struct pollfd);
	SAME_SIZE(linux_epoll_event, struct epoll_event);
	SAME(linux_epoll_event, data, struct epoll_event, data);
	SAME_SIZE(linux_itimerspec, struct itimerspec);
}

Test(layout, siginfo)
{
	SAME_SIZE(linux_siginfo, siginfo_t);
	SAME(linux_siginfo, code, siginfo_t, si_code);
	SAME(linux_siginfo, u.queue.pid, siginfo_t, si_pid);
	SAME(linux_siginfo, u.queue.uid, siginfo_t, si_uid);
	SAME(linux_siginfo, u.queue.value, siginfo_t, si_value);
	SAME(linux_siginfo, u.timer.overrun, siginfo_t, si_overrun);
	SAME(linux_siginfo, u.child.status, siginfo_t, si_status);
	SAME(linux_siginfo, u.child.stime, siginfo_t, si_stime);
	SAME(linux_siginfo, u.fault.address, siginfo_t, si_addr);
	SAME(linux_siginfo, u.poll.fd, siginfo_t, si_fd);
}

#define GREG(field, index) \
	cr_assert_eq(offsetof(struct linux_ucontext, context.field), offsetof(ucontext_t, uc_mcontext.gregs[index]), #field)

Test(layout, ucontext)
{
	SAME(linux_ucontext, stack, ucontext_t, uc_stack);
	SAME(linux_ucontext, context, ucontext_t, uc_mcontext);
	SAME(linux_ucontext, mask, ucontext_t, uc_sigmask);
	SAME(linux_ucontext, context.fpstate, ucontext_t, uc_mcontext.fpregs);
	SAME_SIZE(linux_stack, stack_t);
}

Test(layout, general_registers)
{
	GREG(r8, REG_R8);
	GREG(r15, REG_R15);
	GREG(rdi, REG_RDI);
	GREG(rsi, REG_RSI);
	GREG(rbp, REG_RBP);
	GREG(rbx, REG_RBX);
	GREG(rdx, REG_RDX);
	GREG(rax, REG_RAX);
	GREG(rcx, REG_RCX);
	GREG(rsp, REG_RSP);
	GREG(rip, REG_RIP);
	GREG(eflags, REG_EFL);
	GREG(cs, REG_CSGSFS);
	GREG(error, REG_ERR);
	GREG(trap, REG_TRAPNO);
	GREG(old_mask, REG_OLDMASK);
	GREG(cr2, REG_CR2);
}

Test(layout, open_flags)
{
	cr_assert_eq((int)L_O_CREAT, O_CREAT);
	cr_assert_eq((int)L_O_NONBLOCK, O_NONBLOCK);
	cr_assert_eq((int)L_O_DIRECTORY, O_DIRECTORY);
	cr_assert_eq((int)L_O_NOFOLLOW, O_NOFOLLOW);
	cr_assert_eq((int)L_O_CLOEXEC, O_CLOEXEC);
	cr_assert_eq((int)L_O_PATH, O_PATH);
	cr_assert_eq((int)L_O_TMPFILE, O_TMPFILE);
	cr_assert_eq((int)L_O_SYNC, O_SYNC);
}

Test(layout, clone_and_map_flags)
{
	cr_assert_eq((int)L_CLONE_CHILD_CLEARTID, CLONE_CHILD_CLEARTID);
	cr_assert_eq((int)L_CLONE_SETTLS, CLONE_SETTLS);
	cr_assert_eq((int)L_CLONE_VFORK, CLONE_VFORK);
	cr_assert_eq((int)L_MAP_FIXED_NOREPLACE, MAP_FIXED_NOREPLACE);
	cr_assert_eq((int)L_MAP_GROWSDOWN, MAP_GROWSDOWN);
	cr_assert_eq(L_SA_RESETHAND, (unsigned)SA_RESETHAND);
	cr_assert_eq(L_SA_RESTART, (unsigned)SA_RESTART);
	cr_assert_eq(L_SA_ONSTACK, (unsigned)SA_ONSTACK);
}
