/*
 * /proc/sysvipc: a line for each object, in the form of Linux's sysvipc_*_proc_show().
 *
 * Nothing is kept of the text but where it stands: a read that goes on where the last one ended goes on at that object.
 */
#include "ipcd.h"
#include "kernel_ops.h"

#include <portico/ipc_files.h>
#include <portico/layout.h>
#include <portico/strings.h>

#define LINE_MAX 320u

static const char *const headings[] = {
        [IPC_FILE_LIST_SHM] = "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      atime      dtime      "
                              "ctime                   rss                  swap\n",
        [IPC_FILE_LIST_SEM] = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n",
        [IPC_FILE_LIST_MSG] = "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime      rtime      "
                              "ctime\n",
};

static const struct table *table_of(uint32_t file)
{
	return file == IPC_FILE_LIST_SHM ? &root->segments : file == IPC_FILE_LIST_SEM ? &root->sets : &root->queues;
}

static int print_segment(char *line, const struct segment *s)
{
	const struct object *o = &s->object;

	return snprintf(line, LINE_MAX, "%10d %10d  %4o %21llu %5u %5u  %5llu %5u %5u %5u %5u %10lld %10lld %10lld %21llu %21u\n", o->key, o->id,
	                o->mode, (unsigned long long)s->size, s->creator_pid, s->last_pid, (unsigned long long)s->attaches, o->uid, o->gid,
	                o->cuid, o->cgid, (long long)s->attach_time, (long long)s->detach_time, (long long)s->change_time,
	                (unsigned long long)(kernel_memory_resident(s->memory) * PAGE_SIZE), 0u);
}

static int print_set(char *line, const struct sem_set *s)
{
	const struct object *o = &s->object;

	return snprintf(line, LINE_MAX, "%10d %10d  %4o %10u %5u %5u %5u %5u %10lld %10lld\n", o->key, o->id, o->mode, s->count, o->uid, o->gid,
	                o->cuid, o->cgid, (long long)sem_time(s), (long long)s->change_time);
}

static int print_queue(char *line, const struct msg_queue *q)
{
	const struct object *o = &q->object;

	return snprintf(line, LINE_MAX, "%10d %10d  %4o  %10llu %10llu %5u %5u %5u %5u %5u %5u %10lld %10lld %10lld\n", o->key, o->id, o->mode,
	                (unsigned long long)q->bytes, (unsigned long long)q->count, q->send_pid, q->receive_pid, o->uid, o->gid, o->cuid,
	                o->cgid, (long long)q->send_time, (long long)q->receive_time, (long long)q->change_time);
}

/* Line 0 is the heading, line n the object in place n - 1; 0: nothing there. */
static size_t print_line(uint32_t file, uint32_t number, char *line)
{
	if (number == 0)
		return (size_t)snprintf(line, LINE_MAX, "%s", headings[file]);
	const struct object *object = table_at(table_of(file), number - 1);
	if (object == NULL)
		return 0;
	int length = file == IPC_FILE_LIST_SHM   ? print_segment(line, (const struct segment *)object)
	             : file == IPC_FILE_LIST_SEM ? print_set(line, (const struct sem_set *)object)
	                                         : print_queue(line, (const struct msg_queue *)object);
	return (size_t)length < LINE_MAX ? (size_t)length : LINE_MAX - 1;
}

size_t list_read(struct open_file *file, uint64_t at, char *to, size_t max)
{
	uint32_t lines = table_of(file->file)->high + 1;
	char line[LINE_MAX];
	size_t size = 0;

	if (at < file->line_start)
		file->line = 0, file->line_start = 0;
	while (file->line < lines && size < max) {
		size_t length = print_line(file->file, file->line, line);
		uint64_t end = file->line_start + length;
		if (end > at + size) {
			size_t from = (size_t)(at + size - file->line_start), part = length - from < max - size ? length - from : max - size;
			memcpy(to + size, line + from, part);
			size += part;
			if (from + part < length)
				break; /* the rest of the line is the next read's */
		}
		file->line++;
		file->line_start = end;
	}
	return size;
}
