/*
 * The limits of /proc/sys/kernel: numbers that can be read, and set by the superuser (proc has checked that). man 5 proc.
 *
 * Lower limits are for what is made from then on. Where a bound is narrower than Linux's it is what a message, or a table, can hold.
 */
#include "ipcd.h"

#include <portico/ipc_files.h>
#include <portico/strings.h>

#define NUMBERS 4u

struct limit {
	const char *path; /* below /proc */
	struct {
		uint64_t *value;  /* 64 bits ... */
		uint32_t *number; /* ... or 32 */
		uint64_t max;
	} part[NUMBERS];
};

/* The limit that a file shows. */
static struct limit limit_of(uint32_t file)
{
	struct limits *l = &root->limits;

	switch (file) {
	case IPC_FILE_LIST_SHM:
		return (struct limit){.path = "sysvipc/shm"};
	case IPC_FILE_LIST_SEM:
		return (struct limit){.path = "sysvipc/sem"};
	case IPC_FILE_LIST_MSG:
		return (struct limit){.path = "sysvipc/msg"};
	case IPC_FILE_SHMMAX:
		return (struct limit){"sys/kernel/shmmax", {{&l->shm_max, NULL, UINT64_MAX}}};
	case IPC_FILE_SHMALL:
		return (struct limit){"sys/kernel/shmall", {{&l->shm_pages, NULL, UINT64_MAX}}};
	case IPC_FILE_SHMMNI:
		return (struct limit){"sys/kernel/shmmni", {{NULL, &l->shm_segments, PLACES_MAX}}};
	case IPC_FILE_SEM:
		return (struct limit){"sys/kernel/sem",
		                      {{NULL, &l->sem_per_set, SEM_PER_SET_MAX},
		                       {NULL, &l->sem_total, INT32_MAX},
		                       {NULL, &l->sem_operations, IPC_SEM_OPERATIONS_MAX},
		                       {NULL, &l->sem_sets, PLACES_MAX}}};
	case IPC_FILE_MSGMAX:
		return (struct limit){"sys/kernel/msgmax", {{NULL, &l->msg_text, IPC_TEXT_MAX}}};
	case IPC_FILE_MSGMNB:
		return (struct limit){"sys/kernel/msgmnb", {{NULL, &l->msg_bytes, INT32_MAX}}};
	case IPC_FILE_MQ_QUEUES_MAX:
		return (struct limit){"sys/fs/mqueue/queues_max", {{NULL, &l->mq_queues, INT32_MAX}}};
	case IPC_FILE_MQ_MSG_MAX:
		return (struct limit){"sys/fs/mqueue/msg_max", {{NULL, &l->mq_messages, MQ_MESSAGES_HARD}}};
	case IPC_FILE_MQ_MSGSIZE_MAX:
		return (struct limit){"sys/fs/mqueue/msgsize_max", {{NULL, &l->mq_size, IPC_TEXT_MAX}}};
	case IPC_FILE_MQ_MSG_DEFAULT:
		return (struct limit){"sys/fs/mqueue/msg_default", {{NULL, &l->mq_messages_default, MQ_MESSAGES_HARD}}};
	case IPC_FILE_MQ_MSGSIZE_DEFAULT:
		return (struct limit){"sys/fs/mqueue/msgsize_default", {{NULL, &l->mq_size_default, IPC_TEXT_MAX}}};
	default:
		return (struct limit){"sys/kernel/msgmni", {{NULL, &l->msg_queues, PLACES_MAX}}};
	}
}

const char *limit_path(uint32_t file)
{
	return limit_of(file).path;
}

static bool has_part(const struct limit *limit, uint32_t i)
{
	return i < NUMBERS && (limit->part[i].value != NULL || limit->part[i].number != NULL);
}

size_t limit_read(uint32_t file, uint64_t at, char *to, size_t max)
{
	struct limit limit = limit_of(file);
	char text[128];
	size_t length = 0;

	for (uint32_t i = 0; has_part(&limit, i); i++) {
		uint64_t value = limit.part[i].value != NULL ? *limit.part[i].value : *limit.part[i].number;
		length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%llu", i != 0 ? "\t" : "", (unsigned long long)value);
	}
	length += (size_t)snprintf(text + length, sizeof(text) - length, "\n");
	if (at >= length)
		return 0;
	if (max > length - at)
		max = length - at;
	memcpy(to, text + at, max);
	return max;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* The number at *at, which is moved behind it. False: there is none, or it is too large. */
static bool parse(const char *bytes, size_t size, size_t *at, uint64_t *value)
{
	size_t i = *at;

	while (i < size && is_blank(bytes[i]))
		i++;
	size_t first = i;
	for (*value = 0; i < size && bytes[i] >= '0' && bytes[i] <= '9'; i++) {
		if (__builtin_mul_overflow(*value, 10, value) || __builtin_add_overflow(*value, bytes[i] - '0', value))
			return false;
	}
	*at = i;
	return i > first && (i == size || is_blank(bytes[i]));
}

/* Numbers that are not there stay as they are; a bad one changes nothing. */
int limit_write(uint32_t file, const char *bytes, size_t size)
{
	struct limit limit = limit_of(file);
	uint64_t value[NUMBERS];
	uint32_t count = 0;

	for (size_t at = 0;; count++) {
		while (at < size && is_blank(bytes[at]))
			at++;
		if (at == size)
			break;
		if (!has_part(&limit, count) || !parse(bytes, size, &at, &value[count]) || value[count] > limit.part[count].max)
			return EINVAL;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (limit.part[i].value != NULL)
			*limit.part[i].value = value[i];
		else
			*limit.part[i].number = (uint32_t)value[i];
	}
	return count != 0 ? 0 : EINVAL;
}
