/*
 * The reaper: what is left of the dead, in steps that an idle CPU takes, and those who make new tasks.
 */
#include <kernel/ipc/internal.h>
#include <kernel/vm/vm.h>

static struct list tasks = LIST_INIT(tasks);   /* task.reap_link; holds a reference */
static struct list spaces = LIST_INIT(spaces); /* ipc_space.reap_link; holds the last reference */
static bool objects = true;                    /* big memory objects may be under destruction */

void reaper_add_task(struct task *task)
{
	if (!list_empty(&task->reap_link))
		return;
	object_ref(OBJECT(task));
	list_push_back(&tasks, &task->reap_link);
	objects = true;
}

void reaper_add_space(struct ipc_space *space)
{
	list_push_back(&spaces, &space->reap_link);
}

bool reaper_pending(void)
{
	return !list_empty(&tasks) || !list_empty(&spaces) || objects;
}

/* No CPU may have the page table loaded: the others left it with the last thread, this one perhaps not yet. */
static void unload(const struct vm_map *map)
{
	if (cpu_current()->map == map)
		context_switch_map(NULL);
}

static void step_task(struct task *task)
{
	unload(task->map);
	if (!vm_map_destroy_step(task->map))
		return;
	task->map = NULL;
	list_remove(&task->reap_link);
	object_unref(OBJECT(task));
}

static void step_space(struct ipc_space *space)
{
	if (!ipc_space_destroy_step(space))
		return;
	list_remove(&space->reap_link);
	object_unref(OBJECT(space));
}

bool reaper_step(void)
{
	struct list *l;

	if ((l = list_first(&spaces)) != NULL)
		step_space(list_entry(l, struct ipc_space, reap_link));
	else if ((l = list_first(&tasks)) != NULL)
		step_task(list_entry(l, struct task, reap_link));
	else if (objects)
		objects = !memory_reap_step();
	else
		return false;
	return true;
}
