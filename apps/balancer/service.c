/* SPDX-License-Identifier: BSD-2-Clause */
#include "service.h"
#include "maglev.h"

#include "cli/output.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUMBER_NONE   UINT32_MAX
#define COUNTER_WORDS (sizeof(struct balancer_traffic) / sizeof(u64))

static int maps_failed(const struct app_run *run, int err)
{
	return usage_error("%s: tables cannot be made: %s", run->config_path, strerror(-err));
}

int service_prepare(struct app_run *run, const void *config)
{
	const struct balancer_config *balancer = config;

	return app_size_map(run, "flows4", balancer->connections)
		       ?: app_size_map(run, "flows6", balancer->connections);
}

/* --- numbers: what is the same before and after a reload keeps its own --- */

static bool same_vip(const struct vip *a, const struct vip *b)
{
	return config_same_address(&a->address, &b->address) && a->protocol == b->protocol &&
	       a->port == b->port;
}

static u32 vip_before(const struct balancer_config *old, const struct vip *vip)
{
	for (u32 i = 0; old && i < old->vip_count; i++)
		if (same_vip(&old->vips[i], vip))
			return i;
	return NUMBER_NONE;
}

static u32 backend_before(const struct balancer_config *old, u32 old_vip,
			  const struct backend *backend)
{
	if (old_vip == NUMBER_NONE)
		return NUMBER_NONE;
	for (u32 i = 0; i < old->vips[old_vip].count; i++) {
		const u32 place = old->vips[old_vip].first + i;

		if (config_same_address(&old->backends[place].address, &backend->address))
			return place;
	}
	return NUMBER_NONE;
}

/* What a configuration's places are to be called. */
struct numbers {
	u32 vips[VIPS_MAX], members[MEMBERS_MAX];
	bool is_new[MEMBERS_MAX];
};

static u32 next_free(bool *taken, u32 count)
{
	for (u32 i = 0; i < count; i++)
		if (!taken[i]) {
			taken[i] = true;
			return i;
		}
	return NUMBER_NONE;
}

/* False: both configurations together have more virtual addresses than there are numbers. */
static bool number_vips(const struct balancer *balancer, const struct balancer_config *old,
			const struct balancer_config *config, struct numbers *out)
{
	bool taken[VIPS_MAX] = {};

	for (u32 i = 0; old && i < old->vip_count; i++)
		taken[balancer->vip_numbers[i]] = true;
	for (u32 i = 0; i < config->vip_count; i++) {
		const u32 before = vip_before(old, &config->vips[i]);

		out->vips[i] = before == NUMBER_NONE ? next_free(taken, VIPS_MAX)
						     : balancer->vip_numbers[before];
		if (out->vips[i] == NUMBER_NONE)
			return false;
	}
	return true;
}

static void number_members(const struct balancer *balancer, const struct balancer_config *old,
			   const struct balancer_config *config, struct numbers *out)
{
	bool taken[MEMBERS_MAX] = {};

	for (u32 i = 0; old && i < old->backend_count; i++)
		taken[balancer->member_numbers[i]] = true;
	for (u32 i = 0; i < config->backend_count; i++) {
		const struct backend *backend = &config->backends[i];
		const u32 vip = vip_before(old, &config->vips[backend->vip]);
		const u32 before = backend_before(old, vip, backend);

		out->is_new[i] = before == NUMBER_NONE;
		out->members[i] = out->is_new[i] ? next_free(taken, MEMBERS_MAX)
						 : balancer->member_numbers[before];
	}
}

/* --- rings --- */

static int fill_ring(const struct balancer *balancer, const struct balancer_config *config,
		     const struct numbers *numbers, u32 vip, u32 *places)
{
	const struct vip *of = &config->vips[vip];
	struct maglev_member *members = calloc(of->count, sizeof(*members));
	int err;

	for (u32 i = 0; members && i < of->count; i++) {
		const struct backend *backend = &config->backends[of->first + i];
		const u32 number = numbers->members[of->first + i];
		const bool is_new = numbers->is_new[of->first + i];

		members[i] = (struct maglev_member){
			.name = backend->address.bytes,
			.name_size = backend->address.family == 4 ? 4 : 16,
			.weight = backend->weight,
			.is_usable = !backend->drains &&
				     (is_new || !balancer->members[number].is_down),
			.value = number,
		};
	}
	err = members ? maglev_fill(members, of->count, MEMBER_NONE, RING_SIZE, places)
		      : -ENOMEM;
	free(members);
	return err;
}

/* A map of the places; a negative errno. */
static int make_ring(const u32 *places)
{
	const int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "ring", sizeof(u32), sizeof(u32),
				      RING_SIZE, NULL);
	const int err = fd < 0 ? -errno : app_fill_array(fd, 0, places, RING_SIZE);

	if (err && fd >= 0)
		close(fd);
	return err ?: fd;
}

