/*
 * rows.h - what tables of options are made of: where a value goes, and the rows of more than one
 * command.
 */
#pragma once

#include <stddef.h>

#include "cli/cli.h"

#define AT(member) offsetof(struct options, member)

#define ROW_BUNDLE                                                                                 \
	{                                                                                          \
		"bundle", 'b', OPTION_TEXT, AT(bundle), "dir",                                     \
		    "directory with config.json and the root file system (here)"                   \
	}

#define ROW_CONSOLE_SOCKET                                                                         \
	{                                                                                          \
		"console-socket", 0, OPTION_TEXT, AT(console_socket), "path",                      \
		    "Unix socket that gets the terminal's master"                                  \
	}

#define ROW_PID_FILE                                                                               \
	{                                                                                          \
		"pid-file", 0, OPTION_TEXT, AT(pid_file), "path",                                  \
		    "file to write the process id to"                                              \
	}

#define ROW_PIDFD_SOCKET                                                                           \
	{                                                                                          \
		"pidfd-socket", 0, OPTION_TEXT, AT(pidfd_socket), "path",                          \
		    "Unix socket that gets a pidfd of the process"                                 \
	}

#define ROW_NO_SUBREAPER                                                                           \
	{                                                                                          \
		"no-subreaper", 0, OPTION_FLAG, AT(no_subreaper), NULL,                            \
		    "do not adopt processes whose parent ends"                                     \
	}
