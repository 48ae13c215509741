/*
 * criu_message.c - see criu_message.h. The numbers of the fields are those of criu's
 * images/rpc.proto; they never change.
 */
#include "ops/criu_message.h"

#include <errno.h>
#include <string.h>

#include "base/protobuf.h"
#include "ops/step.h"

#define PID_MAX   4194304 /* PID_MAX_LIMIT of the kernel */
#define LOG_LEVEL 4       /* all that criu can say */

/* ---- requests ---------------------------------------------------------------------------- */

/* criu_req */
enum {
	REQ_TYPE = 1,
	REQ_OPTS = 2,
	REQ_NOTIFY_SUCCESS = 3,
	REQ_KEEP_OPEN = 4,
};

/* criu_opts */
enum {
	OPT_IMAGES_DIR_FD = 1,
	OPT_PID = 2,
	OPT_LEAVE_RUNNING = 3,
	OPT_EXT_UNIX_SK = 4,
	OPT_TCP_ESTABLISHED = 5,
	OPT_EVASIVE_DEVICES = 6,
	OPT_SHELL_JOB = 7,
	OPT_FILE_LOCKS = 8,
	OPT_LOG_LEVEL = 9,
	OPT_LOG_FILE = 10,
	OPT_PS = 11,
	OPT_NOTIFY_SCRIPTS = 12,
	OPT_ROOT = 13,
	OPT_PARENT_IMG = 14,
	OPT_TRACK_MEM = 15,
	OPT_AUTO_DEDUP = 16,
	OPT_WORK_DIR_FD = 17,
	OPT_EXT_MNT = 23,
	OPT_CG_ROOT = 25,
	OPT_RST_SIBLING = 26,
	OPT_INHERIT_FD = 27,
	OPT_MANAGE_CGROUPS_MODE = 34,
	OPT_EXTERNAL = 37,
	OPT_EMPTY_NS = 38,
	OPT_JOIN_NS = 39,
	OPT_FREEZE_CGROUP = 44,
	OPT_LAZY_PAGES = 48,
	OPT_STATUS_FD = 49,
	OPT_ORPHAN_PTS_MASTER = 50,
	OPT_LSM_PROFILE = 53,
	OPT_LSM_MOUNT_CONTEXT = 63,
};

static void put_flag(struct buf *b, uint32_t field, bool value)
{
	if (value)
		protobuf_number(b, field, 1);
}

static void put_text(struct buf *b, uint32_t field, const char *text)
{
	if (text)
		protobuf_text(b, field, text);
}

static void put_part(struct buf *b, uint32_t field, const struct buf *part)
{
	protobuf_bytes(b, field, buf_text(part), part->len);
	b->failed |= part->failed;
}

/* ext_mount_map, join_namespace, cgroup_root: two texts each. */
static void put_pairs(struct buf *b, uint32_t field, const struct criu_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_buf_ struct buf pair = { 0 };

		protobuf_text(&pair, 1, pairs[i].key);
		protobuf_text(&pair, 2, pairs[i].value);
		put_part(b, field, &pair);
	}
}

static void put_page_server(struct buf *b, const struct criu_options *o)
{
	_cleanup_buf_ struct buf server = { 0 };

	if (!o->page_server)
		return;
	protobuf_text(&server, 1, o->page_server);
	protobuf_number(&server, 2, o->page_server_port);
	put_part(b, OPT_PS, &server);
}

static void put_inherits(struct buf *b, const struct step_criu *s, const struct criu_runtime *now)
{
	for (size_t i = 0; i < s->n_inherits; i++) {
		const struct criu_inherit *in = &s->inherits[i];
		_cleanup_buf_ struct buf pair = { 0 };

		protobuf_text(&pair, 1, in->key);
		protobuf_int(&pair, 2, in->slot == SLOT_NONE ? in->fd : now->fd[in->slot]);
		put_part(b, OPT_INHERIT_FD, &pair);
	}
}

