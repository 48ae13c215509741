/*
 * cmd_spec.c - spec: a first config.json (spec/default.h), to be changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/rows.h"
#include "spec/default.h"

#define CONFIG "config.json"
const struct option_row spec_options[] = {
	{ "bundle", 'b', OPTION_TEXT, AT(bundle), "dir", "where to write " CONFIG " (here)" },
	{ "rootless", 0, OPTION_FLAG, AT(spec_rootless), NULL,
	  "for an ordinary user: a user namespace, and the host's network" },
	{ 0 },
};

static int write_config(struct cli *cli, const struct buf *text)
{
	_cleanup_close_ int fd = open(CONFIG, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	size_t done = 0;

	if (fd < 0 && errno == EEXIST) {
		(void)err_say(&cli->err, -EEXIST, "File " CONFIG " exists. Remove it first");
		return err_hint(&cli->err, "or name another directory with --bundle");
	}
	if (fd < 0)
		return err_set(&cli->err, -errno, "create " CONFIG);
	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return err_set(&cli->err, -errno, "write " CONFIG);
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int cmd_spec(struct cli *cli)
{
	_cleanup_buf_ struct buf out = { 0 };
	const struct spec_rootless caller = { .uid = geteuid(), .gid = getegid() };

	spec_default(cli->o.spec_rootless ? &caller : NULL, &out);
	if (out.failed)
		return err_set(&cli->err, -ENOMEM, "make " CONFIG);
	if (cli->o.bundle && chdir(cli->o.bundle) < 0)
		return err_set(&cli->err, -errno, "enter %s", cli->o.bundle);
	return write_config(cli, &out);
}
