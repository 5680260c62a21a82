/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libxdp, and the libbpf that it brings, as far as AF_XDP needs them. They are opened when the
 * first port asks for them: skep runs without, and its own libbpf, where it has one, speaks to
 * an engine and not to the kernel.
 */
#ifndef SKEP_NET_XSK_LIBRARY_H
#define SKEP_NET_XSK_LIBRARY_H

#include "base/types.h"
#include <bpf/bpf.h>
#include <skep/error.h>
#include <xdp/xsk.h>

struct xsk_library {
#define FUNCTION(name) __typeof__(name) *name;
#define XSK_FUNCTIONS                \
	FUNCTION(xsk_umem__create)   \
	FUNCTION(xsk_umem__delete)   \
	FUNCTION(xsk_socket__create) \
	FUNCTION(xsk_socket__delete) \
	FUNCTION(xsk_socket__fd)
#define BPF_FUNCTIONS                 \
	FUNCTION(bpf_map_create)      \
	FUNCTION(bpf_map_update_elem) \
	FUNCTION(bpf_prog_load)       \
	FUNCTION(bpf_link_create)
	XSK_FUNCTIONS
	BPF_FUNCTIONS
#undef FUNCTION
};

/* Stays open until the process ends. NULL: `err` says what is missing. Any thread. */
const struct xsk_library *xsk_library(struct skep_error *err);

#endif
