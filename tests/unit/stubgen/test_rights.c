/*
 * Generated stubs and dispatchers: who owns which right, region and window when; parked callers; one-way messages.
 */
#include "support.h"

TestSuite(rights, .init = setup, .fini = teardown);

/* What serve_ports_in takes, and what it returns. */
static bool take;
static int result;
static port_name_t taken[7];

static int serve_ports_in(struct server_call *call, struct thing *object, port_name_t *copied, port_name_t *moved,
                          port_name_t *made, port_name_t *once, port_name_t *moved_once, port_name_t *receive,
                          port_name_t *maybe)
{
	port_name_t *all[7] = {copied, moved, made, once, moved_once, receive, maybe};
	(void)call;
	(void)object;
	for (int i = 0; i < 7; i++) {
		taken[i] = *all[i];
		if (take && *all[i] != PORT_NULL)
			cr_expect_eq(server_take(all[i]), taken[i]);
	}
	return result;
}

static int ports_in(port_name_t maybe)
{
	port_name_t own = loopback_port();
	return everything_ports_in(to, loopback_connect(own, 3), loopback_connect(own, 4), own, 99, RIGHT_NOTIFY, own,
	                           loopback_stray(LOOPBACK_CLIENT, RIGHT_SEND_ONCE),
	                           loopback_stray(LOOPBACK_CLIENT, RIGHT_RECEIVE), maybe);
}

Test(rights, taken_rights_are_the_servers)
{
	static const uint32_t kinds[7] = {RIGHT_SEND,      RIGHT_SEND,    RIGHT_SEND, RIGHT_SEND_ONCE,
	                                  RIGHT_SEND_ONCE, RIGHT_RECEIVE, RIGHT_SEND};
	everything_fake.ports_in = serve_ports_in;
	take = true;
	result = 0;
	cr_assert_eq(ports_in(to), 0);
	for (int i = 0; i < 7; i++)
		cr_expect_eq(loopback_kind(taken[i]), kinds[i], "right %d", i);
	cr_expect_eq(loopback_badge(taken[0]), 3u);
	cr_expect_eq(loopback_badge(taken[1]), 4u);
	cr_expect_eq(loopback_badge(taken[2]), 99u);
	cr_expect_eq(loopback_badge(taken[6]), 7u);
	cr_expect_eq(loopback_rights(LOOPBACK_SERVER), 7u);
}

Test(rights, rights_not_taken_are_released_on_success_and_on_error)
{
	everything_fake.ports_in = serve_ports_in;
	take = false;
	for (result = 0; result <= 1; result++) {
		cr_expect_eq(ports_in(result ? to : PORT_NULL), result);
		cr_expect_eq(taken[6] != PORT_NULL, result == 1);
		expect_clean();
	}
}

Test(rights, rights_are_released_without_an_object)
{
	everything_fake.no_object = true;
	cr_expect_eq(ports_in(to), EBADF);
	expect_clean();
}

Test(rights, null_rights_must_be_optional)
{
	port_name_t own = loopback_port();
	cr_expect_eq(everything_ports_in(to, PORT_NULL, loopback_connect(own, 4), own, 0, 0, own,
	                                 loopback_stray(LOOPBACK_CLIENT, RIGHT_SEND_ONCE),
	                                 loopback_stray(LOOPBACK_CLIENT, RIGHT_RECEIVE), PORT_NULL),
	             EINVAL);
	cr_expect_eq(everything_fake.calls[EVERYTHING_ORDINAL_PORTS_IN], 0u);
}

static port_name_t given;

static int serve_ports_out(struct server_call *call, uint32_t fail, struct server_port *copied,
                           struct server_port *moved, struct server_port *made, struct server_port *once,
                           struct server_port *receive)
{
	(void)call;
	moved->name = given = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
	if (fail == 1)
		return EAGAIN;
	if (fail == 2)
		return 0;
	copied->name = loopback_name_of(LOOPBACK_SERVER, NAME_SERVICE);
	*made = (struct server_port){.name = NAME_SERVICE, .badge = 12, .flags = RIGHT_INHERIT};
	*once = (struct server_port){.name = NAME_SERVICE, .badge = 13};
	receive->name = loopback_stray(LOOPBACK_SERVER, RIGHT_RECEIVE);
	return 0;
}

