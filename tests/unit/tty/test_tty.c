/*
 * The terminal server: the real handlers through generated stubs, over a serial line and a sig made of arrays.
 */
#include <criterion/criterion.h>
#include <host.h>
#include <io_client.h>
#include <io_server.h>
#include <loopback.h>
#include <portico/wire.h>
#include <serial_fake.h>
#include <sig_fake.h>
#include <string.h>
#include <tty.h>
#include <tty_client.h>
#include <tty_server.h>

#define POLLIN 1u
#define POLLOUT 4u

/* Processes: a shell (session leader, pid 10) with a foreground job (20) and a background one (30); another session
 * (40). */
#define SHELL UINT64_C(10)
#define JOB UINT64_C(20)
#define BACKGROUND UINT64_C(30)
#define STRANGER UINT64_C(40)

static char line_in[16384];
static size_t line_in_count;
static char line_out[65536];
static size_t line_out_count, line_out_room, line_unsent;
static int signals[64][2]; /* group, signal */
static unsigned signal_count;
static int background_answer;
static port_name_t console;
static unsigned serial_number;

/* ---- below: the line and sig ---- */

static struct serial_line *the_line(struct server_call *call)
{
	return call->badge <= 2 ? (struct serial_line *)&line_in : NULL;
}

static int line_read(struct server_call *call, struct serial_line *line, void *data, size_t *count)
{
	(void)call, (void)line;
	*count = line_in_count < 2048 ? line_in_count : 2048;
	memcpy(data, line_in, *count);
	memmove(line_in, line_in + *count, line_in_count - *count);
	line_in_count -= *count;
	return 0;
}

static int line_write(struct server_call *call, struct serial_line *line, const void *data, size_t count,
                      uint32_t *done)
{
	(void)call, (void)line;
	*done = (uint32_t)(count < line_out_room ? count : line_out_room);
	memcpy(line_out + line_out_count, data, *done);
	line_out_count += *done;
	line_out_room -= *done;
	return 0;
}

static int line_pending(struct server_call *call, struct serial_line *line, uint32_t *output)
{
	(void)call, (void)line;
	*output = (uint32_t)line_unsent;
	return 0;
}

static struct sig_right *the_sig(struct server_call *call)
{
	(void)call;
	return (struct sig_right *)&signals;
}

static int signal_group(struct server_call *call, struct sig_right *sig, uint32_t group, uint32_t session,
                        uint32_t signal, int32_t code)
{
	(void)call, (void)sig, (void)session, (void)code;
	signals[signal_count][0] = (int)group;
	signals[signal_count++][1] = (int)signal;
	return 0;
}

static int background(struct server_call *call, struct sig_right *sig, uint64_t principal, uint32_t signal)
{
	(void)call, (void)sig;
	signals[signal_count][0] = (int)principal;
	signals[signal_count++][1] = (int)signal;
	return background_answer;
}

/* ---- set-up ---- */

static void process(uint32_t pid, uint32_t group, uint32_t session, uint8_t kind)
{
	struct proc_change change = {
	        .principal = pid, .pid = pid, .parent = 1, .group = group, .session = session, .kind = kind};

	loopback_enter();
	sessions_apply(&tty->sessions, &change, jobs_changed);
	loopback_leave();
}

/* As in main.c, for the one line that can type. */
static void notified(uint64_t bits)
{
	if ((bits & NOTIFY_INPUT(0)) != 0)
		terminal_pull(&tty->terminal[0]);
	else
		terminal_run(&tty->terminal[0]);
}

static port_name_t open_device(uint64_t device, uint32_t flags)
{
	return loopback_connect(NAME_SERVICE, DEVICE_BADGE(device, flags, ++serial_number));
}

