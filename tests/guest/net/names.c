/* Names: abstract ones and paths, their files, permissions, and how they are told. */
#include "net.h"

static char directory[] = "/tmp/net.XXXXXX";
static char path[100];

static const char *in_directory(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static long bind_to(int fd, const char *name)
{
	struct sockaddr_un a;
	socklen_t size = address(&a, name);
	return bind(fd, (void *)&a, size);
}

static long connect_to(int type, const char *name)
{
	struct sockaddr_un a;
	socklen_t size = address(&a, name);
	int fd = socket(AF_UNIX, type, 0);
	long status = connect(fd, (void *)&a, size);
	int error = errno;
	close(fd);
	errno = error;
	return status;
}

static void tell(const char *name, int fd, bool peer)
{
	struct sockaddr_un a;
	socklen_t size = sizeof(a);

	memset(&a, 0xff, sizeof(a));
	errno = 0;
	int status = peer ? getpeername(fd, (void *)&a, &size) : getsockname(fd, (void *)&a, &size);
	if (status < 0)
		result(name, status, errno);
	else if (a.sun_family != AF_UNIX)
		text(name, "wrong family");
	else
		text(name, named(&a, size));
}

static void abstract(void)
{
	struct sockaddr_un a;
	socklen_t size;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);

	tell("unbound", fd, false);
	tell("no peer", fd, true);
	VALUE("bind", bind_to(fd, "suite one"));
	tell("bound", fd, false);
	VALUE("bind again", bind_to(fd, "suite two"));
	VALUE("name in use", bind_to(other, "suite one"));
	VALUE("nobody listens", connect_to(SOCK_STREAM, "suite one"));
	VALUE("nobody has it", connect_to(SOCK_STREAM, "suite three"));
	VALUE("a name that only begins so", bind_to(other, "suite on"));
	close(fd);
	close(other);
	VALUE("closed: nobody has it", connect_to(SOCK_STREAM, "suite one"));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	VALUE("closed: it is free", bind_to(fd, "suite one"));
	size = address(&a, "x");
	VALUE("no address", bind(fd, (void *)&a, 0));
	VALUE("too short", bind(fd, (void *)&a, 1));
	VALUE("too long", bind(fd, (void *)&a, sizeof(a) + 1));
	VALUE("negative", bind(fd, (void *)&a, (socklen_t)-1));
	VALUE("bad pointer", bind(fd, (void *)8, size));
	a.sun_family = AF_INET;
	VALUE("other family", bind(fd, (void *)&a, size));
	VALUE("connect: other family", connect(fd, (void *)&a, size));
	VALUE("connect: too short", connect(fd, (void *)&a, 2));
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	memset(&a, 0, sizeof(a));
	a.sun_family = AF_UNIX;
	memset(a.sun_path + 1, 'n', sizeof(a.sun_path) - 1);
	VALUE("the longest", bind(fd, (void *)&a, sizeof(a)));
	size = sizeof(a);
	VALUE("its name", getsockname(fd, (void *)&a, &size));
	VALUE("its length", size);
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	a.sun_family = AF_UNIX;
	VALUE("a name of the system's choice", bind(fd, (void *)&a, sizeof(a.sun_family)));
	size = sizeof(a);
	getsockname(fd, (void *)&a, &size);
	TRUE("has five digits", size == 8 && a.sun_path[0] == 0 && strspn(a.sun_path + 1, "0123456789abcdef") >= 5);
	VALUE("once more does nothing", bind(fd, (void *)&a, sizeof(a.sun_family)));
	close(fd);
}

static void short_buffers(void)
{
	struct sockaddr_un a;
	int fd = bound(SOCK_STREAM, "short buffer", -1);
	socklen_t size = 6;

	memset(&a, 'z', sizeof(a));
	VALUE("cut", getsockname(fd, (void *)&a, &size));
	VALUE("true length", size);
	TRUE("not written beyond", a.sun_path[3] == 'o' && a.sun_path[4] == 'z');
	size = 0;
	VALUE("no room", getsockname(fd, (void *)&a, &size));
	size = (socklen_t)-1;
	VALUE("negative room", getsockname(fd, (void *)&a, &size));
	size = sizeof(a);
	VALUE("bad pointer", getsockname(fd, (void *)8, &size));
	VALUE("bad length pointer", getsockname(fd, (void *)&a, (socklen_t *)8));
	close(fd);
}

