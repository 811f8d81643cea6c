/*
 * User address-space layout of a POSIX process, and what the kernel maps into every task.
 *
 * Only KERNEL_INFO_ADDRESS is the kernel's business; the rest is agreed between proc (which builds the images) and
 * libposix (which lives in them).
 */
#ifndef PORTICO_LAYOUT_H
#define PORTICO_LAYOUT_H

#define PAGE_SIZE 4096ul
#define PAGE_SHIFT 12

#define USER_MIN 0x10000ul               /* below: never mapped unless asked for with a fixed address */
#define USER_MAX 0x7ffffffff000ul        /* exclusive */
#define KERNEL_INFO_ADDRESS 0x7fffffffe000ul /* read-only struct kernel_info (info.h), in every task */

#define PIE_BASE 0x555555554000ul        /* main program when position independent */
#define INTERPRETER_BASE 0x7fee00000000ul /* PT_INTERP image */
#define MMAP_TOP 0x7fed00000000ul        /* anonymous and file mappings grow down from here */
#define STACK_TOP 0x7ff000000000ul       /* main stack grows down from here */
#define STACK_MAX_SIZE 0x800000ul        /* RLIMIT_STACK's default: 8 MiB, reserved, built lazily */

#define LIBPOSIX_TEXT 0x7ff800000000ul   /* image of libposix: text and read-only data, shared */
#define LIBPOSIX_DATA 0x7ff810000000ul   /* its private data and heap: always copied, never shared */
#define LIBPOSIX_HEAP 0x7ff820000000ul
#define LIBPOSIX_SHARED 0x7ff840000000ul /* pages shared with servers: signal page, readiness pages, clock */
#define THREAD_AREAS 0x7ff900000000ul    /* one area a thread: endpoint pages, guard, libposix's stack */
#define THREAD_AREA_SIZE 0x10000ul
#define THREAD_AREA_STACK_TOP 0x10000ul  /* stack: the upper part of the area */
#define THREAD_SLOTS 4096ul

/* Servers: where root maps a server's image, its keep, and its thread's endpoint and stack. */
#define SERVER_STORE_MAP 0x3ff000ul      /* a byte for each SERVER_KEEP_SIZE of addresses: not 0: stores there keep the undo log */
#define SERVER_IMAGE 0x400000ul          /* linked here, static */
#define SERVER_KEEP 0x100000000000ul     /* the keep segment: root structure, typed heap */
#define SERVER_KEEP_SIZE 0x1000000000ul  /* reserved; built lazily */
#define SERVER_LOG 0x180000000000ul      /* the transaction log: undo log and results; shared with the next incarnation */
#define SERVER_LOG_SIZE 0x4000000ul      /* reserved; built lazily */
#define SERVER_OLD_KEEP 0x140000000000ul /* in a migrator (migration.h): the keep as it was, read only */
#define SERVER_LOG_EMPTY 4096ul          /* of the log's first word: SERVER_LOG + this, if there is nothing to undo */
#define SERVER_LOG_TIMES 40ul            /* there: when the incarnation was ready to receive, and had its first answer (two words, monotonic ns) */
#define SERVER_ENDPOINT 0x7fe000000000ul
#define SERVER_STACK_TOP 0x7fe100000000ul
#define SERVER_STACK_SIZE 0x40000ul
#define SERVER_MAPPINGS 0x200000000000ul /* from here up the server maps what it likes */
#define SERVER_HANG 32ul                 /* from the entry point: an instruction that loops for ever */
#define SERVER_START_GIVE_UP 1ul         /* rcx at the start: the request in service is to be answered with an error */
#define SERVER_START_MIGRATE 2ul         /* ... it is a migrator (migration.h), and no incarnation */

#endif
