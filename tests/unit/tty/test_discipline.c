/*
 * The line discipline, byte by byte: canonical editing, echo, flow control, output processing, what reads get.
 */
#include <criterion/criterion.h>
#include <discipline.h>
#include <string.h>

static struct discipline d;

static void setup(void)
{
	discipline_init(&d);
}

TestSuite(input, .init = setup);
TestSuite(output, .init = setup);
TestSuite(reading, .init = setup);

static int type(const char *text)
{
	int signal = 0;

	for (; *text != '\0'; text++) {
		int s = discipline_input(&d, (uint8_t)*text);
		signal = s != 0 ? s : signal;
	}
	return signal;
}

/* What has gone to the line since the last time. */
static const char *sent(void)
{
	static char text[OUTPUT_SIZE + 1];
	size_t n = ring_peek(&d.output, text, OUTPUT_SIZE);

	text[n] = '\0';
	ring_clear(&d.output);
	return text;
}

/* A read of up to `max` bytes: text, or "<eof>", "<nothing>". */
static const char *got_max(size_t max)
{
	static char text[INPUT_SIZE + 1];
	size_t consume, n = discipline_peek(&d, text, max, &consume);

	discipline_consume(&d, consume);
	text[n] = '\0';
	return n > 0 ? text : consume > 0 ? "<eof>" : "<nothing>";
}

static const char *got(void)
{
	return got_max(INPUT_SIZE);
}

static void set(uint32_t *field, uint32_t on, uint32_t off)
{
	struct tty_termios t = d.termios;

	*(uint32_t *)((char *)&t + ((char *)field - (char *)&d.termios)) = (*field & ~off) | on;
	discipline_set(&d, &t);
}

static void set_input(uint32_t on, uint32_t off)
{
	set(&d.termios.input, on, off);
}
static void set_output(uint32_t on, uint32_t off)
{
	set(&d.termios.output, on, off);
}
static void set_local(uint32_t on, uint32_t off)
{
	set(&d.termios.local, on, off);
}

static void set_character(enum character which, uint8_t value)
{
	struct tty_termios t = d.termios;

	t.characters[which] = value;
	discipline_set(&d, &t);
}

static void raw(uint8_t min, uint8_t time)
{
	struct tty_termios t = d.termios;

	t.local &= ~(uint32_t)(ICANON | ECHO | ISIG | IEXTEN);
	t.input = 0;
	t.characters[VMIN] = min;
	t.characters[VTIME] = time;
	discipline_set(&d, &t);
}

#define eq(actual, expected) cr_assert_str_eq((actual), (expected), "got \"%s\"", (actual))

/* ---- canonical input ---- */

Test(input, line_is_read_when_it_ends)
{
	type("abc");
	eq(got(), "<nothing>");
	cr_assert_not(discipline_readable(&d));
	type("\n");
	cr_assert(discipline_readable(&d));
	eq(got(), "abc\n");
	eq(got(), "<nothing>");
}

Test(input, one_line_a_read)
{
	type("one\ntwo\n");
	eq(got(), "one\n");
	eq(got(), "two\n");
}

Test(input, echo_of_a_line)
{
	type("abc\n");
	eq(sent(), "abc\r\n");
}

Test(input, no_echo)
{
	set_local(0, ECHO);
	type("abc\n");
	eq(sent(), "");
	eq(got(), "abc\n");
}

Test(input, echonl_without_echo)
{
	set_local(ECHONL, ECHO);
	type("abc\n");
	eq(sent(), "\r\n");
}

Test(input, control_characters_echo_with_a_caret)
{
	type("\x01\x7fz"); /* nothing to erase after ^A is erased */
	eq(sent(), "^A\b \b\b \bz");
}

Test(input, without_echoctl_control_characters_echo_as_they_are)
{
	set_local(0, ECHOCTL);
	type("\x01");
	eq(sent(), "\x01");
}

Test(input, tab_echoes_as_a_tab)
{
	type("\t");
	eq(sent(), "\t");
}

Test(input, erase)
{
	type("abx\x7f"
	     "c\n");
	eq(got(), "abc\n");
	eq(sent(), "abx\b \bc\r\n");
}

Test(input, erase_at_the_beginning_does_nothing)
{
	type("\x7f\x7f");
	eq(sent(), "");
}

Test(input, erase_does_not_cross_a_line)
{
	type("one\n\x7f\x7f\x7f");
	eq(got(), "one\n");
}

