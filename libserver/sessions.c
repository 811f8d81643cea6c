/*
 * Session records from proc's change log; see portico/server_sessions.h.
 */
#include <portico/server.h>
#include <portico/server_sessions.h>
#include <portico/strings.h>
#include <proc_client.h>

/* Volatile: what sessions_start() was called with. */
static struct {
	struct server_sessions *sessions;
	void (*changed)(const struct proc_change *change, struct server_session *session);
} subscriber;

static struct server_session **bucket_of(struct server_sessions *sessions, uint32_t pid)
{
	return &sessions->bucket[pid % SESSION_BUCKETS];
}

struct server_session *sessions_by_pid(struct server_sessions *sessions, uint32_t pid)
{
	struct server_session *s = *bucket_of(sessions, pid);

	while (s != NULL && s->pid != pid)
		s = s->next_pid;
	return s;
}

struct server_session *sessions_by_principal(struct server_sessions *sessions, uint64_t principal)
{
	return sessions_by_pid(sessions, (uint32_t)principal);
}

static struct server_session *add(struct server_sessions *sessions, uint32_t pid)
{
	struct server_session *s = keep_allocate(sizeof(*s));

	if (s == NULL)
		return NULL;
	s->pid = pid;
	s->next_pid = *bucket_of(sessions, pid);
	*bucket_of(sessions, pid) = s;
	s->previous = sessions->last;
	if (sessions->last != NULL)
		sessions->last->next = s;
	else
		sessions->first = s;
	sessions->last = s;
	sessions->count++;
	return s;
}

static void drop(struct server_sessions *sessions, struct server_session *s)
{
	struct server_session **link = bucket_of(sessions, s->pid);

	while (*link != s)
		link = &(*link)->next_pid;
	*link = s->next_pid;
	if (s->previous != NULL)
		s->previous->next = s->next;
	else
		sessions->first = s->next;
	if (s->next != NULL)
		s->next->previous = s->previous;
	else
		sessions->last = s->previous;
	sessions->count--;
	keep_free(s);
}

void sessions_apply(struct server_sessions *sessions, const struct proc_change *change,
                    void (*changed)(const struct proc_change *change, struct server_session *session))
{
	struct server_session *s = sessions_by_pid(sessions, change->pid);

	if (s == NULL && change->kind == PROC_CHANGE_KIND_DEATH)
		return;
	if (s == NULL)
		s = add(sessions, change->pid);
	if (s == NULL) {
		server_log("no memory for the session record of process %u", change->pid);
		return;
	}
	s->principal = change->principal;
	s->parent = change->parent;
	s->group = change->group;
	s->session = change->session;
	s->uid = change->uid;
	s->euid = change->euid;
	s->suid = change->suid;
	s->gid = change->gid;
	s->egid = change->egid;
	if (changed != NULL)
		changed(change, s);
	if (change->kind == PROC_CHANGE_KIND_DEATH)
		drop(sessions, s);
}

static void pull(uint64_t bits)
{
	struct server_sessions *sessions = subscriber.sessions;
	struct proc_change list[PROC_CHANGES_MAX];
	size_t count;

	(void)bits;
	do {
		uint64_t next = sessions->cursor;
		int error = proc_changes(sessions->proc, sessions->cursor, list, PROC_CHANGES_MAX, &count, &next);
		if (error == ESTALE) {
			/* Left behind: proc tells of every live process again. Deaths in between are found by their reused pids only. */
			sessions->cursor = UINT64_C(1) << 63;
			count = PROC_CHANGES_MAX;
			continue;
		}
		if (error != 0) {
			server_log("change log of proc: error %d", error);
			return;
		}
		for (size_t i = 0; i < count; i++)
			sessions_apply(sessions, &list[i], subscriber.changed);
		sessions->cursor = next;
	} while (count == PROC_CHANGES_MAX);
}

int sessions_start(struct server_sessions *sessions, uint64_t bit,
                   void (*changed)(const struct proc_change *change, struct server_session *session))
{
	subscriber.sessions = sessions;
	subscriber.changed = changed;
	server_on_notify(bit, pull);
	if (!server_cold())
		return 0;
	sessions->proc = server_lookup("proc");
	port_name_t notify = server_notify_right();
	if (sessions->proc == PORT_NULL || notify == PORT_NULL)
		return ENOMEM;
	int error = proc_subscribe(sessions->proc, notify, bit, &sessions->cursor);
	if (error != 0) {
		server_release_right(notify);
		return error;
	}
	pull(bit);
	return 0;
}
