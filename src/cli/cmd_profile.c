/*
 * cmd_profile.c - profile: the seccomp profiles, shown, compared, checked and compiled.
 *
 * A profile is named as for `--security-opt seccomp=`: built in, a file, and changed by edits.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cli/commands.h"
#include "cli/profile.h"
#include "cli/rows.h"
#include "host/facts.h"
#include "seccomp/edit.h"
#include "seccomp/render.h"
#include "spec/names.h"

const struct option_row profile_options[] = {
	{ "format", 'f', OPTION_TEXT, AT(format), "format",
	  "show: table (default), json, oci, bpf; else text or json" },
	{ "arch", 0, OPTION_TEXT, AT(arch), "name", "of the host that the filter is for" },
	{ "cap", 'c', OPTION_LIST, AT(caps), "capability",
	  "what the container has; again for more" },
	{ "output", 'o', OPTION_TEXT, AT(output), "file", "compile: where the filter goes" },
	{ 0 },
};

/* ---- what the options say ----------------------------------------------------------------- */

/* x86_64 and aarch64 as uname has them, amd64 and arm64 as Docker, or libseccomp's names. */
static int parse_arch(struct cli *cli, const struct seccomp_arch **ret)
{
	const char *name = cli->o.arch;

	*ret = arch_native();
	for (unsigned int i = 0; name && arch_at(i); i++) {
		const struct seccomp_arch *arch = arch_at(i);

		*ret = arch;
		if (strcasecmp(arch->name, name) == 0 ||
		    strcasecmp(arch->name + strlen("SCMP_ARCH_"), name) == 0 ||
		    (arch->docker && strcmp(arch->docker, name) == 0))
			return 0;
	}
	if (!name)
		return 0;
	(void)err_say(&cli->err, -EINVAL, "--arch %.100s: there is no such architecture", name);
	return err_hint(&cli->err,
			"names are those of uname, Docker or libseccomp, such as x86_64, "
			"arm64 or SCMP_ARCH_S390X");
}

static int parse_caps(struct cli *cli, uint64_t *ret)
{
	uint64_t caps = 0;

	for (size_t i = 0; i < cli->o.caps.n; i++) {
		const char *word = cli->o.caps.v[i];
		const struct spec_name *cap = spec_capability_names;

		while (cap->name && strcasecmp(cap->name, word) != 0 &&
		       strcasecmp(cap->name + strlen("CAP_"), word) != 0)
			cap++;
		if (!cap->name && strcasecmp(word, "all") != 0) {
			(void)err_say(&cli->err, -EINVAL,
				      "--cap %.100s: there is no such capability", word);
			return err_hint(&cli->err, "names are those of capabilities(7), such as "
						   "CAP_NET_RAW, or ALL");
		}
		caps |= cap->name ? 1ULL << cap->value : ~0ULL;
	}
	*ret = caps;
	return 0;
}

static void warn_unknown(void *data, const char *name)
{
	const struct cli *cli = data;
	_cleanup_buf_ struct buf text = { 0 };
	char shown[JSON_SHOWN_SIZE];

	json_show_text(name, shown);
	buf_printf(&text, "the profile has a rule for %s, which is no system call", shown);
	cli_warn(cli, buf_text(&text));
}

static int read_env(struct cli *cli, struct seccomp_env *ret)
{
	struct seccomp_env env = { 0 };
	struct facts facts;
	int r = facts_read(0, &cli->arena, &facts, &cli->err);

	if (r == 0)
		r = parse_arch(cli, &env.native);
	if (r == 0)
		r = parse_caps(cli, &env.caps);
	if (r < 0)
		return r;
	env.kernel_major = facts.kernel_major;
	env.kernel_minor = facts.kernel_minor;
	*ret = env;
	return 0;
}

/* ---- profiles ----------------------------------------------------------------------------- */

static int resolve(struct cli *cli, const char *text, struct spec_seccomp *ret)
{
	bool is_unconfined = false;
	int r = profile_resolve(text, &cli->arena, ret, &is_unconfined, &cli->err);

	if (r == 0 && is_unconfined)
		r = profile_open(&cli->arena, ret, &cli->err);
	return r;
}