Test(input, erase_without_echoe_echoes_the_erase_character)
{
	set_local(0, ECHOE);
	type("ab\x7f");
	eq(sent(), "ab^?");
}

Test(input, erase_of_utf8_takes_the_whole_character)
{
	set_input(IUTF8, 0);
	type("a\xc3\xa4\x7f"
	     "b\n");
	eq(got(), "ab\n");
	eq(sent(), "a\xc3\xa4\b \bb\r\n");
}

Test(input, erase_without_iutf8_takes_a_byte)
{
	type("a\xc3\xa4\x7f\n");
	eq(got(), "a\xc3\n");
}

Test(input, erase_of_a_tab_goes_back_to_where_it_began)
{
	type("abc\t\x7f");
	eq(sent(), "abc\t\b\b\b\b\b");
	cr_assert_eq(d.column, 3);
}

Test(input, erase_of_a_tab_after_a_prompt)
{
	discipline_output(&d, "$ ", 2, true);
	type("a\t\x7f");
	eq(sent(), "$ a\t\b\b\b\b\b");
}

Test(input, kill_wipes_the_line)
{
	type("abc\x15"
	     "d\n");
	eq(got(), "d\n");
	eq(sent(), "abc\b \b\b \b\b \bd\r\n");
}

Test(input, kill_without_echoke_starts_a_new_line)
{
	set_local(0, ECHOKE);
	type("abc\x15"
	     "d\n");
	eq(sent(), "abc^U\r\nd\r\n");
	eq(got(), "d\n");
}

Test(input, word_erase)
{
	type("one two  \x17three\n");
	eq(got(), "one three\n");
}

Test(input, word_erase_needs_iexten)
{
	set_local(0, IEXTEN);
	type("a b\x17\n");
	eq(got(), "a b\x17\n");
}

Test(input, literal_next)
{
	type("a\x16\x7f"
	     "b\n");
	eq(got(), "a\x7f"
	          "b\n");
	eq(sent(), "a^\b^?b\r\n");
}

Test(input, literal_newline_does_not_end_the_line)
{
	type("a\x16\n");
	eq(got(), "<nothing>");
	type("b\n");
	eq(got(), "a\nb\n");
}

Test(input, literal_next_takes_the_signal_character)
{
	cr_assert_eq(type("\x16\x03\n"), 0);
	eq(got(), "\x03\n");
}

Test(input, reprint)
{
	type("abc\x12");
	eq(sent(), "abc^R\r\nabc");
}

Test(input, end_of_file_on_an_empty_line)
{
	type("\x04");
	cr_assert(discipline_readable(&d));
	eq(got(), "<eof>");
	eq(got(), "<nothing>");
	eq(sent(), "");
}

Test(input, end_of_file_pushes_a_line_out)
{
	type("abc\x04");
	eq(got(), "abc");
	eq(got(), "<nothing>");
}

Test(input, end_of_file_behind_a_full_buffer_is_not_seen_again)
{
	type("abc\x04");
	eq(got_max(3), "abc");
	eq(got(), "<nothing>");
}

Test(input, line_is_read_in_pieces)
{
	type("abcdef\nx\n");
	eq(got_max(4), "abcd");
	eq(got_max(4), "ef\n");
	eq(got_max(4), "x\n");
}

Test(input, extra_line_ends)
{
	set_character(VEOL, '!');
	set_character(VEOL2, '?');
	type("a!b?c");
	eq(got(), "a!");
	eq(got(), "b?");
	eq(got(), "<nothing>");
}

Test(input, disabled_characters_are_data)
{
	set_character(VERASE, 0);
	type("a\x7f\n");
	eq(got(), "a\x7f\n");
}

Test(input, nul_is_data_even_if_characters_are_disabled)
{
	size_t consume;
	char text[8];

	set_character(VEOL, 0);
	discipline_input(&d, 0);
	type("a\n");
	cr_assert_eq(discipline_peek(&d, text, sizeof(text), &consume), 3);
	cr_assert_arr_eq(text, "\0a\n", 3);
}

Test(input, long_line_keeps_room_for_its_end)
{
	for (unsigned i = 0; i < INPUT_SIZE + 100; i++)
		discipline_input(&d, 'x');
	cr_assert_gt(discipline_input_room(&d), 0, "without a line the sender must be able to end it");
	type("\n");
	cr_assert_eq(strlen(got()), INPUT_SIZE);
}