static void setup(void)
{
	loopback_reset();
	host_reset();
	sig_fake_reset();
	serial_fake_reset();
	line_in_count = line_out_count = line_unsent = signal_count = 0;
	line_out_room = sizeof(line_out);
	background_answer = EINTR;
	serial_fake.line_get = the_line;
	serial_fake.read = line_read;
	serial_fake.write = line_write;
	serial_fake.pending = line_pending;
	sig_fake.process_get = the_sig;
	sig_fake.signal_group = signal_group;
	sig_fake.background = background;
	loopback_register(&io_interface);
	loopback_register(&tty_interface);
	loopback_on_no_senders(file_closed);
	port_name_t serial = loopback_service(&serial_interface);
	tty = server_keep_root(sizeof(*tty));
	server_on_cancel(terminal_cancelled);
	server_on_timer(waiters_expired);
	server_on_deferred(terminals_go_on);
	server_on_notify(NOTIFY_INPUT(0) | NOTIFY_OUTPUT(0), notified);
	for (unsigned i = 0; i < TERMINALS; i++) {
		terminal_init(&tty->terminal[i], i, i == 1);
		tty->terminal[i].serial = loopback_server_right(serial, i * 2);
	}
	tty->sig = loopback_server_right(loopback_service(&sig_interface), 1);
	process(10, 10, 10, PROC_CHANGE_KIND_BIRTH);
	process(20, 20, 10, PROC_CHANGE_KIND_BIRTH);
	process(30, 30, 10, PROC_CHANGE_KIND_BIRTH);
	process(40, 40, 40, PROC_CHANGE_KIND_BIRTH);
	loopback_set_principal(SHELL);
	console = open_device(DEVICE_CONSOLE, O_RDWR);
}

static void type(const char *text)
{
	memcpy(line_in + line_in_count, text, strlen(text));
	line_in_count += strlen(text);
	host_notify(NOTIFY_INPUT(0));
}

static void expect_line(const char *text)
{
	cr_expect_eq(line_out_count, strlen(text), "%.*s", (int)line_out_count, line_out);
	cr_expect_arr_eq(line_out, text, strlen(text));
	line_out_count = 0;
}

static void expect_signal(int group, int signal)
{
	cr_assert_gt(signal_count, 0);
	cr_expect_eq(signals[0][0], group);
	cr_expect_eq(signals[0][1], signal);
	signal_count--;
	memmove(signals, signals + 1, sizeof(signals) - sizeof(signals[0]));
}

static char buffer[8192];
static uint64_t done;

static int do_read(port_name_t file, uint64_t size)
{
	done = 12345;
	return io_read(file, IO_OFFSET_CURRENT, 0, buffer, size, &done);
}

static int do_write(port_name_t file, const char *text)
{
	done = 12345;
	return io_write(file, IO_OFFSET_CURRENT, 0, text, strlen(text), &done);
}

static void control_terminal(uint32_t foreground)
{
	cr_assert_eq(tty_acquire(console, 0), 0);
	cr_assert_eq(tty_set_group(console, foreground), 0);
}

TestSuite(tty, .init = setup);

/* ---- reading and writing ---- */

Test(tty, write_goes_through_output_processing)
{
	cr_assert_eq(do_write(console, "a\nb"), 0);
	cr_expect_eq(done, 3);
	expect_line("a\r\nb");
}

Test(tty, inline_write_and_read)
{
	size_t n;

	cr_assert_eq(io_write_inline(console, IO_OFFSET_CURRENT, 0, "hi\n", 3, &done), 0);
	cr_expect_eq(done, 3);
	expect_line("hi\r\n");
	type("ok\n");
	cr_assert_eq(io_read_inline(console, IO_OFFSET_CURRENT, 0, 100, buffer, sizeof(buffer), &n), 0);
	cr_expect_eq(n, 3);
	cr_expect_arr_eq(buffer, "ok\n", 3);
}

Test(tty, read_of_a_line_that_is_there)
{
	type("abc\n");
	cr_assert_eq(do_read(console, 100), 0);
	cr_expect_eq(done, 4);
	cr_expect_arr_eq(buffer, "abc\n", 4);
	expect_line("abc\r\n");
}

