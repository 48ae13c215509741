/*
 * commands.h - the commands and their options, for the tables of the programs.
 */
#pragma once

#include "cli/cli.h"

extern const struct option_row start_options[], run_options[], plan_options[], exec_options[],
    kill_options[], delete_options[], list_options[], ps_options[], spec_options[], no_options[],
    update_options[], events_options[], checkpoint_options[], restore_options[], criu_options[];

/* For people: the flags of docker and podman. */
extern const struct option_row people_options[], people_run_options[], people_plan_options[];
extern const struct option_row people_stop_options[], people_kill_options[], people_pause_options[],
    people_wait_options[], people_rm_options[], people_ps_options[], people_exec_options[],
    people_logs_options[], people_inspect_options[];
extern const struct option_row profile_options[], info_options[], doctor_options[], stats_options[],
    top_options[];

/* Puts the flags of the preset that --secure names before those of argv[i …]. */
int run_preset(struct cli *cli, int i);
int people_run(struct cli *cli);
int people_plan(struct cli *cli);
int people_state(struct cli *cli);
int people_stop(struct cli *cli);
int people_kill(struct cli *cli);
int people_rm(struct cli *cli);
int people_pause(struct cli *cli);
int people_unpause(struct cli *cli);
int people_wait(struct cli *cli);
int people_ps(struct cli *cli);
int people_exec(struct cli *cli);
int people_logs(struct cli *cli);
int people_inspect(struct cli *cli);
int cmd_profile(struct cli *cli);
int cmd_info(struct cli *cli);
int cmd_doctor(struct cli *cli);
int cmd_stats(struct cli *cli);
int cmd_top(struct cli *cli);
int cmd_selinux(struct cli *cli);

int cmd_create(struct cli *cli);
int cmd_run(struct cli *cli);
int cmd_plan(struct cli *cli);
int cmd_exec(struct cli *cli);
int cmd_start(struct cli *cli);
int cmd_kill(struct cli *cli);
int cmd_delete(struct cli *cli);
int cmd_pause(struct cli *cli);
int cmd_resume(struct cli *cli);
int cmd_state(struct cli *cli);
int cmd_list(struct cli *cli);
int cmd_ps(struct cli *cli);
int cmd_update(struct cli *cli);
int cmd_events(struct cli *cli);
int cmd_checkpoint(struct cli *cli);
int cmd_restore(struct cli *cli);
int cmd_spec(struct cli *cli);
int cmd_features(struct cli *cli);