Test(input, full_queue_with_a_line_takes_nothing)
{
	type("line\n");
	while (discipline_input_room(&d) > 0)
		discipline_input(&d, 'x');
	cr_assert_gt(ring_count(&d.input), INPUT_SIZE - 16);
	eq(got(), "line\n");
	cr_assert_gt(discipline_input_room(&d), 0);
}

Test(input, bell_when_the_line_is_full)
{
	set_local(0, ECHO);
	set_input(IMAXBEL, 0);
	for (unsigned i = 0; i < INPUT_SIZE; i++)
		discipline_input(&d, 'x');
	eq(sent(), "\a");
}

Test(input, echoprt)
{
	set_local(ECHOPRT, 0);
	type("ab\x7f\x7f"
	     "c\n");
	eq(sent(), "ab\\ba/c\r\n");
	eq(got(), "c\n");
}

/* ---- mapping ---- */

Test(input, return_becomes_newline)
{
	type("a\r");
	eq(got(), "a\n");
}

Test(input, igncr)
{
	set_input(IGNCR, 0);
	type("a\rb\n");
	eq(got(), "ab\n");
}

Test(input, without_icrnl_return_is_data)
{
	set_input(0, ICRNL);
	type("a\rb\n");
	eq(got(), "a\rb\n");
}

Test(input, inlcr)
{
	set_input(INLCR, ICRNL);
	set_character(VEOL, '\r');
	type("a\n");
	eq(got(), "a\r");
}

Test(input, istrip)
{
	set_input(ISTRIP, 0);
	type("\xe1\n");
	eq(got(), "a\n");
}

Test(input, iuclc)
{
	set_input(IUCLC, 0);
	type("ABC\n");
	eq(got(), "abc\n");
}

Test(input, parmrk_doubles_0xff)
{
	set_input(PARMRK, 0);
	type("\xff\n");
	eq(got(), "\xff\xff\n");
}

/* ---- signals and flow ---- */

Test(input, interrupt_flushes_and_echoes)
{
	cr_assert_eq(type("abc\x03"), TTY_SIGINT);
	eq(sent(), "^C");
	type("\n");
	eq(got(), "\n");
}

Test(input, quit_and_suspend)
{
	cr_assert_eq(type("\x1c"), TTY_SIGQUIT);
	cr_assert_eq(type("\x1a"), TTY_SIGTSTP);
}

Test(input, noflsh_keeps_the_queue)
{
	set_local(NOFLSH, 0);
	type("abc\x03\n");
	eq(got(), "abc\n");
}

Test(input, without_isig_it_is_data)
{
	set_local(0, ISIG);
	cr_assert_eq(type("\x03\n"), 0);
	eq(got(), "\x03\n");
}

Test(input, stop_and_start)
{
	size_t count;

	discipline_output(&d, "abc", 3, true);
	type("\x13");
	discipline_pending(&d, &count);
	cr_assert_eq(count, 0);
	type("\x11");
	discipline_pending(&d, &count);
	cr_assert_eq(count, 3);
	eq(got(), "<nothing>");
}

Test(input, ixany_lets_go_on_and_keeps_the_byte)
{
	size_t count;

	set_input(IXANY, 0);
	type("\x13x\n");
	discipline_pending(&d, &count);
	cr_assert_gt(count, 0);
	eq(got(), "x\n");
}

Test(input, without_ixon_they_are_data)
{
	set_input(0, IXON);
	type("\x13\x11\n");
	eq(got(), "\x13\x11\n");
}

Test(input, an_interrupt_ends_a_stop)
{
	type("\x13\x03");
	cr_assert_not(d.stopped);
}

Test(input, ixoff_holds_the_sender)
{
	size_t count;

	raw(1, 0);
	set_input(IXOFF, 0);
	for (unsigned i = 0; i < INPUT_SIZE / 4 * 3; i++)
		discipline_input(&d, 'x');
	discipline_throttle(&d);
	cr_assert_eq(*discipline_pending(&d, &count), 0x13);
	discipline_sent(&d, 1);
	got();
	discipline_throttle(&d);
	cr_assert_eq(*discipline_pending(&d, &count), 0x11);
}

/* ---- output ---- */

static const char *written(const char *text)
{
	discipline_output(&d, text, strlen(text), true);
	return sent();
}

Test(output, newline_becomes_return_and_newline)
{
	eq(written("a\nb"), "a\r\nb");
}

