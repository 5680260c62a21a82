/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Objects that the oldest libbpf skep builds with (1.1) would not open or load, though a newer
 * one does: what is changed in the image before it is opened, and set before it is loaded. A
 * newer libbpf finds nothing left to do. What was found of an object is kept beside it in this
 * process, because libbpf's callbacks have no argument of the caller's: one object at a time.
 */
#ifndef SKEP_CLI_ADAPT_H
#define SKEP_CLI_ADAPT_H

#include "cli/image.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

/* Tells libbpf the sections of sections.def. Earlier handlers go first (exceptions_find()). */
void register_sections(void);

/* --- struct_ops.c: which member of which kernel structure a program is for --- */

/* `hide`: libbpf is not to see the maps of .struct_ops sections. */
void struct_ops_find(struct image *image, bool hide);
/* Callback of libbpf's: sets what the program is for. */
int struct_ops_prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts,
		       long flags);

/* --- exception.c: programs that name their callback for bpf_throw() in a tag --- */

/* Makes libbpf append the callbacks. 0 or -ENOMEM. */
int exceptions_find(struct image *image);
void exceptions_forget(void);

/* --- arena.c: globals in an arena, 64-bit values of map_extra --- */

/* Whether there is something of which libbpf only sees an unknown field (relaxed_maps). */
bool arenas_find(struct image *image);
/* After the object was opened. */
void arenas_set(struct bpf_object *object);
/* Makes the arenas, on Linux at an address of this process. 0 or a negative errno. */
int arenas_make(struct bpf_object *object, bool on_linux);

#endif