static void files(void)
{
	struct stat st;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), other = socket(AF_UNIX, SOCK_STREAM, 0);

	umask(027);
	VALUE("bind to a path", bind_to(fd, in_directory("one")));
	VALUE("it is a file", stat(path, &st));
	VALUE("of mode", st.st_mode);
	VALUE("of size", st.st_size);
	umask(022);
	VALUE("in use", bind_to(other, path));
	VALUE("open", open(path, O_RDWR));
	VALUE("open O_PATH", close(open(path, O_PATH)));
	VALUE("nobody listens", connect_to(SOCK_STREAM, path));
	listen(fd, 5);
	VALUE("connect", connect_to(SOCK_STREAM, path));
	VALUE("wrong type", connect_to(SOCK_DGRAM, path));
	VALUE("closed, the file stays", (close(fd), stat(path, &st)));
	VALUE("but nobody has it", connect_to(SOCK_STREAM, path));
	VALUE("and it is in use", bind_to(other, path));
	VALUE("unlink", unlink(path));
	VALUE("gone", connect_to(SOCK_STREAM, path));
	VALUE("free again", bind_to(other, path));
	listen(other, 5);
	char second[100];
	snprintf(second, sizeof(second), "%s/two", directory);
	VALUE("rename", rename(path, second));
	VALUE("connect by the new name", connect_to(SOCK_STREAM, second));
	VALUE("not by the old one", connect_to(SOCK_STREAM, path));
	VALUE("link", link(second, path));
	VALUE("connect by a link", connect_to(SOCK_STREAM, path));
	unlink(path);
	VALUE("symlink", symlink("two", path));
	VALUE("connect by a symbolic link", connect_to(SOCK_STREAM, path));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	VALUE("bind to a symbolic link", bind_to(fd, path));
	unlink(path);
	unlink(second);
	VALUE("unlinked while open", connect_to(SOCK_STREAM, second));
	VALUE("a new one in its place", bind_to(fd, second));
	VALUE("is another", connect_to(SOCK_STREAM, second));
	close(fd), close(other);
	unlink(second);
}

static void wrong_paths(void)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), file;

	VALUE("no directory", bind_to(fd, in_directory("missing/name")));
	VALUE("connect: no directory", connect_to(SOCK_STREAM, path));
	close(file = open(in_directory("plain"), O_CREAT | O_WRONLY, 0644));
	VALUE("a file in the way", bind_to(fd, path));
	VALUE("connect to a file", connect_to(SOCK_STREAM, path));
	char below[120];
	snprintf(below, sizeof(below), "%s/below", path);
	VALUE("below a file", bind_to(fd, below));
	unlink(path);
	VALUE("connect to a directory", connect_to(SOCK_STREAM, directory));
	VALUE("connect to a device", connect_to(SOCK_STREAM, "/dev/null"));
	VALUE("mknod", mknod(in_directory("node"), S_IFSOCK | 0666, 0));
	VALUE("connect to a node", connect_to(SOCK_STREAM, path));
	unlink(path);
	/* A path that fills the address has no zero byte. */
	memset(&a, 0, sizeof(a));
	a.sun_family = AF_UNIX;
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/", directory);
	memset(a.sun_path + strlen(a.sun_path), 'p', sizeof(a.sun_path) - strlen(directory) - 1);
	VALUE("a path without a zero byte", bind(fd, (void *)&a, sizeof(a)));
	socklen_t size = sizeof(a);
	getsockname(fd, (void *)&a, &size);
	VALUE("its length", size);
	char whole[sizeof(a.sun_path) + 1] = "";
	memcpy(whole, a.sun_path, sizeof(a.sun_path));
	VALUE("unlink", unlink(whole));
	close(fd);
}

static void relative(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX, .sun_path = "here"};
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), other = socket(AF_UNIX, SOCK_DGRAM, 0);

	VALUE("chdir", chdir(directory));
	VALUE("relative path", bind(fd, (void *)&a, sizeof(a)));
	socklen_t size = sizeof(a);
	getsockname(fd, (void *)&a, &size);
	text("as it was given", named(&a, size));
	VALUE("connect by it", connect(other, (void *)&a, size));
	VALUE("connect by the whole path", connect_to(SOCK_DGRAM, in_directory("here")));
	unlink("here");
	chdir("/");
	close(fd), close(other);
}

static void permissions(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	chmod(directory, 0755);
	bind_to(fd, in_directory("guarded"));
	listen(fd, 5);
	IN_CHILD(UNUSED_UID, {
		VALUE("no write permission", connect_to(SOCK_STREAM, path));
		int mine = socket(AF_UNIX, SOCK_STREAM, 0);
		VALUE("bind where one may not write", bind_to(mine, in_directory("mine")));
	});
	in_directory("guarded");
	chmod(path, 0722);
	IN_CHILD(UNUSED_UID, VALUE("write permission is enough", connect_to(SOCK_STREAM, path)));
	chmod(directory, 0700);
	IN_CHILD(UNUSED_UID, VALUE("no way there", connect_to(SOCK_STREAM, path)));
	chmod(directory, 0755);
	unlink(path);
	close(open(in_directory("plain"), O_CREAT | O_WRONLY, 0644));
	IN_CHILD(UNUSED_UID, VALUE("a file that may not be written", connect_to(SOCK_STREAM, path)));
	unlink(path);
	close(fd);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	fchmod(fd, 0640);
	bind_to(fd, in_directory("mode"));
	struct stat st;
	stat(path, &st);
	VALUE("mode of the socket before bind", st.st_mode);
	unlink(path);
	close(fd);
}

void name_checks(void)
{
	if (mkdtemp(directory) == NULL) {
		perror("mkdtemp");
		exit(2);
	}
	/* Lengths are compared: the same directory on both. */
	char fixed[] = "/tmp/net.suite.";
	rename(directory, fixed);
	strcpy(directory, fixed);
	abstract();
	short_buffers();
	files();
	wrong_paths();
	relative();
	permissions();
	VALUE("nothing is left", rmdir(directory));
}
