/*
 * The table of operations for enumerated kill points that operations.c does not have; see operations_more.h.
 */
#include "operations_more.h"

const struct operation_more operations_more[] = {
	{{"calls_file", calls_file, NULL}, "*", 1},
	{{"calls_directory", calls_directory, NULL}, "*", 1},
	{{"calls_pipe", calls_pipe, NULL}, "*", 1},
	{{"calls_terminal", calls_terminal, NULL}, "*", 1},
	{{"calls_proc_file", calls_proc_file, NULL}, "*", 1},
	{{"calls_queue", calls_queue, NULL}, "*", 1},
	{{"calls_ipc_file", calls_ipc_file, NULL}, "*", 1},
	{{"calls_supervisor", calls_supervisor, NULL}, "*,root", 1},
	{{"calls_names", calls_names, NULL}, "*", 1},
	{{"calls_proc_names", calls_proc_names, NULL}, "*", 1},
	{{"calls_process", calls_process, NULL}, "*", 1},
	{{"calls_signals", calls_signals, NULL}, "*", 1},
	{{"calls_tty", calls_tty, NULL}, "*", 1},
	{{"calls_ipc", calls_ipc, NULL}, "*", 1},
	{{"stopped", stopped, NULL}, "*", 1},
	{{"thread_signal", thread_signal, NULL}, "*", 1},
	{{"discarded", discarded, NULL}, "*", 1},
	{{"read_interrupted", read_interrupted, NULL}, "*", 1},
	{{"wait_interrupted", wait_interrupted, NULL}, "*", 1},
	{{"sem_interrupted", sem_interrupted, NULL}, "*", 1},
	{{"terminal_interrupted", terminal_interrupted, NULL}, "*", 1},
	{{"terminal_timed", terminal_timed, NULL}, "tty,sig,proc", 1},
	{{"terminal_much", terminal_much, NULL}, "tty", 19}, /* each byte is some points of serial: console_lines has those */
	{{"session_terminal", session_terminal, NULL}, "*", 1},
	{{"task_gone", task_gone, NULL}, "*", 1},
	{{"threads_run", threads_run, NULL}, "*", 1},
	{{"clock_now_set", clock_now_set, NULL}, "*,root", 1},
	{{"kernel_message", kernel_message, NULL}, "*", 1},
	{{"identities", identities, NULL}, "*", 1},
	{{"pipe_chain", pipe_chain, NULL}, "vfs", 11},
	{{"tree_unmounted", tree_unmounted, NULL}, "vfs", 19},
	{{"many_readers", many_readers, NULL}, "vfs", 53}, /* more answers than a commit holds */
	{{"many_waiters", many_waiters, NULL}, "ipcd", 53},
	{{"supervise_list", supervise_list, NULL}, "*,root", 1},
	{{"supervise_kill", supervise_kill, NULL}, "*,root", 1},
	{{"supervise_crash", supervise_crash, NULL}, "root,sig", 1},
	{{"supervise_restart", supervise_restart, NULL}, "*,root", 1},
	{{"supervise_cold", supervise_cold, NULL}, "*,root", 1},
	{{"supervise_root", supervise_root, NULL}, "*,root", 1},
	{{"supervise_update", supervise_update, NULL}, "root,sig", 11},
	{{"supervise_flip", supervise_flip, NULL}, "root", 1},
};
const size_t operation_more_count = sizeof operations_more / sizeof operations_more[0];

void operations_prepare_more(void)
{
	supervise_prepare();
	calls_prepare();
}
