/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A network function: an object with XDP or tc programs, and the control part in this process
 * that reads a configuration, puts it into the object's maps, works on them while packets flow,
 * and shows what happened. `skep app` (app.c) opens, loads, attaches and moves packets on
 * either target, so that a control part knows of none: it uses libbpf's calls on maps.
 *
 * A configuration is an immutable product of a file: a reload (SIGHUP) makes a new one, which
 * takes the place of the old one when the whole file was read and put into the maps.
 */
#ifndef SKEP_CLI_APP_H
#define SKEP_CLI_APP_H

#include "cli/attach.h"
#include "cli/config.h"
#include <pthread.h>

struct app;

struct app_run {
	const struct app *app;
	struct session session; /* its object */
	struct attachments attachments;
	const char *config_path; /* NULL: none was given */
	bool is_dry;		 /* --dry-run */
	void *config;		 /* the one in force */
	void *own;		 /* `own_size` bytes of the app's, zero at first */
	u32 generation;		 /* of the program's sides; 0: no configuration is in force */
	pthread_mutex_t lock;	 /* held by work(), show() and reloads */
};

/* Functions return 0, or an exit code after a message. Those that are NULL do nothing. */
struct app {
	const struct config_row *rows; /* the file's statements */
	u32 row_count;
	bool needs_config;  /* it can do nothing without a file */
	bool takes_port;    /* what stands behind its name is a port, not a file */
	bool owns_terminal; /* it draws on it while packets flow */
	size_t config_size, own_size;
	/* The numbers that hold when the file says nothing; then, behind its last line, what
	 * the lines must be together. `config` is zero at first. */
	void (*config_init)(void *config);
	int (*config_check)(void *config, const char *path);
	void (*config_done)(void *config);
	/* The object is open: sizes of maps, globals. */
	int (*prepare)(struct app_run *run, const void *config);
	/* It is loaded, and later at each reload, while packets flow and from another thread
	 * than work()'s: `config` into the maps, all or nothing. */
	int (*apply)(struct app_run *run, const void *config);
	/* Every `work_ns` while packets flow, on the thread of reloads. */
	u64 work_ns;
	int (*work)(struct app_run *run);
	/* When no more packets come, behind the last work(). */
	void (*end)(struct app_run *run);
	/* At --interval, and at the end behind the ports. Never together with the others. */
	void (*show)(struct app_run *run);
	void (*done)(struct app_run *run);
	/* Without a port, on what another process has pinned (--pin-dir). */
	int (*alone)(struct app_run *run);
};

/* --- app_maps.c: the object's maps and globals. Programs that drop have `is_dry`, which is
 * set. ---
 */

/* The descriptor of a map of the object. */
int app_map(const struct app_run *run, const char *name);
/* Before the object is loaded: how many entries a map has room for. 0 or an exit code. */
int app_size_map(struct app_run *run, const char *name, u32 entries);
/* Many elements at once; of an array, those from `first` on. 0 or a negative errno. */
int app_fill(int fd, const void *keys, const void *values, u32 count);
int app_fill_array(int fd, u32 first, const void *values, u32 count);
/* The bytes of a global variable of that size; when the object is loaded, those that its
 * programs see. NULL: there is no such variable. */
void *app_global(struct app_run *run, const char *name, size_t size);

/* An entry of "counters", an array with values per CPU of `words` numbers each: their sums over
 * all CPUs, 0 when they cannot be read; and the entry set to 0 (0 or a negative errno). */
void app_read_counter(const struct app_run *run, u32 counter, u64 *out, u32 words);
int app_clear_counter(const struct app_run *run, u32 counter, u32 words);

/* Tables are there twice: the lowest bit of the programs' `generation` says which side and
 * which of `setups` hold. The side to be filled; and, when it is, it takes the other's place.
 */
u32 app_next_side(const struct app_run *run);
void app_turn(struct app_run *run, const void *setup, size_t size);

#endif
