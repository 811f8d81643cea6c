/*
 * Building the memory of a new image: segments, stack, libposix, start page. Between exec.c (which decides what) and
 * kernel_ops.h.
 *
 * A failure leaves a half-built task, which the caller terminates.
 */
#ifndef PROC_IMAGE_H
#define PROC_IMAGE_H

#include "elf.h"
#include "exec.h"

/* A file that is mapped as (part of) a program. */
struct program {
	port_name_t object; /* its memory object; ours to release */
	port_name_t file;   /* open description; ours to release */
	uint64_t size;
	uint32_t mode, uid, gid; /* of its attributes */
	struct elf_plan plan;
	uint64_t bias; /* added to addresses as linked */
};

/* Where things came to lie; filled by image_build. */
struct image_layout {
	uint64_t stack; /* rsp at entry */
	uint64_t entry;
	uint64_t brk;
	uint64_t arguments_start, arguments_end, environment_start, environment_end;
};

struct image_request {
	const struct program *main, *interpreter; /* interpreter: NULL if there is none */
	const struct exec_request *strings;
	const char *execfn; /* AT_EXECFN */
	const char *path;   /* absolute path of the program */
	const char *name;   /* comm */
	const struct process *process;
	const struct credentials *cred;
	bool secure;
	uint64_t stack_size;
};

/* elf_plan of a memory object. */
int image_plan(port_name_t object, uint64_t size, struct elf_plan *plan);
/* Chooses the bias; ENOEXEC: does not fit where programs (or interpreters) may lie. */
int image_place(struct program *program, bool interpreter);
/*
 * Everything but rights and threads. 0, ENOMEM, E2BIG, EIO, ...; EFAULT: the file was cut off within a page that is
 * half data and half zeros.
 */
int image_build(port_name_t task, const struct image_request *request, struct image_layout *layout);

#endif