static int compile(struct cli *cli, const char *text, struct buf *out)
{
	struct spec_seccomp profile;
	struct seccomp_program program;
	struct seccomp_env env;
	int r = read_env(cli, &env);

	if (r == 0)
		r = resolve(cli, text, &profile);
	if (r < 0)
		return r;
	env.unknown = warn_unknown;
	env.unknown_data = cli;
	r = seccomp_compile(&profile, &env, &cli->arena, &program, &cli->err);
	if (r < 0)
		return r;
	if (program.needs_listener)
		cli_warn(cli, "calls with SCMP_ACT_NOTIFY get ENOSYS where the filter is loaded "
			      "without a listener");
	profile_print_bpf(&program, env.native, out);
	return 0;
}

/* ---- sub-commands ------------------------------------------------------------------------- */

static int list(struct cli *cli, char *const *args)
{
	_cleanup_buf_ struct buf out = { 0 };
	bool json = false;
	int r = cli_format(cli, "text", &json);

	(void)args;
	if (r < 0)
		return r;
	profile_print_list(json, &out);
	return cli_print(cli, &out);
}

static int show_table(struct cli *cli, const char *text, struct buf *out)
{
	struct spec_seccomp profile;
	struct seccomp_env env;
	struct survey survey;
	int r = read_env(cli, &env);

	if (r == 0)
		r = resolve(cli, text, &profile);
	if (r == 0)
		r = survey_make(&profile, &env, &cli->arena, &survey, &cli->err);
	return r < 0 ? r : profile_table(&survey, &cli->arena, out, &cli->err);
}

/* Whether the text stands for a JSON text that somebody wrote. */
static bool is_written(const char *text)
{
	return !profile_edits(text) && strcmp(text, "unconfined") != 0;
}

/* Reads once: the file may be a pipe. */
static int read_written(struct cli *cli, const char *name, struct spec_source *ret_source,
			struct spec_seccomp *ret)
{
	int r = profile_text(name, &cli->arena, ret_source, &cli->err);

	return r < 0 ? r : spec_read_seccomp(ret_source, &cli->arena, ret, &cli->err);
}

/* A profile that was not edited is shown as it was written, for who wants to write one. */
static int show_json(struct cli *cli, const char *text, struct buf *out)
{
	struct spec_source source;
	struct spec_seccomp profile;
	int r;

	if (is_written(text)) {
		r = read_written(cli, text, &source, &profile);
		if (r == 0)
			buf_add(out, source.text, source.len);
		return r;
	}
	r = resolve(cli, text, &profile);
	if (r == 0)
		profile_render_json(&profile, out);
	return r;
}

/* linux.seccomp of a config.json: without conditions, for --cap and --arch. */
static int show_oci(struct cli *cli, const char *text, struct buf *out)
{
	struct spec_seccomp profile, flat;
	struct seccomp_env env;
	int r = read_env(cli, &env);

	if (r == 0)
		r = resolve(cli, text, &profile);
	if (r == 0)
		r = profile_flatten(&profile, &env, &cli->arena, &flat, &cli->err);
	if (r == 0)
		profile_render_json(&flat, out);
	return r;
}

static int show_bpf(struct cli *cli, const char *text, struct buf *out)
{
	if (isatty(STDOUT_FILENO)) {
		(void)err_say(&cli->err, -EINVAL, "BPF is not for terminals");
		return err_hint(&cli->err, "redirect it: %s profile show %.100s --format bpf >FILE",
				cli->program->name, text);
	}
	return compile(cli, text, out);
}

static int show(struct cli *cli, char *const *args)
{
	static const struct {
		const char *name;
		int (*show)(struct cli *cli, const char *text, struct buf *out);
	} formats[] = {
		{ "table", show_table },
		{ "json", show_json },
		{ "oci", show_oci },
		{ "bpf", show_bpf },
	};
	const char *format = cli->o.format ? cli->o.format : "table";
	_cleanup_buf_ struct buf out = { 0 };

	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, format) == 0) {
			int r = formats[i].show(cli, args[0], &out);

			return r < 0 ? r : cli_print(cli, &out);
		}
	return err_say(&cli->err, -EINVAL, "--format %.100s: expected table, json, oci or bpf",
		       format);
}