Test(rights, out_ports)
{
	port_name_t p[5];
	loopback_server_right(NAME_SERVICE, 55);
	everything_fake.ports_out = serve_ports_out;
	cr_assert_eq(everything_ports_out(to, 0, &p[0], &p[1], &p[2], &p[3], &p[4]), 0);
	cr_expect(loopback_kind(p[0]) == RIGHT_SEND && loopback_badge(p[0]) == 55);
	cr_expect(loopback_kind(p[1]) == RIGHT_SEND && loopback_kind(given) == RIGHT_NONE, "moved");
	cr_expect(loopback_kind(p[2]) == RIGHT_SEND && loopback_badge(p[2]) == 12 && loopback_same_port(p[2], to));
	cr_expect(loopback_kind(p[3]) == RIGHT_SEND_ONCE && loopback_badge(p[3]) == 13);
	cr_expect_eq(loopback_kind(p[4]), RIGHT_RECEIVE);
	expect_clean();
}

Test(rights, out_ports_may_be_null)
{
	port_name_t p[5] = {1, 1, 1, 1, 1};
	everything_fake.ports_out = serve_ports_out;
	cr_assert_eq(everything_ports_out(to, 2, &p[0], &p[1], &p[2], &p[3], &p[4]), 0);
	cr_expect(p[0] == PORT_NULL && p[1] != PORT_NULL && p[2] == PORT_NULL && p[3] == PORT_NULL &&
	          p[4] == PORT_NULL);
}

Test(rights, out_ports_of_a_failed_call_stay_the_servers)
{
	port_name_t p[5] = {1, 1, 1, 1, 1};
	everything_fake.ports_out = serve_ports_out;
	cr_assert_eq(everything_ports_out(to, 1, &p[0], &p[1], &p[2], &p[3], &p[4]), EAGAIN);
	cr_expect_eq(p[1], 1u);
	cr_expect_eq(loopback_kind(given), RIGHT_SEND);
	server_release_right(given);
	expect_clean();
}

static int serve_moved_text(struct server_call *call, uint8_t bad, struct server_port *right, char *text)
{
	(void)call;
	right->name = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND);
	memset(text, 'x', bad ? 5 : 4);
	if (!bad)
		text[4] = 0;
	return 0;
}

Test(rights, moved_rights_of_a_reply_that_cannot_be_encoded_are_released)
{
	port_name_t right = PORT_NULL;
	char text[5];
	everything_fake.moved_text = serve_moved_text;
	cr_expect_eq(everything_moved_text(to, 1, &right, text, sizeof(text)), EIO);
	expect_clean();
	size_t before = loopback_rights(LOOPBACK_CLIENT);
	cr_expect_eq(everything_moved_text(to, 0, &right, text, 4), ERANGE);
	cr_expect_eq(loopback_rights(LOOPBACK_CLIENT), before, "what came with a refused reply is released");
	cr_expect_eq(everything_moved_text(to, 0, &right, text, 5), 0);
	cr_expect_str_eq(text, "xxxx");
	cr_expect_eq(loopback_kind(right), RIGHT_SEND);
}

static struct server_region kept; /* the server's own, sent as a copy */

static int serve_regions(struct server_call *call, struct server_region *copied, struct server_region *moved,
                         struct server_region *copied_back, struct server_region *moved_back)
{
	(void)call;
	if (result == 0 && copied->size) {
		cr_expect_str_eq((const char *)(uintptr_t)copied->address, "copied");
		cr_expect_str_eq((const char *)(uintptr_t)moved->address, "moved");
		moved_back->size = copied->size;
		moved_back->address = take ? server_take_region(copied)
		                           : (uint64_t)(uintptr_t)loopback_region(LOOPBACK_SERVER, moved_back->size);
		kept = (struct server_region){(uintptr_t)loopback_region(LOOPBACK_SERVER, 8192), 8192};
		strcpy((char *)(uintptr_t)kept.address, (const char *)(uintptr_t)moved->address);
		*copied_back = kept;
	}
	return result;
}

Test(rights, regions)
{
	everything_fake.regions = serve_regions;
	for (take = false;; take = true) {
		char *copied = loopback_region(LOOPBACK_CLIENT, 4096), *moved = loopback_region(LOOPBACK_CLIENT, 8192);
		void *back = NULL, *moved_back = NULL;
		size_t size = 0, moved_size = 0;
		strcpy(copied, "copied");
		strcpy(moved, "moved");
		result = 0;
		cr_assert_eq(everything_regions(to, copied, 4096, moved, 8192, &back, &size, &moved_back, &moved_size),
		             0);
		cr_expect_eq(size, 8192u);
		cr_expect_str_eq(back, "moved");
		cr_expect_eq(moved_size, 4096u);
		cr_expect_str_eq(moved_back, take ? "copied" : "");
		cr_expect_eq(loopback_regions(LOOPBACK_CLIENT), take ? 6u : 3u);
		server_release_region(kept.address, kept.size);
		expect_clean();
		if (take)
			return;
	}
}

