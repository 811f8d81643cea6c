/*
 * The table of operations for enumerated kill points that operations.c does not have; see operations_more.h.
 */
#include "operations_more.h"

const struct operation_more operations_more[] = {
	{{"calls_file", calls_file, NULL}, "*"},
	{{"calls_directory", calls_directory, NULL}, "*"},
	{{"calls_pipe", calls_pipe, NULL}, "*"},
	{{"calls_terminal", calls_terminal, NULL}, "*"},
	{{"calls_proc_file", calls_proc_file, NULL}, "*"},
	{{"calls_queue", calls_queue, NULL}, "*"},
	{{"calls_ipc_file", calls_ipc_file, NULL}, "*"},
	{{"calls_supervisor", calls_supervisor, NULL}, "*,root"},
	{{"calls_names", calls_names, NULL}, "*"},
	{{"calls_proc_names", calls_proc_names, NULL}, "*"},
	{{"calls_process", calls_process, NULL}, "*"},
	{{"calls_signals", calls_signals, NULL}, "*"},
	{{"calls_tty", calls_tty, NULL}, "*"},
	{{"calls_ipc", calls_ipc, NULL}, "*"},
	{{"stopped", stopped, NULL}, "*"},
	{{"thread_signal", thread_signal, NULL}, "*"},
	{{"discarded", discarded, NULL}, "*"},
	{{"read_interrupted", read_interrupted, NULL}, "*"},
	{{"wait_interrupted", wait_interrupted, NULL}, "*"},
	{{"sem_interrupted", sem_interrupted, NULL}, "*"},
	{{"terminal_interrupted", terminal_interrupted, NULL}, "*"},
	{{"terminal_timed", terminal_timed, NULL}, "tty,sig,proc"},
	{{"terminal_much", terminal_much, NULL}, "tty"}, /* each byte is some points of serial: console_lines has those */
	{{"session_terminal", session_terminal, NULL}, "*"},
	{{"task_gone", task_gone, NULL}, "*"},
	{{"threads_run", threads_run, NULL}, "*"},
	{{"clock_now_set", clock_now_set, NULL}, "*,root"},
	{{"kernel_message", kernel_message, NULL}, "*"},
	{{"identities", identities, NULL}, "*"},
	{{"pipe_chain", pipe_chain, NULL}, "vfs"},
	{{"tree_unmounted", tree_unmounted, NULL}, "vfs"},
	{{"many_readers", many_readers, NULL}, "vfs"}, /* more answers than a commit holds */
	{{"many_waiters", many_waiters, NULL}, "ipcd"},
	{{"supervise_list", supervise_list, NULL}, "*,root"},
	{{"supervise_kill", supervise_kill, NULL}, "*,root"},
	{{"supervise_crash", supervise_crash, NULL}, "root,sig"},
	{{"supervise_restart", supervise_restart, NULL}, "*,root"},
	{{"supervise_cold", supervise_cold, NULL}, "*,root"},
	{{"supervise_root", supervise_root, NULL}, "*,root"},
	{{"supervise_update", supervise_update, NULL}, "root,sig"},
	{{"supervise_flip", supervise_flip, NULL}, "root"},
};
const size_t operation_more_count = sizeof operations_more / sizeof operations_more[0];

void operations_prepare_more(void)
{
	supervise_prepare();
	calls_prepare();
}
