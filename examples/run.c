/*
 * run.c - runs a command in a container, with the programs and libraries of the host.
 *
 *	cc run.c $(pkg-config --cflags --libs libcontainr) -o run
 *	./run DIRECTORY COMMAND [ARGUMENT]...
 *
 * DIRECTORY, new or empty, becomes the root file system: /usr is mounted there, read-only.
 */
#include <containr/containr.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static int fail(const struct containr_error *error)
{
	(void)fprintf(stderr, "run: %s\n", error->message);
	if (error->hint[0])
		(void)fprintf(stderr, "run: hint: %s\n", error->hint);
	return 125;
}

/* Debian and its like keep all programs in /usr; what was elsewhere once is a link. */
static void make_root(const char *dir)
{
	static const char *const names[] = { "bin", "sbin", "lib", "lib64" };
	static const char *const dirs[] = { "usr", "proc", "sys", "dev" };
	char path[4096], target[32];

	(void)mkdir(dir, 0755);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		(void)snprintf(target, sizeof(target), "usr/%s", names[i]);
		(void)!symlink(target, path);
	}
	/* The root is read-only in the container: where something is to be mounted must be there.
	 */
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir, dirs[i]);
		(void)mkdir(path, 0755);
	}
}

static int configure(struct containr_config *config, const char *dir, const char *const *command,
		     struct containr_error *error)
{
	int r = containr_config_set_rootfs(config, dir, true, error);

	if (r == 0)
		r = containr_config_add_mount(config, "/usr", "bind", "/usr",
					      "rbind,ro,nosuid,nodev", error);
	if (r == 0)
		r = containr_config_set_args(config, command, error);
	if (r == 0)
		r = containr_config_cap_drop(config, "ALL", error);
	return r;
}

int main(int argc, char **argv)
{
	struct containr_config *config = NULL;
	struct containr_error error;
	char id[32];
	int r = containr_protect(argv, environ, &error);

	if (r < 0)
		return fail(&error);
	if (argc < 3) {
		(void)fprintf(stderr, "usage: run DIRECTORY COMMAND [ARGUMENT]...\n");
		return 125;
	}
	make_root(argv[1]);
	(void)snprintf(id, sizeof(id), "example-%d", getpid());
	r = containr_config_new(&config, &error);
	if (r == 0)
		r = configure(config, argv[1], (const char *const *)(argv + 2), &error);
	if (r == 0)
		r = containr_run(
		    &(struct containr_run_options){
			.size = sizeof(struct containr_run_options), .id = id, .config = config },
		    &error);
	containr_config_free(config);
	return r < 0 ? fail(&error) : r;
}
