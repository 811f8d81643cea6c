/*
 * What suites that are compared with Linux share. The same static program runs on Linux and in the guest; each check prints one line "name: result", and
 * the lines are compared (tests/harness/guest.py). Results hold nothing that differs from run to run: no ids, addresses, times.
 */
#ifndef GUEST_CHECK_H
#define GUEST_CHECK_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define UNUSED_UID 1234 /* a user and a group that nobody else is */

/* The value as it is, or -1 and the error's name. */
void result(const char *name, long value, int error);
#define VALUE(name, ...) \
	do { \
		long the_value = (errno = 0, (long)(__VA_ARGS__)); \
		result(name, the_value, errno); \
	} while (0)
/* "ok" for what is not negative (ids, addresses), else -1 and the error's name. */
void succeeds(const char *name, long value, int error);
#define OK(name, ...) \
	do { \
		long the_value = (errno = 0, (long)(__VA_ARGS__)); \
		succeeds(name, the_value, errno); \
	} while (0)
void text(const char *name, const char *value);
#define TRUE(name, ...) text(name, (__VA_ARGS__) ? "yes" : "no")

/* Supplementary groups, and then user UNUSED_UID + 1. */
void setgroups_and_user(gid_t groups[2]);
/* Runs `body` in a child as another user (0: the same). Its lines are printed in order. */
#define IN_CHILD(uid, ...) \
	do { \
		pid_t child_pid = begin_child(uid); \
		if (child_pid == 0) { \
			__VA_ARGS__; \
			end_child(); \
		} \
		await(child_pid); \
	} while (0)
pid_t begin_child(uid_t uid);
_Noreturn void end_child(void);
/* The wait status, as text: "exit 0", "signal 9". */
const char *await(pid_t pid);

/* A child that runs the function and exits with what it returns. */
pid_t start(int (*body)(void));
/* Waits, at most five seconds, until the function says so. */
bool until(bool (*condition)(void));
void nap(long milliseconds);
long elapsed_ms(const struct timespec *since);
struct timespec now(void);

/* A handler that does nothing but end waits. */
void catch_signal(int signal, int flags);
extern volatile sig_atomic_t caught;


/* It waits for something, and goes on doing so: for a child that was about to. */
bool sleeps(pid_t pid);
void until_asleep(pid_t pid);

/* A main program: `SUITE PART...`; without parts, all of them. Returns 0. */
struct part {
	const char *name;
	void (*run)(void);
};
int run_parts(int argc, char **argv, const struct part *parts, size_t count);

#endif