Test(rights, regions_are_released_on_error)
{
	void *back, *moved_back;
	size_t size, moved_size;
	everything_fake.regions = serve_regions;
	result = EFBIG;
	cr_expect_eq(everything_regions(to, loopback_region(LOOPBACK_CLIENT, 4096), 4096, NULL, 0, &back, &size,
	                                &moved_back, &moved_size),
	             EFBIG);
	expect_clean();
	cr_expect_eq(everything_regions(to, loopback_region(LOOPBACK_CLIENT, 69632), 69632, NULL, 0, &back, &size,
	                                &moved_back, &moved_size),
	             EINVAL);
}

Test(rights, empty_regions)
{
	void *back = &back, *moved_back = &back;
	size_t size = 1, moved_size = 1;
	everything_fake.regions = serve_regions;
	result = 0;
	cr_assert_eq(everything_regions(to, NULL, 0, NULL, 0, &back, &size, &moved_back, &moved_size), 0);
	cr_expect(back == NULL && size == 0 && moved_back == NULL && moved_size == 0);
}

/* ---- windows ---- */

static int serve_windows(struct server_call *call, struct server_window *source, struct server_window *target,
                         uint64_t *done)
{
	char byte;
	(void)call;
	for (*done = 0; *done < source->size; ++*done) {
		int64_t status = server_window_read(source, *done, &byte, 1);
		if (status == KERN_PEER_FAULT)
			return SERVER_RESTART;
		cr_expect_eq(status, 1);
		if (server_window_write(target, *done, &byte, 1) != 1)
			break;
	}
	cr_expect_eq(server_window_write(source, 0, &byte, 1), KERN_NO_ACCESS);
	cr_expect_eq(server_window_read(target, 0, &byte, 1), KERN_NO_ACCESS);
	return 0;
}

Test(rights, windows)
{
	char target[8] = "-------";
	uint64_t done;
	everything_fake.windows = serve_windows;
	cr_assert_eq(everything_windows(to, "abcd", 4, target, 7, &done), 0);
	cr_expect_eq(done, 4u);
	cr_expect_str_eq(target, "abcd---");
	cr_assert_eq(everything_windows(to, "abcdefg", 7, target, 5, &done), 0);
	cr_expect_eq(done, 5u, "a write ends at the window's end");
	cr_expect_eq(everything_windows(to, NULL, 0, NULL, 0, &done), 0);
	cr_expect_eq(everything_windows(to, target, (1 << 20) + 1, target, 1, &done), EINVAL);
}

Test(rights, a_restarted_request_is_served_again)
{
	char target[5] = "----";
	uint64_t done;
	everything_fake.windows = serve_windows;
	loopback_fault_window(1);
	cr_assert_eq(everything_windows(to, "abcd", 4, target, 4, &done), 0);
	cr_expect_str_eq(target, "abcd");
	cr_expect_eq(everything_fake.calls[EVERYTHING_ORDINAL_WINDOWS], 2u);
}

/* ---- parking ---- */

static struct server_reply token;
static struct server_window parked_window;

static int serve_wait(struct server_call *call, struct thing *object, uint32_t key, struct server_window *target,
                      uint32_t *value, char *text)
{
	(void)object;
	(void)value;
	(void)text;
	cr_expect_eq(key, 5u);
	int error = server_park(call, &token);
	parked_window = *target;
	server_window_rebase(&parked_window, &token);
	return error;
}

Test(rights, a_parked_caller_is_answered_once)
{
	char target[4] = "---", text[17] = "";
	uint32_t value = 0;
	everything_fake.wait = serve_wait;
	cr_assert_eq(everything_wait(to, 5, target, 3, &value, text, sizeof(text)), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_eq(token.request, id);
	cr_expect_not(loopback_answered(id));
	cr_expect_eq(server_window_write(&parked_window, 1, "hello", 5), 2);
	everything_reply_wait(&token, 0, 77, "done");
	cr_expect_eq(token.name, PORT_NULL, "the token is used up");
	everything_reply_wait(&token, 0, 78, "again");
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_assert_eq(everything_wait(to, 5, target, 3, &value, text, sizeof(text)), 0);
	cr_expect_eq(value, 77u);
	cr_expect_str_eq(text, "done");
	cr_expect_str_eq(target, "-he");
	cr_expect_eq(everything_fake.calls[EVERYTHING_ORDINAL_WAIT], 1u);
	expect_clean();
}

Test(rights, a_parked_caller_gets_an_error)
{
	char text[17];
	uint32_t value = 1;
	static const char long_text[] = "12345678901234567";
	struct {
		int error, expected;
		const char *text;
	} cases[] = {{EINTR, EINTR, NULL}, {0, EIO, long_text}};
	everything_fake.wait = serve_wait;
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(everything_wait(to, 5, NULL, 0, &value, text, sizeof(text)), LOOPBACK_EPARKED);
		everything_reply_wait(&token, cases[i].error, 2, cases[i].text);
		loopback_resume(loopback_parked());
		cr_expect_eq(everything_wait(to, 5, NULL, 0, &value, text, sizeof(text)), cases[i].expected);
		cr_expect_eq(value, 1u);
	}
	expect_clean();
}

