/*
 * A running ipcd for tests: calls through generated stubs over the loopback; below, the generated fakes of proc and sig and a fake kernel.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include <criterion/criterion.h>
#include <host.h>
#include <ipc_client.h>
#include <ipcd.h>
#include <loopback.h>
#include <portico/client.h>
#include <proc_fake.h>
#include <sig_fake.h>
#include <string.h>

enum { OWNER = 10, CHILD = 11, OTHER = 20, SUPER = 1 }; /* processes; OWNER and CHILD: uid 1000, OTHER: 2000, SUPER: 0 */

void fixture_begin(void);
extern port_name_t ipc; /* an ordinary process's right */

/* The process that calls from now on. */
void as(uint32_t pid);
void birth(uint32_t pid, uint32_t forked_by, uint32_t uid);
void change(uint32_t pid, uint8_t kind);

/* What proc answers when it is asked for credentials, and how often it was. */
extern uint64_t capabilities;
extern uint32_t extra_group;
extern unsigned asked;
/* Signals that sig was asked for. */
extern struct sig_signal_info signalled;
extern uint32_t signalled_pid;
extern unsigned signals;
/* The page that was made last. */
extern struct sem_page *shared_sem_page;
/* Memory objects that are there. */
extern unsigned memory_objects;

/* The call parks; its id. Its answer comes with the same call after answered(id). */
uint64_t parked(int status);
#define PARKS(call) parked(call)
#define answered(id) loopback_answered(id)
#define AFTER(id, call) (loopback_resume(id), (call))

/* Nothing is left behind: all objects removed by now, all processes ended. */
void expect_nothing_left(void);

static inline int operate(int32_t id, uint16_t number, int16_t operation, int16_t flags)
{
	struct ipc_sem_operation op = {number, operation, flags};
	return ipc_sem_operate(ipc, id, &op, 1);
}
static inline int value(int32_t id, int32_t number)
{
	uint32_t result = 0;
	int error = ipc_sem_get_value(ipc, id, number, IPC_SEM_VALUE_VALUE, &result);
	return error ? -error : (int)result;
}
static inline uint32_t waiting(int32_t id, int32_t number, uint32_t what)
{
	uint32_t result = 0;
	cr_assert_eq(ipc_sem_get_value(ipc, id, number, what, &result), 0);
	return result;
}

#endif
