/*
 * Numbers that programs see and vfs decides on: open flags, modes, capabilities, mount flags. Linux's for x86_64.
 */
#ifndef VFS_POSIX_H
#define VFS_POSIX_H

/* open(2) */
#define O_ACCMODE 03u
#define O_RDONLY 0u
#define O_WRONLY 1u
#define O_RDWR 2u
#define O_CREAT 0100u
#define O_EXCL 0200u
#define O_NOCTTY 0400u
#define O_TRUNC 01000u
#define O_APPEND 02000u
#define O_NONBLOCK 04000u
#define O_DSYNC 010000u
#define O_ASYNC 020000u
#define O_DIRECT 040000u
#define O_LARGEFILE 0100000u
#define O_DIRECTORY 0200000u
#define O_NOFOLLOW 0400000u
#define O_NOATIME 01000000u
#define O_CLOEXEC 02000000u
#define O_PATH 010000000u
#define O_TMPFILE_BIT 020000000u /* O_TMPFILE is this and O_DIRECTORY */

/* st_mode */
#define S_IFMT 0170000u
#define S_IFIFO 0010000u
#define S_IFCHR 0020000u
#define S_IFDIR 0040000u
#define S_IFBLK 0060000u
#define S_IFREG 0100000u
#define S_IFLNK 0120000u
#define S_IFSOCK 0140000u
#define S_ISUID 04000u
#define S_ISGID 02000u
#define S_ISVTX 01000u
#define S_IXGRP 00010u
#define MODE_BITS 07777u

/* What permission() is asked for; access(2) has the same bits. */
#define MAY_EXECUTE 1u
#define MAY_WRITE 2u
#define MAY_READ 4u

/* lseek(2) */
enum { SEEK_FROM_SET = 0, SEEK_FROM_CURRENT = 1, SEEK_FROM_END = 2, SEEK_TO_DATA = 3, SEEK_TO_HOLE = 4 };

/* fallocate(2) */
#define ALLOCATE_KEEP_SIZE 1u
#define ALLOCATE_PUNCH_HOLE 2u
#define ALLOCATE_ZERO_RANGE 16u

/* utimensat(2) */
#define TIME_NOW 0x3fffffffu
#define TIME_OMIT 0x3ffffffeu

/* renameat2(2) */
#define RENAME_KEEP_TARGET 1u /* RENAME_NOREPLACE */
#define RENAME_SWAP 2u        /* RENAME_EXCHANGE */

/* mount(2), umount2(2) */
#define MOUNT_READ_ONLY 1u
#define MOUNT_NO_SUID 2u
#define MOUNT_NO_DEVICES 4u
#define MOUNT_NO_EXECUTE 8u
#define MOUNT_REMOUNT 32u
#define MOUNT_NO_ATIME 1024u
#define MOUNT_NO_DIRECTORY_ATIME 2048u
#define MOUNT_BIND 4096u
#define MOUNT_MOVE 8192u
#define MOUNT_KEPT                                                                                                     \
	(MOUNT_READ_ONLY | MOUNT_NO_SUID | MOUNT_NO_DEVICES | MOUNT_NO_EXECUTE | MOUNT_NO_ATIME |                      \
	 MOUNT_NO_DIRECTORY_ATIME)
#define UNMOUNT_DETACH 2u

/* memfd_create(2): flags that mean something here; the others are about descriptors or sealing */
#define MEMORY_FILE_CLOEXEC 1u
#define MEMORY_FILE_SEALING 2u
#define MEMORY_FILE_NO_EXECUTE 8u
#define MEMORY_FILE_EXECUTE 16u

/* capabilities(7): bit numbers */
enum {
	CAP_CHOWN = 0,
	CAP_DAC_OVERRIDE = 1,
	CAP_DAC_READ_SEARCH = 2,
	CAP_FOWNER = 3,
	CAP_FSETID = 4,
	CAP_SYS_CHROOT = 18,
	CAP_SYS_ADMIN = 21,
	CAP_SYS_RESOURCE = 24,
	CAP_MKNOD = 27,
};

/* poll(2) */
#define POLL_IN 0x41u   /* POLLIN, POLLRDNORM */
#define POLL_OUT 0x104u /* POLLOUT, POLLWRNORM */
#define POLL_ERROR 8u
#define POLL_HANG_UP 16u

#define NAME_LENGTH_MAX 255u
#define PATH_LENGTH_MAX 4096u
#define LINKS_MAX 65000u     /* names of one file, subdirectories of one directory */
#define SYMLINKS_MAX 40u     /* followed in one path */
#define PIPE_ATOMIC 4096u    /* PIPE_BUF */
#define LEAVE_ID 0xffffffffu /* chown: no change */

#endif