Test(output, without_opost_nothing_changes)
{
	set_output(0, OPOST);
	eq(written("a\n\tb\r"), "a\n\tb\r");
}

Test(output, raw_write_does_not_see_opost)
{
	discipline_output(&d, "a\n", 2, false);
	eq(sent(), "a\n");
}

Test(output, ocrnl)
{
	set_output(OCRNL, ONLCR);
	eq(written("a\rb"), "a\nb");
}

Test(output, onocr_at_column_0)
{
	set_output(ONOCR, 0);
	eq(written("\ra\r"), "a\r");
}

Test(output, onlret_makes_newline_a_return)
{
	set_output(ONLRET | ONOCR, ONLCR);
	eq(written("ab\n\rc"), "ab\nc");
}

Test(output, tabs_become_spaces)
{
	set_output(XTABS, 0);
	eq(written("ab\tc\n\td"), "ab      c\r\n        d");
}

Test(output, olcuc)
{
	set_output(OLCUC, 0);
	eq(written("abC1"), "ABC1");
}

Test(output, column_counts_characters)
{
	set_input(IUTF8, 0);
	written("a\xc3\xa4\b");
	cr_assert_eq(d.column, 1);
	written("\t");
	cr_assert_eq(d.column, 8);
	written("x\n");
	cr_assert_eq(d.column, 0);
}

Test(output, a_full_queue_takes_a_part_and_leaves_room_for_echo)
{
	static char many[OUTPUT_SIZE * 2];

	memset(many, 'x', sizeof(many));
	size_t done = discipline_output(&d, many, sizeof(many), true);
	cr_assert_lt(done, OUTPUT_SIZE);
	cr_assert_eq(discipline_output(&d, many, 1, true), 0);
	cr_assert_not(discipline_writable(&d));
	type("e");
	cr_assert_eq(ring_count(&d.output), done + 1);
}

Test(output, held_by_tcflow)
{
	size_t count;

	written("");
	discipline_output(&d, "x", 1, true);
	d.held = true;
	discipline_pending(&d, &count);
	cr_assert_eq(count, 0);
	type("\x11"); /* START does not end it */
	discipline_pending(&d, &count);
	cr_assert_eq(count, 0);
}

/* ---- MIN and TIME ---- */

Test(reading, min_bytes)
{
	raw(3, 0);
	type("ab");
	cr_assert_not(discipline_satisfied(&d, 10));
	cr_assert_not(discipline_readable(&d));
	type("c");
	cr_assert(discipline_satisfied(&d, 10));
	cr_assert(discipline_readable(&d));
	eq(got(), "abc");
}

Test(reading, a_small_read_needs_no_more_than_it_wants)
{
	raw(5, 0);
	type("a");
	cr_assert(discipline_satisfied(&d, 1));
}

Test(reading, min_0_time_0_never_waits)
{
	raw(0, 0);
	cr_assert(discipline_satisfied(&d, 10));
	cr_assert_not(discipline_readable(&d));
}

Test(reading, min_0_with_time_waits_for_one_byte)
{
	raw(0, 5);
	cr_assert_not(discipline_satisfied(&d, 10));
	type("x");
	cr_assert(discipline_satisfied(&d, 10));
}

Test(reading, raw_bytes_are_not_mapped)
{
	raw(1, 0);
	type("\x03\x04\r\x7f");
	eq(got(), "\x03\x04\r\x7f");
	eq(sent(), "");
}

Test(reading, leaving_canonical_mode_keeps_what_was_typed)
{
	type("abc");
	raw(1, 0);
	eq(got(), "abc");
}

Test(reading, entering_canonical_mode_makes_a_line_of_it)
{
	raw(1, 0);
	type("abc");
	set_local(ICANON, 0);
	eq(got(), "abc");
	type("d\n");
	eq(got(), "d\n");
}

Test(reading, available_counts_lines_without_end_of_file)
{
	type("ab\n\x04xyz");
	cr_assert_eq(discipline_available(&d), 3);
	raw(1, 0);
	cr_assert_eq(discipline_available(&d), 7);
}

Test(reading, flush)
{
	type("ab\ncd");
	discipline_flush_input(&d);
	type("\x7f"
	     "e\n");
	eq(got(), "e\n");
}

Test(reading, queue_wraps)
{
	for (unsigned i = 0; i < 3 * INPUT_SIZE / 8; i++) {
		type("1234567\n");
		eq(got(), "1234567\n");
		ring_clear(&d.output);
	}
}
