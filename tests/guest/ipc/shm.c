/* Shared memory: shmget, shmat, shmdt, shmctl. */
#include "check.h"

#define KEY 0x51510001
#define PAGE 4096ul

static int id;

static long attaches(int segment)
{
	struct shmid_ds ds;
	return shmctl(segment, IPC_STAT, &ds) ? -1 : (long)ds.shm_nattch;
}

static void get(void)
{
	VALUE("shmget no such key", shmget(KEY, 100, 0600));
	VALUE("shmget size 0", shmget(KEY, 0, IPC_CREAT | 0600));
	VALUE("shmget private size 0", shmget(IPC_PRIVATE, 0, 0600));
	VALUE("shmget beyond SHMMAX", shmget(IPC_PRIVATE, SIZE_MAX, 0600));
	OK("shmget creates", id = shmget(KEY, 5000, IPC_CREAT | 0640));
	TRUE("shmget finds", shmget(KEY, 0, 0) == id);
	TRUE("shmget finds smaller", shmget(KEY, 4000, 0600) == id);
	TRUE("shmget finds equal", shmget(KEY, 5000, IPC_CREAT | 0600) == id);
	VALUE("shmget larger than it is", shmget(KEY, 5001, 0600));
	VALUE("shmget exclusive", shmget(KEY, 100, IPC_CREAT | IPC_EXCL | 0600));
	TRUE("shmget exclusive without create", shmget(KEY, 100, IPC_EXCL | 0600) == id);
}

static void stat(void)
{
	struct shmid_ds ds;
	time_t before = time(NULL);

	memset(&ds, 0xff, sizeof(ds));
	VALUE("shmctl IPC_STAT", shmctl(id, IPC_STAT, &ds));
	VALUE("size", ds.shm_segsz);
	VALUE("key", ds.shm_perm.__key);
	VALUE("mode", ds.shm_perm.mode);
	VALUE("uid", ds.shm_perm.uid);
	VALUE("gid", ds.shm_perm.gid);
	VALUE("cuid", ds.shm_perm.cuid);
	VALUE("cgid", ds.shm_perm.cgid);
	VALUE("attaches", ds.shm_nattch);
	TRUE("creator", ds.shm_cpid == getpid());
	VALUE("last pid", ds.shm_lpid);
	VALUE("attach time", ds.shm_atime);
	VALUE("detach time", ds.shm_dtime);
	TRUE("change time", ds.shm_ctime <= before && ds.shm_ctime > before - 10);
	VALUE("IPC_STAT bad pointer", shmctl(id, IPC_STAT, (struct shmid_ds *)8));
	VALUE("IPC_STAT bad id", shmctl(id + 77, IPC_STAT, &ds));
	VALUE("IPC_STAT stale id", shmctl(id + 32768 * 5, IPC_STAT, &ds));
	VALUE("IPC_STAT negative id", shmctl(-1, IPC_STAT, &ds));
	VALUE("shmctl unknown command", shmctl(id, 99, &ds));
	VALUE("shmctl negative command", shmctl(id, -1, &ds));
}

static void attach(void)
{
	char *p, *q;

	VALUE("shmat negative id", (long)shmat(-1, NULL, 0));
	VALUE("shmat bad id", (long)shmat(id + 77, NULL, 0));
	VALUE("shmat stale id", (long)shmat(id + 32768 * 5, NULL, 0));
	OK("shmat", (long)(p = shmat(id, NULL, 0)));
	VALUE("one attached", attaches(id));
	VALUE("fresh memory is zero", p[0] | p[4999] | p[8191]);
	strcpy(p, "hello");
	OK("shmat read-only", (long)(q = shmat(id, NULL, SHM_RDONLY)));
	VALUE("two attached", attaches(id));
	text("the same memory", q);
	TRUE("at different places", p != q);
	IN_CHILD(0, {
		signal(SIGSEGV, SIG_DFL);
		*(volatile char *)q = 1;
	});
	struct shmid_ds ds;
	shmctl(id, IPC_STAT, &ds);
	TRUE("last pid is a child's after its end", ds.shm_lpid != getpid() && ds.shm_lpid != 0);
	TRUE("attach time is set", ds.shm_atime != 0);
	TRUE("detach time is set", ds.shm_dtime != 0);
	VALUE("still two", attaches(id));
	VALUE("mprotect of a read-only one", mprotect(q, PAGE, PROT_READ | PROT_WRITE));
	VALUE("shmdt in the middle", shmdt(q + PAGE));
	VALUE("shmdt not aligned", shmdt(q + 1));
	VALUE("shmdt", shmdt(q));
	VALUE("shmdt again", shmdt(q));
	VALUE("shmdt NULL", shmdt(NULL));
	VALUE("one again", attaches(id));
	VALUE("shmdt of the first", shmdt(p));
	VALUE("none", attaches(id));
	OK("shmat again", (long)(p = shmat(id, NULL, 0)));
	text("what was written stays", p);
	VALUE("shmdt again", shmdt(p));
}