static void put_options(struct buf *b, const struct step_criu *s)
{
	const struct criu_options *o = s->options;

	put_flag(b, OPT_LEAVE_RUNNING, o->leave_running);
	put_flag(b, OPT_EXT_UNIX_SK, o->ext_unix_sk);
	put_flag(b, OPT_TCP_ESTABLISHED, o->tcp_established);
	put_flag(b, OPT_EVASIVE_DEVICES, true);
	put_flag(b, OPT_SHELL_JOB, o->shell_job);
	put_flag(b, OPT_FILE_LOCKS, o->file_locks);
	put_flag(b, OPT_AUTO_DEDUP, o->auto_dedup);
	put_flag(b, OPT_LAZY_PAGES, o->lazy_pages);
	put_text(b, OPT_PARENT_IMG, o->parent_path);
	/* What has changed since is only known if it was watched. */
	put_flag(b, OPT_TRACK_MEM, s->action == CRIU_PRE_DUMP || o->parent_path);
	put_page_server(b, o);
	put_text(b, OPT_LSM_PROFILE, o->lsm_profile);
	put_text(b, OPT_LSM_MOUNT_CONTEXT, o->lsm_mount_context);
	protobuf_number(b, OPT_MANAGE_CGROUPS_MODE, o->cgroup_mode);
	if (o->empty_namespaces)
		protobuf_number(b, OPT_EMPTY_NS, o->empty_namespaces);
	if (o->status_fd >= 0)
		protobuf_int(b, OPT_STATUS_FD, o->status_fd);
}

static void put_opts(struct buf *b, const struct step_criu *s, const struct criu_runtime *now)
{
	/* Numbers of our own descriptors: criu opens them through /proc. */
	protobuf_int(b, OPT_IMAGES_DIR_FD, now->fd[SLOT_IMAGES]);
	protobuf_int(b, OPT_WORK_DIR_FD, now->fd[SLOT_WORK]);
	if (s->pid > 0)
		protobuf_int(b, OPT_PID, s->pid);
	protobuf_number(b, OPT_LOG_LEVEL, LOG_LEVEL);
	put_text(b, OPT_LOG_FILE, s->log_file);
	put_flag(b, OPT_NOTIFY_SCRIPTS, true);
	put_flag(b, OPT_ORPHAN_PTS_MASTER, true);
	/* The container becomes our child, not criu's. */
	put_flag(b, OPT_RST_SIBLING, s->action == CRIU_RESTORE);
	put_text(b, OPT_ROOT, s->root);
	put_text(b, OPT_FREEZE_CGROUP, s->freezer);
	put_options(b, s);
	put_pairs(b, OPT_EXT_MNT, s->mounts, s->n_mounts);
	put_pairs(b, OPT_JOIN_NS, s->joins, s->n_joins);
	put_pairs(b, OPT_CG_ROOT, now->cgroups, now->n_cgroups);
	for (size_t i = 0; i < s->n_externals; i++)
		protobuf_text(b, OPT_EXTERNAL, s->externals[i]);
	put_inherits(b, s, now);
}

void criu_request(const struct step_criu *s, const struct criu_runtime *now, struct buf *out)
{
	static const enum criu_type types[] = {
		[CRIU_DUMP] = CRIU_TYPE_DUMP,
		[CRIU_PRE_DUMP] = CRIU_TYPE_PRE_DUMP,
		[CRIU_RESTORE] = CRIU_TYPE_RESTORE,
	};
	_cleanup_buf_ struct buf opts = { 0 };

	put_opts(&opts, s, now);
	protobuf_number(out, REQ_TYPE, types[s->action]);
	put_part(out, REQ_OPTS, &opts);
}

void criu_request_version(struct buf *out)
{
	protobuf_number(out, REQ_TYPE, CRIU_TYPE_VERSION);
	protobuf_number(out, REQ_KEEP_OPEN, 1);
}

void criu_request_notified(bool success, struct buf *out)
{
	protobuf_number(out, REQ_TYPE, CRIU_TYPE_NOTIFY);
	protobuf_number(out, REQ_NOTIFY_SUCCESS, success);
}

/* ---- replies ----------------------------------------------------------------------------- */

/* criu_resp */
enum {
	RESP_TYPE = 1,
	RESP_SUCCESS = 2,
	RESP_RESTORE = 4,
	RESP_NOTIFY = 5,
	RESP_ERRNO = 7,
	RESP_ERRMSG = 9,
	RESP_VERSION = 10,
	RESP_KNOWN = 16,
};

static int take_number(const struct protobuf_field *f, uint64_t max, uint64_t *ret)
{
	if (f->type != PROTOBUF_NUMBER || f->value > max)
		return -EBADMSG;
	*ret = f->value;
	return 0;
}

/* A restore that failed has -1 here. What is no pid stays 0. */
static int take_pid(const struct protobuf_field *f, pid_t *ret)
{
	if (f->type != PROTOBUF_NUMBER)
		return -EBADMSG;
	if (f->value <= PID_MAX)
		*ret = (pid_t)f->value;
	return 0;
}

