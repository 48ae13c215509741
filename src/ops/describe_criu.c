/*
 * describe_criu.c - see describe_criu.h.
 */
#include "ops/describe_criu.h"

void describe_socket_pair(const struct step *s, struct buf *out)
{
	buf_printf(out, "make a pair of sockets %s",
		   s->pair.slot == SLOT_CRIU ? "to talk to criu" : "for the terminal");
}

void describe_directory(const struct step *s, struct buf *out)
{
	buf_printf(out, "%s %s", s->directory.make ? "make, if it is missing, and open" : "open",
		   s->directory.path);
}

void describe_images(const struct step *s, struct buf *out)
{
	buf_printf(
	    out, "have criu find the images in that tree, at %s, and others a way to their clocks",
	    s->images.path);
}

static void put_pairs(struct buf *out, const char *what, const struct criu_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_printf(out, "%s %s=%s", i == 0 ? what : ",", pairs[i].key, pairs[i].value);
}

static void put_flags(struct buf *out, const struct criu_options *o)
{
	const struct {
		bool set;
		const char *name;
	} flags[] = {
		{ o->leave_running, "leave-running" }, { o->tcp_established, "tcp-established" },
		{ o->ext_unix_sk, "ext-unix-sk" },     { o->shell_job, "shell-job" },
		{ o->file_locks, "file-locks" },       { o->auto_dedup, "auto-dedup" },
		{ o->lazy_pages, "lazy-pages" },
	};

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (flags[i].set)
			buf_printf(out, ", %s", flags[i].name);
	if (o->parent_path)
		buf_printf(out, ", after %s", o->parent_path);
	if (o->page_server)
		buf_printf(out, ", pages to %s:%u", o->page_server, o->page_server_port);
}

void describe_criu(const struct step *s, struct buf *out)
{
	const struct step_criu *c = &s->criu;

	switch (c->action) {
	case CRIU_DUMP:
		buf_str(out, "have criu checkpoint the container");
		break;
	case CRIU_PRE_DUMP:
		buf_str(out, "have criu write the container's memory ahead");
		break;
	case CRIU_RESTORE:
		buf_str(out, "have criu restore the container, and record its pid");
		break;
	}
	put_flags(out, c->options);
	if (c->freezer)
		buf_printf(out, ", frozen by %s", c->freezer);
	put_pairs(out, "; external mounts:", c->mounts, c->n_mounts);
	put_pairs(out, "; joined namespaces:", c->joins, c->n_joins);
	for (size_t i = 0; i < c->n_externals; i++)
		buf_printf(out, "%s %s", i == 0 ? "; external:" : ",", c->externals[i]);
	for (size_t i = 0; i < c->n_inherits; i++)
		buf_printf(out, "%s %s", i == 0 ? "; inherited:" : ",", c->inherits[i].key);
	if (c->prestart)
		buf_str(out, "; then prestart hooks");
	if (c->create_runtime)
		buf_str(out, "; then createRuntime hooks");
}

void describe_mount_point(const struct step *s, struct buf *out)
{
	buf_printf(out, "make the mount point %s, if it is missing", s->mount_point.path);
}

void describe_sources(const struct step *s, struct buf *out)
{
	buf_printf(out, "attach the %zu trees that are bound, for criu, below %s", s->sources.n,
		   s->sources.path);
}