static void places(void)
{
	char *base = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	VALUE("shmat over a mapping", (long)shmat(id, base, 0));
	VALUE("shmat at an odd address", (long)shmat(id, base + 100, 0));
	VALUE("shmat rounded, over a mapping", (long)shmat(id, base + 100, SHM_RND));
	VALUE("shmat remap without address", (long)shmat(id, NULL, SHM_REMAP));
	munmap(base + 4 * PAGE, 4 * PAGE);
	TRUE("shmat at an address", shmat(id, base + 4 * PAGE, 0) == base + 4 * PAGE);
	VALUE("shmdt there", shmdt(base + 4 * PAGE));
	TRUE("shmat rounded", shmat(id, base + 5 * PAGE + 123, SHM_RND) == base + 5 * PAGE);
	VALUE("shmdt there too", shmdt(base + 5 * PAGE));
	VALUE("shmat with too little room", (long)shmat(id, base + 7 * PAGE, 0));
	base[8 * PAGE] = 9;
	TRUE("shmat remap", shmat(id, base + 8 * PAGE, SHM_REMAP) == base + 8 * PAGE);
	text("remapped", base + 8 * PAGE);
	VALUE("its count", attaches(id));
	TRUE("remap of itself", shmat(id, base + 8 * PAGE, SHM_REMAP) == base + 8 * PAGE);
	VALUE("count after remap of itself", attaches(id));
	VALUE("shmdt of it", shmdt(base + 8 * PAGE));
	VALUE("count", attaches(id));
	VALUE("shmdt of it once more", shmdt(base + 8 * PAGE));
	TRUE("shmat for munmap", shmat(id, base + 4 * PAGE, 0) == base + 4 * PAGE);
	VALUE("munmap", munmap(base + 4 * PAGE, 2 * PAGE));
	VALUE("munmap detaches", attaches(id));
	VALUE("shmdt after munmap", shmdt(base + 4 * PAGE));
	TRUE("shmat for half", shmat(id, base + 4 * PAGE, 0) == base + 4 * PAGE);
	VALUE("munmap of its end", munmap(base + 5 * PAGE, PAGE));
	VALUE("half of it is left", attaches(id));
	VALUE("shmdt of half", shmdt(base + 4 * PAGE));
	VALUE("none is left", attaches(id));
	TRUE("shmat for mmap", shmat(id, base + 4 * PAGE, 0) == base + 4 * PAGE);
	TRUE("mmap over it", mmap(base + 4 * PAGE, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == base + 4 * PAGE);
	VALUE("mmap detaches", attaches(id));
	VALUE("executable", (long)shmat(id, NULL, SHM_EXEC) == -1 ? 0 : 1);
	VALUE("executable is attached", attaches(id));
	munmap(base, 16 * PAGE);
}

static int exit_now(void)
{
	return 3;
}

static int hold(void)
{
	shmat(id, NULL, 0);
	pause();
	return 0;
}

static bool three_attached(void)
{
	return attaches(id) == 3;
}

static bool one_attached(void)
{
	return attaches(id) == 1;
}

static void processes(void)
{
	VALUE("before fork", attaches(id));
	IN_CHILD(0, VALUE("fork inherits", attaches(id)));
	VALUE("after the child", attaches(id));
	text("a child ends", await(start(exit_now)));
	pid_t pid = start(hold);
	TRUE("child attaches", until(three_attached));
	kill(pid, SIGKILL);
	text("child is killed", await(pid));
	TRUE("a killed process is detached", until(one_attached));
	IN_CHILD(0, {
		char name[32];
		snprintf(name, sizeof(name), "%d", id);
		execl("/proc/self/exe", "ipc", "nothing", (char *)NULL);
	});
	VALUE("exec detaches", attaches(id));
	pid_t other = vfork();
	if (other == 0)
		_exit(0);
	await(other);
	VALUE("vfork changes nothing", attaches(id));
}

static void remove_it(void)
{
	struct shmid_ds ds;
	char *p = shmat(id, NULL, 0);

	VALUE("IPC_RMID", shmctl(id, IPC_RMID, NULL));
	VALUE("removed, attached: IPC_STAT", shmctl(id, IPC_STAT, &ds));
	VALUE("its mode", ds.shm_perm.mode);
	VALUE("its key", ds.shm_perm.__key);
	VALUE("its key finds nothing", shmget(KEY, 0, 0));
	OK("shmat of a removed one", (long)shmat(id, NULL, 0));
	VALUE("IPC_RMID twice", shmctl(id, IPC_RMID, NULL));
	text("its memory", p);
	IN_CHILD(0, text("its memory in a child", p));
	IN_CHILD(0, shmdt(p));
	shmdt(p);
	VALUE("it is there for the others", attaches(id) > 0);
}

static void private_one(void)
{
	int a = shmget(IPC_PRIVATE, 100, 0600), b = shmget(IPC_PRIVATE, 100, IPC_CREAT | IPC_EXCL | 0600);
	struct shmid_ds ds;

	TRUE("two private ones", a >= 0 && b >= 0 && a != b);
	char *p = shmat(a, NULL, 0);
	VALUE("remove it", shmctl(a, IPC_RMID, NULL));
	VALUE("last detach", shmdt(p));
	VALUE("gone with the last detach", shmctl(a, IPC_STAT, &ds));
	VALUE("shmat of a gone one", (long)shmat(a, NULL, 0));
	VALUE("remove the other", shmctl(b, IPC_RMID, NULL));
	VALUE("gone at once", shmctl(b, IPC_STAT, &ds));
	int c = shmget(IPC_PRIVATE, 100, 0600);
	TRUE("another id", c != a && c != b);
	shmctl(c, IPC_RMID, NULL);
	a = shmget(IPC_PRIVATE, 100, 0600);
	pid_t pid = begin_child(0);
	if (pid == 0) {
		shmat(a, NULL, 0);
		shmctl(a, IPC_RMID, NULL);
		raise(SIGKILL);
	}
	await(pid);
	for (int i = 0; i < 200 && shmctl(a, IPC_STAT, &ds) == 0; i++)
		nap(5);
	VALUE("gone with the killed last user", shmctl(a, IPC_STAT, &ds));
}

static void permissions(void)
{
	int a = shmget(KEY + 1, 100, IPC_CREAT | 0600), b;
	struct shmid_ds ds;

	IN_CHILD(UNUSED_UID, {
		OK("stranger: shmget", shmget(KEY + 1, 0, 0));
		VALUE("stranger: shmget 0400", shmget(KEY + 1, 0, 0400));
		VALUE("stranger: shmat", (long)shmat(a, NULL, 0));
		VALUE("stranger: shmat read-only", (long)shmat(a, NULL, SHM_RDONLY));
		VALUE("stranger: IPC_STAT", shmctl(a, IPC_STAT, &ds));
		VALUE("stranger: IPC_RMID", shmctl(a, IPC_RMID, NULL));
		VALUE("stranger: IPC_SET", shmctl(a, IPC_SET, &ds));
		VALUE("stranger: SHM_LOCK", shmctl(a, SHM_LOCK, NULL));
		VALUE("stranger: exclusive", shmget(KEY + 1, 0, IPC_CREAT | IPC_EXCL));
	});
	shmctl(a, IPC_STAT, &ds);
	ds.shm_perm.mode = 01644;
	VALUE("IPC_SET of the mode", shmctl(a, IPC_SET, &ds));
	shmctl(a, IPC_STAT, &ds);
	VALUE("only permissions count", ds.shm_perm.mode);
	IN_CHILD(UNUSED_UID, {
		OK("reader: shmat read-only", (long)shmat(a, NULL, SHM_RDONLY));
		VALUE("reader: shmat", (long)shmat(a, NULL, 0));
		VALUE("reader: shmat executable", (long)shmat(a, NULL, SHM_RDONLY | SHM_EXEC));
		VALUE("reader: IPC_STAT", shmctl(a, IPC_STAT, &ds));
		VALUE("reader: shmget 0600", shmget(KEY + 1, 0, 0600));
		OK("reader: shmget 0400", shmget(KEY + 1, 0, 0400));
	});
	ds.shm_perm.uid = UNUSED_UID;
	ds.shm_perm.gid = 4321;
	ds.shm_perm.mode = 0600;
	VALUE("IPC_SET of the owner", shmctl(a, IPC_SET, &ds));
	VALUE("IPC_SET bad pointer", shmctl(a, IPC_SET, (struct shmid_ds *)8));
	ds.shm_perm.uid = (uid_t)-1;
	VALUE("IPC_SET of no owner", shmctl(a, IPC_SET, &ds));
	IN_CHILD(UNUSED_UID, {
		OK("new owner: shmat", (long)shmat(a, NULL, 0));
		shmctl(a, IPC_STAT, &ds);
		VALUE("new owner: uid", ds.shm_perm.uid);
		VALUE("new owner: gid", ds.shm_perm.gid);
		VALUE("new owner: cuid", ds.shm_perm.cuid);
		VALUE("new owner: SHM_LOCK", shmctl(a, SHM_LOCK, NULL));
		shmctl(a, IPC_STAT, &ds);
		VALUE("new owner: locked", ds.shm_perm.mode);
		VALUE("new owner: SHM_UNLOCK", shmctl(a, SHM_UNLOCK, NULL));
		VALUE("new owner: IPC_RMID", shmctl(a, IPC_RMID, NULL));
	});
	IN_CHILD(UNUSED_UID, {
		b = shmget(KEY + 2, 100, IPC_CREAT | 0060);
		VALUE("owner without permission: shmat", (long)shmat(b, NULL, 0));
		shmctl(b, IPC_STAT, &ds);
	});
	b = shmget(KEY + 2, 0, 0);
	OK("the superuser may", (long)shmat(b, NULL, 0));
	IN_CHILD(0, {
		gid_t groups[2] = {7, UNUSED_UID};
		setgroups_and_user(groups);
		OK("by a supplementary group", (long)shmat(b, NULL, 0));
		VALUE("that is no owner", shmctl(b, IPC_RMID, NULL));
	});
	VALUE("the superuser removes it", shmctl(b, IPC_RMID, NULL));
}

static void lists(void)
{
	struct shminfo limits;
	struct shm_info info;
	struct shmid_ds ds;
	int a = shmget(IPC_PRIVATE, 3 * PAGE, 0600), highest = shmctl(0, SHM_INFO, (void *)&info);

	OK("SHM_INFO", highest);
	OK("IPC_INFO", shmctl(0, IPC_INFO, (void *)&limits));
	VALUE("SHMMIN", limits.shmmin);
	VALUE("SHMMNI", limits.shmmni);
	VALUE("SHMSEG", limits.shmseg);
	TRUE("SHMMAX", limits.shmmax == ULONG_MAX - (1ul << 24));
	TRUE("SHMALL", limits.shmall == ULONG_MAX - (1ul << 24));
	TRUE("segments", info.used_ids >= 1);
	TRUE("pages", info.shm_tot >= 3);
	int seen = 0;
	for (int i = 0; i <= highest; i++)
		seen += shmctl(i, SHM_STAT, &ds) == a && ds.shm_segsz == 3 * PAGE;
	VALUE("SHM_STAT finds it", seen);
	VALUE("SHM_STAT of a free place", shmctl(highest + 1, SHM_STAT, &ds));
	IN_CHILD(UNUSED_UID, {
		VALUE("SHM_STAT of a stranger's", shmctl(a % 32768, SHM_STAT, &ds));
		TRUE("SHM_STAT_ANY of it", shmctl(a % 32768, 15, &ds) == a);
	});
	shmctl(a, IPC_RMID, NULL);
}

void shm_checks(void)
{
	get();
	stat();
	attach();
	places();
	processes();
	remove_it();
	private_one();
	permissions();
	lists();
}
