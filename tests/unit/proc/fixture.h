/*
 * A running proc with pid 1, for tests: calls go through generated stubs over the loopback, below are fakes.
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "fake_kernel.h"
#include "fake_vfs.h"

#include <criterion/criterion.h>
#include <host.h>
#include <loopback.h>
#include <portico/client.h>
#include <portico/errno.h>
#include <proc.h>
#include <proc_client.h>

#define SERVER_BADGE ((UINT64_C(1) << 56) | 3)

/* Starts everything; pid 1 is /sbin/init. For .init of test suites. */
void fixture_begin(void);
/* The same with boot options. */
void fixture_begin_with(const char *run, const char *init);

/* Runs something as the server would, so that it can call other servers. */
void in_server(void (*action)(void *argument), void *argument);
/* A name of proc becomes a dead name. */
void dead_name(port_name_t name, uint64_t cookie);

/* The client's rights: of an ordinary process, of an upper server. */
extern port_name_t process_right, server_right;

/* The next calls come from this process's present image. */
void as(uint32_t pid);
struct process *process(uint32_t pid);
struct fake_task *task(uint32_t pid);
/* A child of `parent`; asserts success. */
uint32_t spawn(uint32_t parent);
/* A child that has execed. */
uint32_t spawn_program(uint32_t parent);
int exec(uint32_t pid, const char *path, const char *const *argv, const char *const *envp);
void die(uint32_t pid, int32_t status);
/* wait with WEXITED and more; returns errno, LOOPBACK_EPARKED if it parks. */
int wait_for(uint32_t pid, uint32_t kind, uint32_t id, uint32_t options, struct proc_wait_result *result);
/* Becomes an ordinary user, all ids. */
void become(uint32_t pid, uint32_t uid);

#endif
