/* The parts of the suite of System V IPC and POSIX message queues. */
#ifndef IPC_CHECK_H
#define IPC_CHECK_H

#include "../check/check.h"
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#ifndef MSG_COPY
#define MSG_COPY 040000 /* musl has it not */
#endif

void shm_checks(void);
void sem_checks(void);
void sem_wait_checks(void);
void msg_checks(void);
void msg_wait_checks(void);
void mq_checks(void);
void mq_wait_checks(void);
void storm_checks(void);

#endif
