/*
 * Effects that do not fit into one commit: a list in the keep, first in, first out. Instrumented: the list is a part of the
 * transaction that made it.
 */
#include "transaction.h"

struct spilled {
	struct spilled *next;
	struct effect effect;
	uint32_t marker;      /* nothing: only begins the spilling */
	uint32_t bytes;
	bool message;
	uint8_t data[];
};

bool effects_spilled(void)
{
	return server_state()->spilled != NULL;
}

static void append(struct spilled *s)
{
	struct server_state *state = server_state();

	if (state->spilled_last != NULL)
		state->spilled_last->next = s;
	else
		state->spilled = s;
	state->spilled_last = s;
}

static struct spilled *make(size_t bytes)
{
	struct spilled *s = keep_allocate(sizeof(*s) + bytes);

	if (s == NULL)
		transaction_abandon(ENOMEM, "no memory for effects");
	s->bytes = (uint32_t)bytes;
	return s;
}

void effects_start_spilling(void)
{
	struct spilled *s = make(0);

	s->marker = 1;
	append(s);
}

void effects_spill(const struct effect *effect, const void *data, const struct msg_page *message)
{
	size_t descriptors = MSG_DESCRIPTORS_OF(effect->c) * sizeof(struct msg_descriptor);
	size_t length = MSG_LENGTH_OF(effect->c);
	struct spilled *s;

	if (engine_mode == ENGINE_QUERY)
		server_panic("a query has too many effects");
	if (message != NULL) {
		s = make(descriptors + length);
		memcpy(s->data, message->descriptor, descriptors);
		memcpy(s->data + descriptors, message->data, length);
		s->message = true;
	} else {
		s = make(data != NULL ? effect->size : 0);
		memcpy(s->data, data, s->bytes);
	}
	s->effect = *effect;
	append(s);
}

static bool take(const struct spilled *s)
{
	static struct msg_page page;
	size_t descriptors = MSG_DESCRIPTORS_OF(s->effect.c) * sizeof(struct msg_descriptor);

	if (s->marker)
		return true;
	if (!s->message)
		return effects_add(&s->effect, s->data, NULL);
	memcpy(page.descriptor, s->data, descriptors);
	memcpy(page.data, s->data + descriptors, s->bytes - descriptors);
	return effects_add(&s->effect, NULL, &page);
}

/* As many as fit into this commit. A condition stays with what it guards. */
void effects_take_spilled(void)
{
	struct server_state *state = server_state();
	struct spilled *s;

	while ((s = state->spilled) != NULL) {
		if (s->effect.kind == COMMIT_IF && effects_count() + s->effect.d + 8 > COMMIT_OPERATIONS_MAX)
			return;
		if (!take(s))
			return;
		state->spilled = s->next;
		if (s->next == NULL)
			state->spilled_last = NULL;
		keep_free(s);
	}
}
