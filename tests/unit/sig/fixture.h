/*
 * A running sig for tests: calls through generated stubs over the loopback; below, the generated fake of proc and a
 * fake kernel.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <criterion/criterion.h>
#include <host.h>
#include <loopback.h>
#include <portico/client.h>
#include <portico/errno.h>
#include <proc_fake.h>
#include <sig.h>
#include <sig_client.h>

#define SERVER_BADGE ((UINT64_C(1) << 56) | 4)

/* pid 1 (session 0), a shell 10 (leader of session and group 10), its child 20 in group 20. All attached with one
 * thread. */
void fixture_begin(void);

extern port_name_t process_right, server_right;

/* What has been asked of proc and the kernel. */
struct asked {
	unsigned kills, stops, resumes, interrupts;
	unsigned looks; /* sig told itself to look again */
	uint32_t killed, stopped, stop_signal, resumed;
	int32_t kill_status;
	uint32_t interrupted_pid, interrupted_slot;
};
extern struct asked asked;

/* What proc and the kernel answer. */
struct answers {
	uint64_t capabilities;       /* of everybody, by credentials_of */
	uint64_t limit;              /* RLIMIT_SIGPENDING */
	uint32_t zombie;             /* a pid that proc still knows */
	uint64_t user_ns, system_ns; /* CPU time of every task */
};
extern struct answers answers;

/* Runs once, before the next commit's conditions: what processes do after sig's handler has looked at their pages. */
extern void (*before_commit)(void);
/* The notification that sig sent itself. */
void look_again(void);

uint64_t principal_of(uint32_t pid);
void as(uint32_t pid);
/* Changes, as proc would log them. */
void birth(uint32_t pid, uint32_t parent, uint32_t group, uint32_t session, uint32_t uid);
void change(uint32_t pid, uint8_t kind, int32_t status);
void change_full(const struct proc_change *entry);
/* A new image: generation + 1. */
void execed(uint32_t pid);
void attach(uint32_t pid);
struct signal_page *page(uint32_t pid);
/* Lets time pass, with the server's timer. */
void at(uint64_t now);
int kill_(int32_t pid, uint32_t signal);
/* Takes one out of `set` for the first thread; 0: none. */
int32_t take(uint32_t pid, uint64_t set, struct sig_signal_info *info);
bool is_pending(uint32_t pid, uint32_t signal);

#define ALL (~UINT64_C(0))

#endif