/* Letters, digits and dashes, whole: it is compared with names that we know. */
static int take_script(const struct protobuf_field *f, char *ret, size_t size)
{
	if (f->type != PROTOBUF_BYTES || f->len == 0 || f->len >= size)
		return -EBADMSG;
	for (size_t i = 0; i < f->len; i++)
		if (f->data[i] <= ' ' || f->data[i] > '~')
			return -EBADMSG;
	memcpy(ret, f->data, f->len);
	ret[f->len] = '\0';
	return 0;
}

/* For people: what a terminal could take for a command is not in it. */
static int take_message(const struct protobuf_field *f, char *ret, size_t size)
{
	size_t len = f->len < size ? f->len : size - 1;

	if (f->type != PROTOBUF_BYTES)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++)
		ret[i] = (char)(f->data[i] < ' ' || f->data[i] > '~' ? ' ' : f->data[i]);
	while (len > 0 && ret[len - 1] == ' ')
		len--;
	ret[len] = '\0';
	return 0;
}

/* criu_restore_resp { pid = 1 }, criu_notify { script = 1, pid = 2 } */
static int take_process(const struct protobuf_field *f, uint32_t pid_field, struct criu_reply *ret)
{
	struct protobuf_reader r = { f->data, f->data + f->len };
	struct protobuf_field part;
	int more = f->type == PROTOBUF_BYTES ? 1 : -EBADMSG, result = 0;

	while (more > 0 && (more = protobuf_next(&r, &part)) > 0) {
		if (part.number == pid_field)
			result = ret->pid ? -EBADMSG : take_pid(&part, &ret->pid);
		else if (part.number == 1)
			result = *ret->script
				     ? -EBADMSG
				     : take_script(&part, ret->script, sizeof(ret->script));
		if (result < 0)
			return result;
	}
	return more;
}

/* criu_version { major_number = 1, minor_number = 2, … } */
static int take_version(const struct protobuf_field *f, struct criu_reply *ret)
{
	struct protobuf_reader r = { f->data, f->data + f->len };
	struct protobuf_field part;
	uint64_t number[3] = { 0 };
	int more = f->type == PROTOBUF_BYTES ? 1 : -EBADMSG;

	while (more > 0 && (more = protobuf_next(&r, &part)) > 0)
		if (part.number <= 2 && take_number(&part, 1000000, &number[part.number]) < 0)
			return -EBADMSG;
	ret->major = (uint32_t)number[1];
	ret->minor = (uint32_t)number[2];
	return more;
}

static int take_errno(const struct protobuf_field *f, int32_t *ret)
{
	uint64_t code = 0;

	/* An int32: what does not look like an errno is none, and no reason to doubt the rest. */
	if (f->type != PROTOBUF_NUMBER)
		return -EBADMSG;
	code = f->value;
	*ret = code < 4096 ? (int32_t)code : 0;
	return 0;
}

static int take_field(const struct protobuf_field *f, struct criu_reply *ret)
{
	uint64_t number = 0;
	int r = 0;

	switch (f->number) {
	case RESP_TYPE:
		r = take_number(f, UINT32_MAX, &number);
		ret->type = (uint32_t)number;
		return r;
	case RESP_SUCCESS:
		r = take_number(f, 1, &number);
		ret->success = number;
		return r;
	case RESP_RESTORE:
		return take_process(f, 1, ret);
	case RESP_NOTIFY:
		return take_process(f, 2, ret);
	case RESP_ERRNO:
		return take_errno(f, &ret->error);
	case RESP_ERRMSG:
		return take_message(f, ret->message, sizeof(ret->message));
	case RESP_VERSION:
		return take_version(f, ret);
	default:
		return 0;
	}
}

int criu_reply_parse(const void *data, size_t len, struct criu_reply *ret)
{
	struct protobuf_reader r = { data, (const uint8_t *)data + len };
	const uint32_t required = 1U << RESP_TYPE | 1U << RESP_SUCCESS;
	struct criu_reply reply = { 0 };
	struct protobuf_field f;
	uint32_t seen = 0;
	int more;

	while ((more = protobuf_next(&r, &f)) > 0) {
		uint32_t bit = f.number < RESP_KNOWN ? 1U << f.number : 0;

		if ((seen & bit) || take_field(&f, &reply) < 0)
			return -EBADMSG;
		seen |= bit;
	}
	if (more < 0 || (seen & required) != required)
		return -EBADMSG;
	if (reply.type == CRIU_TYPE_RESTORE && reply.success && reply.pid == 0)
		return -EBADMSG;
	*ret = reply;
	return 0;
}
