/*
 * What proc leaves for libposix in a new image: the start page, at LIBPOSIX_HEAP, private, readable and writable.
 */
#ifndef PORTICO_START_H
#define PORTICO_START_H

#include <stdint.h>

#define START_MAGIC UINT64_C(0x7472617473786f70)

struct posix_start {
	uint64_t magic;
	uint64_t entry;          /* program or interpreter */
	uint64_t stack;          /* rsp of the program: argc, argv, envp, auxv as the x86_64 psABI says */
	uint64_t brk;            /* end of the program's bss, page aligned */
	uint64_t program_start, program_end; /* whole image */
	uint32_t pid, parent, group, session;
	uint32_t uid, euid, suid, gid, egid, sgid;
	uint32_t trace;          /* --posix-trace */
	uint32_t secure;         /* AT_SECURE */
	uint64_t state_size;     /* the `state` bytes of exec follow the structure; 0: a first process */
	uint64_t start_size;     /* of the mapping */
	char name[16];
	char path[256];          /* program path, for /proc/self/exe (empty: too long, ask proc) */
};

#endif