static int make_vip_ring(const struct balancer *balancer, const struct balancer_config *config,
			 const struct numbers *numbers, u32 vip)
{
	u32 *places = malloc(RING_SIZE * sizeof(*places));
	int ret = places ? fill_ring(balancer, config, numbers, vip, places) : -ENOMEM;

	ret = ret ?: make_ring(places);
	free(places);
	return ret;
}

static void close_rings(int *rings, u32 count)
{
	for (u32 i = 0; i < count; i++)
		close(rings[i]);
}

/* Of all virtual addresses; the caller closes them. 0 or a negative errno with none open. */
static int make_rings(const struct balancer *balancer, const struct balancer_config *config,
		      const struct numbers *numbers, int *out)
{
	for (u32 i = 0; i < config->vip_count; i++) {
		out[i] = make_vip_ring(balancer, config, numbers, i);
		if (out[i] < 0) {
			const int err = out[i];

			close_rings(out, i);
			return err;
		}
	}
	return 0;
}

/* --- into the maps --- */

static int put_member(const struct app_run *run, const struct backend *backend, u32 number,
		      u32 vip_number, bool is_alive)
{
	struct balancer_member member = {
		.family = backend->address.family,
		.is_alive = is_alive,
		.vip = (u16)vip_number,
	};

	memcpy(member.address, backend->address.bytes, sizeof(member.address));
	return bpf_map_update_elem(app_map(run, "members"), &number, &member, 0);
}

static int put_members(struct app_run *run, const struct balancer_config *config,
		       const struct numbers *numbers)
{
	struct balancer *balancer = run->own;
	int err = 0;

	for (u32 i = 0; i < config->backend_count && !err; i++) {
		const struct backend *backend = &config->backends[i];
		const u32 number = numbers->members[i];

		if (!numbers->is_new[i])
			continue;
		balancer->members[number] = (struct member){.fd = -1};
		err = app_clear_counter(run, COUNT_FIXED + number, COUNTER_WORDS);
		err = err
			      ?: put_member(run, backend, number, numbers->vips[backend->vip],
					    true);
	}
	return err;
}

/* Calls bpf() with the key of a virtual address: of its port, or of its echo requests. */
static int each_vip_key(const struct app_run *run, const struct vip *vip,
			const struct balancer_vip *value)
{
	const __be16 port = htons(vip->port);
	int err = 0;

	for (int echo = 0; echo < 2 && !err; echo++) {
		struct balancer_vip4 key4 = {.port = echo ? 0 : port,
					     .protocol = echo ? 0 : vip->protocol};
		struct balancer_vip6 key6 = {.port = key4.port, .protocol = key4.protocol};
		const bool is4 = vip->address.family == 4;
		const void *key = is4 ? (void *)&key4 : &key6;
		const int map = app_map(run, is4 ? "vips4" : "vips6");

		memcpy(is4 ? &key4.address : key6.address, vip->address.bytes, is4 ? 4 : 16);
		if (value)
			err = bpf_map_update_elem(map, key, value, BPF_ANY);
		else
			bpf_map_delete_elem(map, key);
	}
	return err;
}

static int put_vips(const struct app_run *run, const struct balancer_config *config,
		    const struct numbers *numbers, const int *rings)
{
	int err = 0;

	for (u32 i = 0; i < config->vip_count && !err; i++) {
		const struct balancer_vip vip = {(u16)numbers->vips[i],
						 config->vips[i].is_quic};
		const u32 number = numbers->vips[i];

		err = bpf_map_update_elem(app_map(run, "rings"), &number, &rings[i], 0);
		err = err ?: each_vip_key(run, &config->vips[i], &vip);
	}
	return err;
}

static int put_quic_ids(const struct app_run *run, const struct balancer_config *config,
			const struct numbers *numbers)
{
	int err = 0;

	for (u32 i = 0; i < config->backend_count && !err; i++) {
		const struct backend *backend = &config->backends[i];
		const struct balancer_quic key = {(u16)numbers->vips[backend->vip],
						  htons((u16)backend->quic_id)};

		if (backend->quic_id != QUIC_ID_NONE)
			err = bpf_map_update_elem(app_map(run, "quic_servers"), &key,
						  &numbers->members[i], BPF_ANY);
	}
	return err;
}

/* What the new configuration has no more. Echo requests go with an address's last port. */
static void remove_vips(const struct app_run *run, const struct balancer_config *old,
			const struct balancer_config *config)
{
	for (u32 i = 0; i < old->vip_count; i++)
		if (vip_before(config, &old->vips[i]) == NUMBER_NONE)
			each_vip_key(run, &old->vips[i], NULL);
}