static int survey(struct cli *cli, const char *text, const struct seccomp_env *env,
		  struct survey *ret)
{
	struct spec_seccomp profile;
	int r = resolve(cli, text, &profile);

	return r < 0 ? r : survey_make(&profile, env, &cli->arena, ret, &cli->err);
}

static int diff(struct cli *cli, char *const *args)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct profile_diff found = { 0 };
	struct survey a, b;
	struct seccomp_env env;
	bool json = false;
	int r = cli_format(cli, "text", &json);

	if (r == 0)
		r = read_env(cli, &env);
	if (r == 0)
		r = survey(cli, args[0], &env, &a);
	if (r == 0)
		r = survey(cli, args[1], &env, &b);
	if (r == 0)
		r = profile_compare(&a, &b, &cli->arena, &found, &cli->err);
	if (r < 0)
		return r;
	profile_print_diff(&found, json, &out);
	r = cli_print(cli, &out);
	return r < 0 ? r : found.n > 0;
}

/* *ret_doc keeps the positions; it is left alone where the profile is no text of its own. */
static int read_for_lint(struct cli *cli, const char *text, struct spec_seccomp *ret,
			 struct json_doc *ret_doc)
{
	struct spec_source source;
	int r;

	if (!is_written(text))
		return resolve(cli, text, ret);
	r = read_written(cli, text, &source, ret);
	if (r == 0)
		r = json_parse(ret_doc, source.name, source.text, source.len, &cli->arena,
			       &cli->err);
	return r;
}

static int check(struct cli *cli, char *const *args)
{
	_cleanup_buf_ struct buf out = { 0 };
	struct spec_seccomp profile;
	struct json_doc doc = { 0 };
	struct seccomp_env env;
	struct lint found;
	size_t warnings;
	bool json = false;
	int r = cli_format(cli, "text", &json);

	if (r == 0)
		r = read_env(cli, &env);
	if (r == 0)
		r = read_for_lint(cli, args[0], &profile, &doc);
	if (r == 0)
		r = lint_profile(&profile, &env, &cli->arena, &found, &cli->err);
	if (r < 0)
		return r;
	warnings = profile_print_lint(&found, doc.n > 0 ? &doc : NULL, json, &out);
	r = cli_print(cli, &out);
	return r < 0 ? r : warnings > 0;
}

static int write_file(struct cli *cli, const char *path, const struct buf *text)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	size_t done = 0;

	if (fd < 0)
		return err_set(&cli->err, -errno, "open %s", path);
	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);

		if (n < 0 && errno != EINTR)
			return err_set(&cli->err, -errno, "write %s", path);
		done += n > 0 ? (size_t)n : 0;
	}
	if (close(take_fd(&fd)) < 0)
		return err_set(&cli->err, -errno, "write %s", path);
	return 0;
}

static int compile_to(struct cli *cli, char *const *args)
{
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	if (!cli->o.output)
		return err_say(&cli->err, -EINVAL,
			       "\"profile compile\" requires -o FILE, - for standard output");
	r = compile(cli, args[0], &out);
	if (r < 0)
		return r;
	if (out.failed)
		return err_set(&cli->err, -ENOMEM, "write the filter");
	return strcmp(cli->o.output, "-") == 0 ? cli_print(cli, &out)
					       : write_file(cli, cli->o.output, &out);
}

static const struct {
	const char *name, *args;
	size_t n_args;
	int (*run)(struct cli *cli, char *const *args);
} commands[] = {
	{ "list", "", 0, list },
	{ "show", " PROFILE", 1, show },
	{ "diff", " PROFILE PROFILE", 2, diff },
	{ "lint", " PROFILE", 1, check },
	{ "compile", " PROFILE -o FILE", 1, compile_to },
};

int cmd_profile(struct cli *cli)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, cli->args.v[0]) != 0)
			continue;
		if (cli->args.n == commands[i].n_args + 1)
			return commands[i].run(cli, cli->args.v + 1);
		return err_say(&cli->err, -EINVAL, "usage: %s profile %s%s", cli->program->name,
			       commands[i].name, commands[i].args);
	}
	(void)err_say(&cli->err, -EINVAL, "unknown command \"profile %.100s\"", cli->args.v[0]);
	return err_hint(&cli->err, "there are list, show, diff, lint and compile");
}