Test(tty, read_waits_for_a_line)
{
	cr_assert_eq(do_read(console, 100), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	type("ab");
	cr_expect_not(loopback_answered(id));
	type("c\n");
	cr_assert(loopback_answered(id));
	loopback_resume(id);
	cr_assert_eq(do_read(console, 100), 0);
	cr_expect_eq(done, 4);
	cr_expect_arr_eq(buffer, "abc\n", 4);
}

Test(tty, readers_are_served_in_order)
{
	cr_assert_eq(do_read(console, 100), LOOPBACK_EPARKED);
	uint64_t first = loopback_parked();
	cr_assert_eq(do_read(console, 100), LOOPBACK_EPARKED);
	uint64_t second = loopback_parked();
	type("one\n");
	cr_expect(loopback_answered(first));
	cr_expect_not(loopback_answered(second));
	type("two\n");
	cr_expect(loopback_answered(second));
}

Test(tty, end_of_file)
{
	type("\x04");
	cr_assert_eq(do_read(console, 100), 0);
	cr_expect_eq(done, 0);
}

Test(tty, nonblocking)
{
	port_name_t file = open_device(DEVICE_CONSOLE, O_RDWR | O_NONBLOCK);

	cr_expect_eq(do_read(file, 10), EAGAIN);
	cr_expect_eq(io_set_flags(file, 0), 0);
	cr_expect_eq(do_read(file, 10), LOOPBACK_EPARKED);
}

Test(tty, access_modes)
{
	cr_expect_eq(do_read(open_device(DEVICE_CONSOLE, O_WRONLY), 10), EBADF);
	cr_expect_eq(do_write(open_device(DEVICE_CONSOLE, O_RDONLY), "x"), EBADF);
	cr_expect_eq(io_read(console, 0, 0, buffer, 10, &done), ESPIPE);
}

Test(tty, a_faulting_window_loses_nothing)
{
	type("abc\n");
	loopback_fault_window(1);
	cr_assert_eq(do_read(console, 100), 0, "repeated by the kernel");
	cr_expect_eq(done, 4);
}

Test(tty, a_full_line_parks_the_writer)
{
	static char many[20000];

	memset(many, 'x', sizeof(many) - 1);
	line_out_room = 100;
	cr_assert_eq(do_write(console, many), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_eq(line_out_count, 100);
	line_out_room = sizeof(line_out) - line_out_count;
	host_notify(NOTIFY_OUTPUT(0));
	host_run_deferred();
	cr_assert(loopback_answered(id));
	cr_expect_eq(line_out_count, sizeof(many) - 1);
	loopback_resume(id);
	cr_assert_eq(do_write(console, many), 0);
	cr_expect_eq(done, sizeof(many) - 1);
}

Test(tty, one_transaction_moves_a_part_of_a_long_write)
{
	static char many[60000];

	memset(many, 'x', sizeof(many) - 1);
	cr_assert_eq(do_write(console, many), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_leq(line_out_count, 2 * RUN_BYTES + OUTPUT_SIZE);
	cr_expect_not(loopback_answered(id));
	cr_expect_gt(host_run_deferred(), 3);
	cr_assert(loopback_answered(id));
	cr_expect_eq(line_out_count, sizeof(many) - 1);
	loopback_resume(id);
	cr_assert_eq(do_write(console, many), 0);
	cr_expect_eq(done, sizeof(many) - 1);
}

Test(tty, one_transaction_takes_a_part_of_much_input)
{
	static char many[12001];

	memset(many, 'x', sizeof(many) - 1);
	type(many);
	cr_expect_gt(line_in_count, 0, "a line that never ends is taken in steps");
	cr_expect_gt(host_run_deferred(), 0);
	cr_expect_eq(line_in_count, 0);
	line_out_count = 0;
	type("\n");
	cr_assert_eq(do_read(console, sizeof(buffer)), 0);
	cr_expect_eq(done, INPUT_SIZE);
}

Test(tty, nonblocking_write_takes_a_part)
{
	static char many[20000];
	port_name_t file = open_device(DEVICE_CONSOLE, O_RDWR | O_NONBLOCK);

	memset(many, 'x', sizeof(many) - 1);
	line_out_room = 0;
	cr_assert_eq(do_write(file, many), 0);
	cr_expect_lt(done, OUTPUT_SIZE);
	cr_expect_eq(do_write(file, "x"), EAGAIN);
}

Test(tty, stopped_output_waits)
{
	type("\x13");
	cr_assert_eq(do_write(console, "abc"), 0);
	expect_line("");
	type("\x11");
	expect_line("abc");
}

Test(tty, interrupted_read)
{
	cr_assert_eq(do_read(console, 100), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	host_cancel(id, false);
	loopback_resume(id);
	cr_expect_eq(do_read(console, 100), EINTR);
	type("abc\n");
	cr_assert_eq(do_read(console, 100), 0);
}

Test(tty, interrupted_write_tells_what_it_wrote)
{
	static char many[20000];

	memset(many, 'x', sizeof(many) - 1);
	line_out_room = 0;
	cr_assert_eq(do_write(console, many), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	host_cancel(id, false);
	loopback_resume(id);
	cr_assert_eq(do_write(console, many), 0);
	cr_expect_gt(done, 0);
	cr_expect_lt(done, sizeof(many) - 1);
}

static void set_raw(uint8_t min, uint8_t time)
{
	struct tty_termios t;

	cr_assert_eq(tty_get_attributes(console, &t), 0);
	t.local &= ~(uint32_t)(ICANON | ECHO | ISIG);
	t.characters[VMIN] = min;
	t.characters[VTIME] = time;
	cr_assert_eq(tty_set_attributes(console, TTY_WHEN_NOW, &t), 0);
}

Test(tty, min_waits_for_that_many)
{
	set_raw(3, 0);
	cr_assert_eq(do_read(console, 100), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	type("ab");
	cr_expect_not(loopback_answered(id));
	type("c");
	cr_expect(loopback_answered(id));
}

Test(tty, time_without_min)
{
	set_raw(0, 5);
	cr_assert_eq(do_read(console, 100), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_eq(host_deadline(), server_now() + 500000000u);
	host_set_time(server_now() + 499999999u);
	cr_expect_not(loopback_answered(id));
	host_set_time(server_now() + 1);
	loopback_resume(id);
	cr_assert_eq(do_read(console, 100), 0);
	cr_expect_eq(done, 0);
}

Test(tty, time_between_bytes)
{
	set_raw(10, 5);
	cr_assert_eq(do_read(console, 100), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	cr_expect_eq(host_deadline(), DEADLINE_NEVER, "it begins with the first byte");
	type("a");
	host_set_time(server_now() + 400000000u);
	type("b");
	host_set_time(server_now() + 400000000u);
	cr_expect_not(loopback_answered(id));
	host_set_time(server_now() + 100000000u);
	loopback_resume(id);
	cr_assert_eq(do_read(console, 100), 0);
	cr_expect_eq(done, 2);
}

Test(tty, min_0_time_0)
{
	set_raw(0, 0);
	cr_assert_eq(do_read(console, 100), 0);
	cr_expect_eq(done, 0);
}

Test(tty, input_is_held_back_when_nobody_reads)
{
	char many[3000];
	size_t total = 0;

	set_raw(1, 0);
	memset(many, 'y', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	for (int i = 0; i < 4; i++) {
		memcpy(line_in + line_in_count, many, 1000);
		line_in_count += 1000;
		type("");
		memcpy(line_in + line_in_count, many, 1000);
		line_in_count += 1000;
		host_notify(NOTIFY_INPUT(0));
	}
	while (do_read(open_device(DEVICE_CONSOLE, O_RDWR | O_NONBLOCK), 1000) == 0)
		total += done;
	cr_expect_eq(total, 8000, "%zu", total);
}

/* ---- settings ---- */

Test(tty, attributes)
{
	struct tty_termios t, u;

	cr_assert_eq(tty_get_attributes(console, &t), 0);
	t.local &= ~(uint32_t)ECHO;
	cr_assert_eq(tty_set_attributes(console, TTY_WHEN_NOW, &t), 0);
	cr_assert_eq(tty_get_attributes(console, &u), 0);
	cr_expect_arr_eq(&t, &u, sizeof(t));
	type("x");
	expect_line("");
}

Test(tty, attributes_after_the_output)
{
	struct tty_termios t;

	cr_assert_eq(tty_get_attributes(console, &t), 0);
	line_unsent = 5;
	cr_assert_eq(tty_set_attributes(console, TTY_WHEN_FLUSH, &t), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	line_unsent = 0;
	host_set_time(server_now() + 100000000u);
	cr_expect(loopback_answered(id));
}

Test(tty, drain)
{
	cr_expect_eq(tty_drain(console), 0);
	line_unsent = 1;
	cr_assert_eq(tty_drain(console), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	host_set_time(server_now() + 100000000u);
	cr_expect_not(loopback_answered(id));
	line_unsent = 0;
	host_set_time(server_now() + 100000000u);
	cr_expect(loopback_answered(id));
}

Test(tty, flush)
{
	type("abc\n");
	cr_assert_eq(tty_flush(console, 0), 0);
	cr_expect_eq(do_read(open_device(DEVICE_CONSOLE, O_RDWR | O_NONBLOCK), 10), EAGAIN);
	cr_expect_eq(tty_flush(console, 3), EINVAL);
}

Test(tty, flow)
{
	cr_assert_eq(tty_flow(console, 0), 0);
	cr_assert_eq(do_write(console, "x"), 0);
	expect_line("");
	cr_assert_eq(tty_flow(console, 1), 0);
	expect_line("x");
	cr_assert_eq(tty_flow(console, 2), 0);
	expect_line("\x13");
	cr_expect_eq(tty_flow(console, 4), EINVAL);
}

Test(tty, available_and_pending)
{
	uint64_t n;

	type("abc\n");
	cr_assert_eq(io_available(console, &n), 0);
	cr_expect_eq(n, 4);
	cr_assert_eq(tty_output_pending(console, &n), 0);
	cr_expect_eq(n, 0);
}

Test(tty, window_size)
{
	struct tty_window_size size = {24, 80, 0, 0}, got;

	control_terminal(20);
	cr_assert_eq(tty_set_window_size(console, &size), 0);
	expect_signal(20, TTY_SIGWINCH);
	cr_assert_eq(tty_set_window_size(console, &size), 0);
	cr_expect_eq(signal_count, 0, "nothing changed");
	cr_assert_eq(tty_get_window_size(console, &got), 0);
	cr_expect_eq(got.columns, 80);
}

Test(tty, exclusive_use)
{
	process(50, 50, 50, PROC_CHANGE_KIND_BIRTH);
	sessions_by_pid(&tty->sessions, 50)->euid = 1000;
	cr_assert_eq(tty_exclusive(console, 1), 0);
	loopback_set_principal(50);
	port_name_t file = open_device(DEVICE_CONSOLE, O_RDWR);
	cr_expect_eq(do_write(file, "x"), EBUSY);
	loopback_set_principal(SHELL);
	cr_expect_eq(do_write(open_device(DEVICE_CONSOLE, O_RDWR), "x"), 0, "root may");
}

/* ---- job control ---- */

Test(tty, interrupt_goes_to_the_foreground_group)
{
	control_terminal(20);
	type("\x03");
	expect_signal(20, TTY_SIGINT);
	expect_line("^C");
}

Test(tty, no_controlling_terminal_no_signal)
{
	type("\x03");
	cr_expect_eq(signal_count, 0);
}

Test(tty, groups_need_the_controlling_terminal)
{
	uint32_t group;

	cr_expect_eq(tty_get_group(console, &group), ENOTTY);
	cr_expect_eq(tty_set_group(console, 20), ENOTTY);
	control_terminal(20);
	cr_assert_eq(tty_get_group(console, &group), 0);
	cr_expect_eq(group, 20);
	cr_assert_eq(tty_get_session(console, &group), 0);
	cr_expect_eq(group, 10);
	loopback_set_principal(STRANGER);
	cr_expect_eq(tty_get_group(console, &group), ENOTTY);
}

Test(tty, foreground_group_must_be_of_the_session)
{
	control_terminal(10);
	cr_expect_eq(tty_set_group(console, 40), EPERM);
	cr_expect_eq(tty_set_group(console, 999), ESRCH);
	cr_expect_eq(tty_set_group(console, 0), EINVAL);
}

Test(tty, background_read)
{
	control_terminal(20);
	type("abc\n");
	loopback_set_principal(BACKGROUND);
	cr_expect_eq(do_read(console, 10), EINTR);
	expect_signal((int)BACKGROUND, TTY_SIGTTIN);
	background_answer = 0;
	cr_expect_eq(do_read(console, 10), EIO, "blocked or ignored");
	loopback_set_principal(JOB);
	cr_expect_eq(do_read(console, 10), 0);
}

Test(tty, background_write_with_tostop)
{
	struct tty_termios t;

	control_terminal(20);
	loopback_set_principal(BACKGROUND);
	cr_expect_eq(do_write(console, "x"), 0);
	loopback_set_principal(JOB);
	tty_get_attributes(console, &t);
	t.local |= TOSTOP;
	cr_assert_eq(tty_set_attributes(console, TTY_WHEN_NOW, &t), 0);
	loopback_set_principal(BACKGROUND);
	cr_expect_eq(do_write(console, "x"), EINTR);
	background_answer = 0;
	cr_expect_eq(do_write(console, "x"), 0);
	background_answer = EIO;
	cr_expect_eq(tty_set_attributes(console, TTY_WHEN_NOW, &t), EIO);
}

Test(tty, acquisition_rules)
{
	loopback_set_principal(JOB);
	cr_expect_eq(tty_acquire(console, 0), EPERM, "not a session leader");
	loopback_set_principal(SHELL);
	cr_expect_eq(tty_acquire(console, 0), 0);
	cr_expect_eq(tty_acquire(console, 0), 0, "again");
	loopback_set_principal(STRANGER);
	cr_expect_eq(tty_acquire(console, 0), EPERM, "another's");
	cr_expect_eq(tty_acquire(console, 1), 0, "root steals");
}

Test(tty, opening_makes_it_the_controlling_terminal)
{
	uint32_t group, slot;
	port_name_t file = open_device(DEVICE_SERIAL(0), O_RDWR | O_NOCTTY);

	cr_assert_eq(io_ready_slot(file, &slot), 0);
	cr_expect_eq(tty_get_group(file, &group), ENOTTY);
	file = open_device(DEVICE_SERIAL(0), O_RDWR);
	cr_assert_eq(io_ready_slot(file, &slot), 0);
	cr_expect_eq(tty_get_group(file, &group), 0);
	cr_expect_eq(group, 10);
}

Test(tty, dev_tty)
{
	port_name_t file = open_device(DEVICE_TTY, O_RDWR);

	cr_expect_eq(do_write(file, "x"), ENXIO);
	control_terminal(10);
	cr_expect_eq(do_write(file, "x"), ENXIO, "it was opened without");
	cr_expect_eq(do_write(open_device(DEVICE_TTY, O_RDWR), "x"), 0);
}

Test(tty, release)
{
	control_terminal(20);
	loopback_set_principal(STRANGER);
	cr_expect_eq(tty_release(console), ENOTTY);
	loopback_set_principal(SHELL);
	cr_expect_eq(tty_release(console), 0);
	expect_signal(20, TTY_SIGHUP);
	expect_signal(20, TTY_SIGCONT);
}

Test(tty, death_of_the_session_leader_hangs_up)
{
	port_name_t file = open_device(DEVICE_SERIAL(0), O_RDWR);

	loopback_set_principal(JOB);
	cr_assert_eq(do_write(file, "x"), 0);
	loopback_set_principal(SHELL);
	control_terminal(20);
	loopback_set_principal(JOB);
	cr_assert_eq(do_read(file, 10), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	process(10, 10, 10, PROC_CHANGE_KIND_DEATH);
	expect_signal(20, TTY_SIGHUP);
	expect_signal(20, TTY_SIGCONT);
	loopback_resume(id);
	cr_expect_eq(do_read(file, 10), 0);
	cr_expect_eq(done, 0);
	cr_expect_eq(do_write(file, "x"), EIO);
	cr_expect_eq(do_read(file, 10), 0, "end of file from now on");
	cr_expect_eq(do_write(console, "x"), 0, "/dev/console stays");
}

/* ---- host outputs ---- */

Test(tty, host_output_is_raw)
{
	struct tty_termios t;
	uint64_t n;
	port_name_t file = open_device(DEVICE_HOST_OUTPUT, O_WRONLY);

	cr_assert_eq(do_write(file, "a\n"), 0);
	expect_line("a\n");
	cr_expect_eq(tty_get_attributes(file, &t), ENOTTY);
	cr_expect_eq(io_available(file, &n), ENOTTY);
	file = open_device(DEVICE_HOST_ERROR, O_RDWR);
	cr_assert_eq(do_write(file, "e\n"), 0);
	expect_line("e\n");
	cr_assert_eq(do_read(file, 10), 0);
	cr_expect_eq(done, 0);
}

/* ---- descriptions ---- */

Test(tty, unknown_device)
{
	cr_expect_eq(do_write(open_device(DEVICE(9, 9), O_RDWR), "x"), EBADF);
}

Test(tty, close_ends_waiters_and_frees)
{
	size_t before = keep_used();
	port_name_t file = open_device(DEVICE_CONSOLE, O_RDWR);

	cr_assert_eq(do_read(file, 10), LOOPBACK_EPARKED);
	uint64_t id = loopback_parked();
	loopback_release(file);
	cr_expect(loopback_answered(id));
	cr_expect_eq(keep_used(), before);
}

Test(tty, out_of_memory)
{
	cr_assert_eq(do_write(console, "x"), 0);
	host_limit_keep(0);
	while (keep_allocate(sizeof(struct waiter)) != NULL)
		;
	cr_expect_eq(do_read(console, 10), ENOMEM);
	cr_expect_eq(do_write(console, "x"), 0);
}

Test(tty, stat)
{
	struct attributes a;

	cr_assert_eq(io_stat(console, &a), 0);
	cr_expect_eq(a.mode & 0170000, 0020000);
	cr_expect_eq(a.rdevice, DEVICE_CONSOLE);
	cr_expect_eq(a.inode, DEVFS_INODE(DEVICE_CONSOLE));
	cr_expect_eq(io_set_mode(console, 0600), 0);
	cr_assert_eq(io_stat(console, &a), 0);
	cr_expect_eq(a.mode & 07777, 0600);
}

Test(tty, path_and_seek)
{
	int64_t position;

	cr_assert_eq(io_path(console, buffer, sizeof(buffer)), 0);
	cr_expect_str_eq(buffer, "/dev/console");
	cr_expect_eq(io_seek(console, 0, 0, &position), ESPIPE);
}

Test(tty, reopen)
{
	port_name_t file;
	uint32_t kind;

	cr_assert_eq(io_reopen(console, O_WRONLY, &file, &kind), 0);
	cr_expect_eq(kind, IO_FILE_KIND_TERMINAL);
	cr_expect_eq(do_write(file, "r"), 0);
	cr_expect_eq(do_read(file, 1), EBADF);
}

Test(tty, readiness)
{
	uint32_t slot;

	cr_assert_eq(io_ready_slot(console, &slot), 0);
	cr_expect_eq(host_readiness(slot) & (POLLIN | POLLOUT), POLLOUT);
	type("a");
	cr_expect_eq(host_readiness(slot) & POLLIN, 0);
	type("\n");
	cr_expect_eq(host_readiness(slot) & POLLIN, POLLIN);
	cr_assert_eq(do_read(console, 100), 0);
	cr_expect_eq(host_readiness(slot) & POLLIN, 0);
}

Test(tty, pushed_input)
{
	control_terminal(10);
	cr_assert_eq(tty_push_input(console, 'q'), 0);
	cr_assert_eq(tty_push_input(console, '\n'), 0);
	cr_assert_eq(do_read(console, 100), 0);
	cr_expect_arr_eq(buffer, "q\n", 2);
}
