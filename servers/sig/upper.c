/*
 * What tty and net ask of sig. Server badges only; nothing in here parks.
 */
#include "sig.h"

#include <portico/strings.h>
#include <sig_server.h>

int sig_serve_signal_group(struct server_call *call, struct sig_right *right, uint32_t group, uint32_t session,
                           uint32_t signal, int32_t code)
{
	(void)call;
	if (!right->server)
		return EACCES;
	if (signal == 0 || signal > SIGNALS)
		return ESRCH;
	struct sig_signal_info info = {.signal = (int32_t)signal, .code = code};
	return generate_group(group, session, &info);
}

int sig_serve_signal_process(struct server_call *call, struct sig_right *right, uint32_t pid,
                             const struct sig_signal_info *info)
{
	(void)call;
	if (!right->server)
		return EACCES;
	struct process *p = process_by_pid(pid);
	if (!p || info->signal <= 0 || (uint32_t)info->signal > SIGNALS)
		return ESRCH;
	struct sig_signal_info copy = *info;
	return generate(p, 0, &copy, 0) == 0 ? 0 : ESRCH;
}

/*
 * A background process reads from its terminal (TTIN), or writes or changes it (TTOU). POSIX.1-2017 11.1.4: who ignores
 * or blocks TTOU goes on, TTIN then is EIO; a member of an orphaned group gets EIO; else the whole group is signalled.
 */
int sig_serve_background(struct server_call *call, struct sig_right *right, uint64_t principal, uint32_t signal)
{
	(void)call;
	if (!right->server)
		return EACCES;
	struct process *p = process_of_principal(principal);
	if (!p || (signal != SIGNAL_TERMINAL_INPUT && signal != SIGNAL_TERMINAL_OUTPUT))
		return ESRCH;
	if (is_blocked_or_ignored(p, signal))
		return signal == SIGNAL_TERMINAL_OUTPUT ? 0 : EIO;
	if (group_is_orphaned(p->session->group, NULL))
		return EIO;
	struct sig_signal_info info = {.signal = (int32_t)signal, .code = CODE_KERNEL};
	generate_group(p->session->group, p->session->session, &info);
	return EINTR;
}