static bool has_quic_id(const struct balancer_config *config, const struct numbers *numbers,
			u32 vip_number, u32 quic_id)
{
	for (u32 i = 0; i < config->backend_count; i++)
		if (config->backends[i].quic_id == quic_id &&
		    numbers->vips[config->backends[i].vip] == vip_number)
			return true;
	return false;
}

static bool has_member(const struct balancer_config *config, const struct numbers *numbers,
		       u32 number)
{
	for (u32 i = 0; i < config->backend_count; i++)
		if (numbers->members[i] == number)
			return true;
	return false;
}

static void remove_member(struct app_run *run, const struct backend *backend, u32 number,
			  u32 vip_number)
{
	struct balancer *balancer = run->own;

	put_member(run, backend, number, vip_number, false);
	if (balancer->members[number].fd >= 0)
		close(balancer->members[number].fd);
	balancer->members[number].fd = -1;
}

static void remove_backends(struct app_run *run, const struct balancer_config *old,
			    const struct balancer_config *config, const struct numbers *numbers)
{
	const struct balancer *balancer = run->own;

	for (u32 i = 0; i < old->backend_count; i++) {
		const struct backend *backend = &old->backends[i];
		const u32 vip_number = balancer->vip_numbers[backend->vip];
		const struct balancer_quic key = {(u16)vip_number,
						  htons((u16)backend->quic_id)};

		if (backend->quic_id != QUIC_ID_NONE &&
		    !has_quic_id(config, numbers, vip_number, backend->quic_id))
			bpf_map_delete_elem(app_map(run, "quic_servers"), &key);
		if (!has_member(config, numbers, balancer->member_numbers[i]))
			remove_member(run, backend, balancer->member_numbers[i], vip_number);
	}
}

/* What may fail comes first. */
static int put_all(struct app_run *run, const struct balancer_config *old,
		   const struct balancer_config *config, const struct numbers *numbers)
{
	struct balancer *balancer = run->own;
	int rings[VIPS_MAX], err = make_rings(balancer, config, numbers, rings);

	if (err)
		return err;
	err = put_members(run, config, numbers);
	if (!err) {
		app_turn(run, &config->setup, sizeof(config->setup));
		if (old)
			remove_vips(run, old, config);
		err = put_vips(run, config, numbers, rings);
		err = err ?: put_quic_ids(run, config, numbers);
		if (old)
			remove_backends(run, old, config, numbers);
		memcpy(balancer->vip_numbers, numbers->vips, sizeof(numbers->vips));
		memcpy(balancer->member_numbers, numbers->members, sizeof(numbers->members));
	}
	close_rings(rings, config->vip_count);
	return err;
}

int service_apply(struct app_run *run, const void *config)
{
	const struct balancer_config *new = config;
	const struct balancer_config *old = run->config == config ? NULL : run->config;
	struct numbers *numbers;
	int code;

	if (old && old->connections != new->connections)
		return usage_error(
			"%s: 'connections' cannot change while packets flow; expected "
			"%u",
			run->config_path, old->connections);
	numbers = calloc(1, sizeof(*numbers));
	if (!numbers)
		return maps_failed(run, -ENOMEM);
	if (!number_vips(run->own, old, new, numbers)) {
		code = usage_error("%s: more than %d virtual addresses, those that go counted",
				   run->config_path, VIPS_MAX);
	} else {
		number_members(run->own, old, new, numbers);
		code = put_all(run, old, new, numbers);
		code = code ? maps_failed(run, code) : 0;
	}
	free(numbers);
	return code;
}

/* --- when a backend comes or goes --- */

int service_turn_ring(struct app_run *run, u32 vip)
{
	const struct balancer *balancer = run->own;
	struct numbers *numbers = calloc(1, sizeof(*numbers));
	const u32 number = balancer->vip_numbers[vip];
	int err, fd = -ENOMEM;

	if (numbers) {
		memcpy(numbers->members, balancer->member_numbers, sizeof(numbers->members));
		fd = make_vip_ring(balancer, run->config, numbers, vip);
	}
	free(numbers);
	err = fd < 0 ? fd : bpf_map_update_elem(app_map(run, "rings"), &number, &fd, 0);
	if (fd >= 0)
		close(fd);
	return err ? maps_failed(run, err) : 0;
}

void service_set_alive(struct app_run *run, u32 backend, bool is_alive)
{
	const struct balancer_config *config = run->config;
	const struct balancer *balancer = run->own;

	put_member(run, &config->backends[backend], balancer->member_numbers[backend],
		   balancer->vip_numbers[config->backends[backend].vip], is_alive);
}