Test(rights, a_token_of_another_routine_does_not_leave_the_caller_waiting)
{
	char text[17];
	uint32_t value;
	everything_fake.wait = serve_wait;
	cr_assert_eq(everything_wait(to, 5, NULL, 0, &value, text, sizeof(text)), LOOPBACK_EPARKED);
	everything_reply_signal(&token, 0);
	loopback_resume(loopback_parked());
	cr_expect_eq(everything_wait(to, 5, NULL, 0, &value, text, sizeof(text)), EIO);
}

static int serve_parked_text(struct server_call *call, uint8_t bad, struct server_port *right, char *text)
{
	(void)bad;
	(void)right;
	(void)text;
	return server_park(call, &token);
}

Test(rights, a_late_reply_carries_rights)
{
	port_name_t right = PORT_NULL;
	char text[5];
	everything_fake.moved_text = serve_parked_text;
	for (int bad = 0; bad <= 1; bad++) {
		struct server_port moved = {.name = loopback_stray(LOOPBACK_SERVER, RIGHT_SEND)};
		cr_assert_eq(everything_moved_text(to, 0, &right, text, sizeof(text)), LOOPBACK_EPARKED);
		everything_reply_moved_text(&token, 0, &moved, bad ? "12345" : "1234");
		cr_expect_eq(loopback_kind(moved.name), RIGHT_NONE,
		             "moved, or released with the reply that cannot be encoded");
		loopback_resume(loopback_parked());
		cr_expect_eq(everything_moved_text(to, 0, &right, text, sizeof(text)), bad ? EIO : 0);
	}
	cr_expect_eq(loopback_kind(right), RIGHT_SEND);
	cr_expect_str_eq(text, "1234");
	expect_clean();
}

/* ---- one-way ---- */

static port_name_t told;

static int serve_tell(struct server_call *call, struct thing *object, uint32_t count, port_name_t *right)
{
	(void)object;
	cr_expect_eq(call->request, 0u);
	cr_expect_eq(count, 3u);
	told = *right;
	return result;
}

Test(rights, one_way)
{
	everything_fake.tell = serve_tell;
	result = 0;
	cr_expect_eq(everything_tell(to, 3, PORT_NULL), 0);
	cr_expect_eq(told, PORT_NULL);
	result = EIO;
	cr_expect_eq(everything_tell(to, 3, loopback_stray(LOOPBACK_CLIENT, RIGHT_SEND)), 0);
	cr_expect_neq(told, PORT_NULL);
	expect_clean();
	cr_expect_eq(everything_tell(999, 3, PORT_NULL), EBADF);
}

static port_name_t inner;

/* Calls its own service while its own result is being built. */
static int serve_default(struct server_call *call, struct other_thing *object, uint8_t value, uint16_t *twice)
{
	uint16_t of_less = 0;
	(void)object;
	cr_expect_eq(call->badge, value ? 7u + (value < 3) : 8u);
	*twice = (uint16_t)(2 * value);
	if (value)
		cr_expect_eq(everything_default(inner, (uint8_t)(value - 1), &of_less), 0);
	cr_expect_eq(of_less, value ? 2 * (value - 1) : 0);
	return 0;
}

Test(rights, calls_of_servers_nest)
{
	uint16_t twice = 0;
	inner = loopback_server_right(NAME_SERVICE, 8);
	everything_fake.default_ = serve_default;
	cr_expect_eq(everything_default(inner, 1, &twice), EBADF, "a name of the server's space is not the client's");
	cr_expect_eq(everything_default(to, 3, &twice), 0);
	cr_expect_eq(twice, 6);
	cr_expect_eq(everything_fake.calls[EVERYTHING_ORDINAL_DEFAULT], 4u);
}

static uint64_t gone_badge, gone_made;

static void no_senders(uint64_t badge, uint64_t made)
{
	gone_badge = badge;
	gone_made = made;
}

Test(rights, the_last_sender_is_seen)
{
	port_name_t first = loopback_connect(NAME_SERVICE, 31), second = loopback_connect(NAME_SERVICE, 31);
	loopback_on_no_senders(no_senders);
	loopback_release(first);
	cr_expect_eq(gone_badge, 0u);
	loopback_release(second);
	cr_expect_eq(gone_badge, 31u);
	cr_expect_eq(gone_made, 2u);
}
