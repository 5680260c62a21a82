/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration as virtual addresses and members, and how they get into the program's maps.
 */
#ifndef BALANCER_SERVICE_H
#define BALANCER_SERVICE_H

#include "balancer.h"

#include "cli/app.h"

#define QUIC_ID_NONE   UINT32_MAX
#define CHECK_PATH_MAX 255

enum check_kind { CHECK_NONE, CHECK_TCP, CHECK_HTTP };

struct check {
	u32 kind;
	u16 port;
	char path[CHECK_PATH_MAX + 1];
};

struct vip {
	struct config_address address;
	u8 protocol;
	u16 port; /* 0: any */
	bool is_quic;
	struct check check;
	u32 first, count; /* of its backends */
	u32 line;
};

struct backend {
	struct config_address address;
	u32 vip; /* its place in the configuration */
	u32 weight;
	u32 quic_id;
	bool drains;
};

struct timing {
	u64 every_ms, timeout_ms, fall, rise;
};

struct balancer_config {
	struct balancer_setup setup;
	struct timing timing;
	u32 connections;
	struct vip vips[VIPS_MAX];
	u32 vip_count;
	struct backend backends[MEMBERS_MAX];
	u32 backend_count;
	bool has_source[2]; /* of IPv4, of IPv6 */
};

/* What the run knows of a member, by its number. */
struct member {
	bool is_down;
	u32 streak; /* answers that speak against is_down */
	int fd;	    /* of a check under way; -1: none */
	bool has_asked;
	u64 deadline_ns;
};

struct balancer {
	u64 next_check_ns;
	u32 vip_numbers[VIPS_MAX]; /* of the configuration's, by place */
	u32 member_numbers[MEMBERS_MAX];
	struct member members[MEMBERS_MAX];
};


int service_prepare(struct app_run *run, const void *config);
int service_apply(struct app_run *run, const void *config);
/* After a member came or went: new connections go by another ring. 0 or an exit code. */
int service_turn_ring(struct app_run *run, u32 vip);
/* Its connections go elsewhere, or may come again. */
void service_set_alive(struct app_run *run, u32 backend, bool is_alive);

/* Asks all backends whose time has come; an app's work(). */
int health_work(struct app_run *run);
void health_done(struct app_run *run);

#endif
