/*
 * Interpreter scripts: the "#!" line. Pure. As Linux does it (man 2 execve, "Interpreter scripts").
 */
#ifndef PROC_SCRIPT_H
#define PROC_SCRIPT_H

#include <stddef.h>

#define SCRIPT_LINE_MAX 256u /* BINPRM_BUF_SIZE: what of the file's begin counts */
#define SCRIPT_LEVELS 4      /* an interpreter may be a script again, that often */

struct script {
	char interpreter[SCRIPT_LINE_MAX];
	char argument[SCRIPT_LINE_MAX]; /* all of the rest of the line, blanks within included; "": none */
};

/* Parses the first `length` (<= SCRIPT_LINE_MAX) bytes of a file. 0; ENOEXEC: not a script, or no usable interpreter.
 */
int script_parse(const char *bytes, size_t length, struct script *script);

#endif
