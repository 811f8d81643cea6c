/* The suite's main program: `ipc PART...`. */
#include "check.h"

int main(int argc, char **argv)
{
	static const struct part parts[] = {{"shm", shm_checks}, {"sem", sem_checks}, {"sem_wait", sem_wait_checks}, {"msg", msg_checks},
					    {"msg_wait", msg_wait_checks}, {"mq", mq_checks}, {"mq_wait", mq_wait_checks}, {"storm", storm_checks}};

	return run_parts(argc, argv, parts, sizeof(parts) / sizeof(parts[0]));
}
