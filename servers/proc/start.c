/*
 * Start-up: pid 1.
 *
 * Its program is option `init` (default /sbin/init). With option `run` (hex-encoded, NUL-separated words) it is
 * /sbin/portico-run, which gets the words as arguments and whose exit status becomes the machine's.
 */
#include "exec.h"
#include "kernel_ops.h"

#include <portico/strings.h>
#include <root_client.h>
#include <vfs_client.h>

#define RUNNER "/sbin/portico-run"
#define OPTION_MAX 2049u

static const char environment[] = "HOME=/\0TERM=linux\0PATH=/bin:/sbin:/usr/bin:/usr/sbin";

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Decodes in place. Returns the number of bytes, or -1: not hex. */
static int decode_hex(char *text)
{
	int n = 0;
	for (const char *p = text; p[0] != '\0'; p += 2) {
		int high = hex_digit(p[0]), low = hex_digit(p[1]);
		if (high < 0 || low < 0)
			return -1;
		text[n++] = (char)(high << 4 | low);
	}
	return n;
}

static uint32_t count_strings(const char *strings, size_t size)
{
	uint32_t count = 0;
	for (size_t i = 0; i < size; i++)
		count += strings[i] == '\0';
	return count;
}

/* Arguments of pid 1 into `to`; returns their size and the program's path at the begin. */
static size_t init_arguments(char *to, size_t max)
{
	char value[OPTION_MAX];
	size_t at = 0;
	if (root_option(root->root, "run", value, sizeof(value)) == 0) {
		int size = decode_hex(value);
		if (size < 0 || sizeof(RUNNER) + (size_t)size + 1 > max)
			server_panic("proc: option run: not hex, or too long");
		memcpy(to, RUNNER, sizeof(RUNNER));
		at = sizeof(RUNNER);
		memcpy(to + at, value, (size_t)size);
		at += (size_t)size;
		if (size > 0 && to[at - 1] != '\0')
			to[at++] = '\0';
		return at;
	}
	const char *path =
	        root_option(root->root, "init", value, sizeof(value)) == 0 && value[0] ? value : "/sbin/init";
	at = strnlen(path, max - 1) + 1;
	memcpy(to, path, at);
	to[at - 1] = '\0';
	return at;
}

static void first_credentials(struct credentials *c)
{
	c->cap_effective = c->cap_permitted = c->cap_bounding = CAPABILITY_ALL;
}

void start_init(void)
{
	char arguments[OPTION_MAX + sizeof(RUNNER) + 1];
	struct process *p = process_create();
	if (!p)
		server_panic("proc: no memory for pid 1");
	root->init = p;
	p->group = p->session = 0;
	first_credentials(&p->cred);
	limits_default(p);
	size_t size = init_arguments(arguments, sizeof(arguments));
	const struct exec_request strings = {
	        .arguments = arguments,
	        .arguments_size = size,
	        .argument_count = count_strings(arguments, size),
	        .environment = environment,
	        .environment_size = sizeof(environment),
	        .environment_count = count_strings(environment, sizeof(environment)),
	};
	root->forks++;
	change_log(p, PROC_CHANGE_KIND_BIRTH, 0, 0);
	int error = exec_first(p, arguments, &strings);
	if (!error)
		return;
	/* There is nothing to go on with, and no incarnation would do better: the end, without an exit status. */
	server_log("%s cannot be started: error %d", arguments, error);
	(void)root_power(root->root, POWER_OFF, -1);
}
