/* SPDX-License-Identifier: BSD-2-Clause */
/* Helpers on maps, time, tasks, memory, control and redirects. */
#include "base/os.h"
#include "catalog/ctx.h"
#include "helper/kernel_task.h"
#include "map/map.h"
#include "tests/helper/linux_call.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#ifndef ENOTSUPP
#define ENOTSUPP 524
#endif

static const struct run_env env;

static u64 call(struct run_context *run, u32 id, u64 r1, u64 r2, u64 r3, u64 r4, u64 r5)
{
	return helper_body(id)(r1, r2, r3, r4, r5, run);
}

static struct map *make_map(u32 type, u32 key_size, u32 value_size, u32 entries)
{
	const struct map_desc desc = {.type = type,
				      .key_size = key_size,
				      .value_size = value_size,
				      .max_entries = entries};
	struct skep_error err;
	struct map *map;

	assert_int_equal(map_new(&desc, NULL, 2, &map, &err), 0);
	return map;
}

static void every_body_belongs_to_a_helper(void **state)
{
	u32 count = 0;

	for (u32 id = 0; id < 1000; id++)
		count += helper_body(id) != NULL;
	assert_in_range(count, 150, 211);
	assert_null(helper_body(0));
	assert_null(helper_body(BPF_FUNC_tail_call));
	assert_null(helper_body(UINT32_MAX));
}

static void absent_facilities_answer(void **state)
{
	static const struct {
		u32 id;
		s64 want;
		u32 memory;
	} rows[] = {
#define ABSENT(name, result, memory) {BPF_FUNC_##name, result, memory},
#include "helper/absent.def"
	};
	struct run_context run = {.env = &env};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 args[6] = {0}, bytes[2] = {~0ull, ~0ull};

		if (rows[i].memory) {
			args[rows[i].memory] = ptr_to_u64(bytes);
			args[rows[i].memory + 1] = sizeof(bytes[0]);
		}
		if ((s64)call(&run, rows[i].id, args[1], args[2], args[3], args[4], args[5]) !=
		    rows[i].want)
			fail_msg("helper %u", rows[i].id);
		if (bytes[0] != (rows[i].memory ? 0 : ~0ull) || bytes[1] != ~0ull)
			fail_msg("helper %u: memory", rows[i].id);
	}
}

/* What only a hook can tell and hear. */
static void events_are_told_and_answered(void **state)
{
	const struct bpf_perf_event_value counter = {1, 2, 3};
	struct bpf_perf_event_value value = {9, 9, 9};
	u64 context[] = {10, 11, 12}, out = 7;
	const u64 ctx = ptr_to_u64(context), o = ptr_to_u64(&out), v = ptr_to_u64(&value);
	struct run_context run = {.env = &env, .event = {.cookie = 5, .function = 0x1234}};

	assert_int_equal(call(&run, BPF_FUNC_get_attach_cookie, ctx, 0, 0, 0, 0), 5);
	assert_int_equal(call(&run, BPF_FUNC_get_func_ip, ctx, 0, 0, 0, 0), 0x1234);
	assert_int_equal(call(&run, BPF_FUNC_get_func_arg, ctx, 0, o, 0, 0), -EINVAL);
	assert_int_equal(call(&run, BPF_FUNC_get_func_ret, ctx, o, 0, 0, 0), -EOPNOTSUPP);
	assert_int_equal(out, 7);
	run.event.arg_cnt = 2;
	run.event.has_result = true;
	assert_int_equal(call(&run, BPF_FUNC_get_func_arg_cnt, ctx, 0, 0, 0, 0), 2);
	assert_int_equal(call(&run, BPF_FUNC_get_func_arg, ctx, 1, o, 0, 0), 0);
	assert_int_equal(out, 11);
	assert_int_equal(call(&run, BPF_FUNC_get_func_arg, ctx, 2, o, 0, 0), -EINVAL);
	assert_int_equal(call(&run, BPF_FUNC_get_func_ret, ctx, o, 0, 0, 0), 0);
	assert_int_equal(out, 12);

	run.event.retval = -EPERM;
	assert_int_equal(call(&run, BPF_FUNC_get_retval, 0, 0, 0, 0, 0), -EPERM);
	assert_int_equal(call(&run, BPF_FUNC_set_retval, -EACCES, 0, 0, 0, 0), 0);
	assert_int_equal(run.event.retval, -EACCES);
	assert_int_equal(call(&run, BPF_FUNC_override_return, ctx, -ENOMEM, 0, 0, 0), 0);
	assert_true(run.event.is_overridden && run.event.override == (u64)-ENOMEM);

	assert_int_equal(call(&run, BPF_FUNC_perf_prog_read_value, ctx, v, sizeof(value), 0, 0),
			 -EOPNOTSUPP);
	assert_int_equal(value.counter | value.enabled | value.running, 0);
	run.event.counter = &counter;
	assert_int_equal(call(&run, BPF_FUNC_perf_prog_read_value, ctx, v, sizeof(value), 0, 0),
			 0);
	assert_memory_equal(&value, &counter, sizeof(value));
	assert_int_equal(call(&run, BPF_FUNC_perf_prog_read_value, ctx, v, 8, 0, 0), -EINVAL);
	assert_int_equal(value.counter, 0);
	assert_int_equal(value.enabled, 2);
}

static void memory_of_the_process_is_written(void **state)
{
	struct kernel_world *world = kernel_world_new(&env);
	void *task = kernel_task(world, getpid());
	struct run_context run = {.env = &env};
	char from[4] = "new", to[4] = "old";
	u64 f = ptr_to_u64(from), t = ptr_to_u64(to), self = ptr_to_u64(task);

	assert_int_equal(call(&run, BPF_FUNC_probe_write_user, t, f, 3, 0, 0), 0);
	assert_string_equal(to, "new");
	assert_int_equal(call(&run, BPF_FUNC_probe_write_user, 8, f, 3, 0, 0), -EFAULT);
	strcpy(from, "mid");
	assert_int_equal(call(&run, BPF_FUNC_copy_from_user_task, t, 3, f, self, 0), 0);
	assert_string_equal(to, "mid");
	assert_int_equal(call(&run, BPF_FUNC_copy_from_user_task, t, 3, f, self, 1), -EINVAL);
	assert_int_equal(to[0] | to[1] | to[2], 0);
	kernel_put(task);
	kernel_world_free(world);
}

static void elements_are_found_changed_and_deleted(void **state)
{
	struct run_context run = {.env = &env, .slot = 1};
	struct map *hash = make_map(BPF_MAP_TYPE_HASH, 4, 8, 4);
	struct map *queue = make_map(BPF_MAP_TYPE_QUEUE, 0, 8, 1);
	u64 map = ptr_to_u64(hash), fifo = ptr_to_u64(queue);
	u64 key = 7, value = 0x1122, out = 0;
	u64 k = ptr_to_u64(&key), v = ptr_to_u64(&value), o = ptr_to_u64(&out);

	rcu_read_lock();
	assert_int_equal(call(&run, BPF_FUNC_map_lookup_elem, map, k, 0, 0, 0), 0);
	assert_int_equal(call(&run, BPF_FUNC_map_update_elem, map, k, v, BPF_EXIST, 0),
			 -ENOENT);
	assert_int_equal(call(&run, BPF_FUNC_map_update_elem, map, k, v, BPF_ANY, 0), 0);
	assert_int_equal(
		*(u64 *)u64_to_ptr(call(&run, BPF_FUNC_map_lookup_elem, map, k, 0, 0, 0)),
		value);
	assert_int_equal(call(&run, BPF_FUNC_map_delete_elem, map, k, 0, 0, 0), 0);
	assert_int_equal(call(&run, BPF_FUNC_map_delete_elem, map, k, 0, 0, 0), -ENOENT);

	assert_int_equal(call(&run, BPF_FUNC_map_pop_elem, fifo, o, 0, 0, 0), -ENOENT);
	assert_int_equal(call(&run, BPF_FUNC_map_push_elem, fifo, v, 0, 0, 0), 0);
	assert_int_equal(call(&run, BPF_FUNC_map_push_elem, fifo, v, 0, 0, 0), -E2BIG);
	assert_int_equal(call(&run, BPF_FUNC_map_peek_elem, fifo, o, 0, 0, 0), 0);
	assert_int_equal(out, value);
	assert_int_equal(call(&run, BPF_FUNC_map_pop_elem, fifo, o, 0, 0, 0), 0);
	rcu_read_unlock();
	object_put(&hash->object);
	object_put(&queue->object);
}

static void per_cpu_values_belong_to_the_slot(void **state)
{
	struct run_context run = {.env = &env};
	struct map *map = make_map(BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1);
	u64 m = ptr_to_u64(map), *values[2];
	u32 key = 0;

	rcu_read_lock();
	for (u32 slot = 0; slot < 2; slot++) {
		run.slot = slot;
		assert_int_equal(call(&run, BPF_FUNC_get_smp_processor_id, 0, 0, 0, 0, 0),
				 slot);
		values[slot] = u64_to_ptr(
			call(&run, BPF_FUNC_map_lookup_elem, m, ptr_to_u64(&key), 0, 0, 0));
		*values[slot] = slot + 10;
	}
	assert_ptr_not_equal(values[0], values[1]);
	for (u32 slot = 0; slot < 2; slot++)
		assert_ptr_equal(u64_to_ptr(call(&run, BPF_FUNC_map_lookup_percpu_elem, m,
						 ptr_to_u64(&key), slot, 0, 0)),
				 values[slot]);
	assert_int_equal(
		call(&run, BPF_FUNC_map_lookup_percpu_elem, m, ptr_to_u64(&key), 2, 0, 0), 0);
	rcu_read_unlock();
	object_put(&map->object);
}

/* Callbacks: `function` is a pointer to one of ours. */
struct seen {
	u64 calls, sum, stop_after;
};

static u64 call_ours(struct run_context *run, u64 function, const u64 args[5])
{
	u64 (*ours)(const u64 args[5]) = u64_to_ptr(function);

	return ours(args);
}

static u64 on_index(const u64 args[5])
{
	struct seen *seen = u64_to_ptr(args[1]);

	seen->sum += args[0];
	return ++seen->calls == seen->stop_after;
}

static u64 on_element(const u64 args[5])
{
	struct seen *seen = u64_to_ptr(args[3]);

	assert_non_null(u64_to_ptr(args[0]));
	seen->sum += *(u32 *)u64_to_ptr(args[1]) * 100 + *(u64 *)u64_to_ptr(args[2]);
	return ++seen->calls == seen->stop_after;
}

static void loops_call_back(void **state)
{
	static const struct {
		u64 count, stop_after, flags;
		s64 want;
		u64 sum;
	} rows[] = {
		{0, 0, 0, 0, 0},
		{10, 0, 0, 10, 45},
		{10, 3, 0, 3, 3},
		{10, 0, 1, -EINVAL, 0},
		{8388609, 0, 0, -E2BIG, 0},
		{(1ull << 32) + 2, 0, 0, 2, 1},
	};
	struct run_context run = {.env = &env, .call_back = call_ours};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seen seen = {.stop_after = rows[i].stop_after};
		s64 got = call(&run, BPF_FUNC_loop, rows[i].count, ptr_to_u64(on_index),
			       ptr_to_u64(&seen), rows[i].flags, 0);

		if (got != rows[i].want || seen.sum != rows[i].sum)
			fail_msg("row %u: %lld, sum %llu", i, got, seen.sum);
	}
}

static void elements_are_walked(void **state)
{
	struct run_context run = {.env = &env, .call_back = call_ours};
	struct map *map = make_map(BPF_MAP_TYPE_ARRAY, 4, 8, 3);
	struct seen seen = {};

	rcu_read_lock();
	for (u32 key = 0; key < 3; key++)
		*(u64 *)map_lookup(map, &key, 0) = key + 1;
	assert_int_equal(call(&run, BPF_FUNC_for_each_map_elem, ptr_to_u64(map),
			      ptr_to_u64(on_element), ptr_to_u64(&seen), 0, 0),
			 3);
	assert_int_equal(seen.sum, 306);
	seen = (struct seen){.stop_after = 2};
	assert_int_equal(call(&run, BPF_FUNC_for_each_map_elem, ptr_to_u64(map),
			      ptr_to_u64(on_element), ptr_to_u64(&seen), 0, 0),
			 2);
	assert_int_equal(call(&run, BPF_FUNC_for_each_map_elem, ptr_to_u64(map),
			      ptr_to_u64(on_element), ptr_to_u64(&seen), 1, 0),
			 -EINVAL);
	rcu_read_unlock();
	object_put(&map->object);
}

/* --- locks --- */
struct counter {
	struct bpf_spin_lock lock;
	u32 value;
};

static void *count_under_lock(void *cookie)
{
	struct counter *counter = cookie;
	struct run_context run = {.env = &env};

	for (u32 i = 0; i < 20000; i++) {
		call(&run, BPF_FUNC_spin_lock, ptr_to_u64(&counter->lock), 0, 0, 0, 0);
		counter->value++;
		call(&run, BPF_FUNC_spin_unlock, ptr_to_u64(&counter->lock), 0, 0, 0, 0);
	}
	return NULL;
}

static void a_lock_lets_one_in(void **state)
{
	struct counter counter = {};
	pthread_t threads[3];

	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, count_under_lock, &counter),
				 0);
	for (u32 i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(counter.value, 60000);
}

/* --- time and tasks: the kernel gives the same --- */
static s64 ask_linux(u32 id)
{
	struct linux_call question = {.type = id == BPF_FUNC_ktime_get_coarse_ns
						      ? BPF_PROG_TYPE_SOCKET_FILTER
						      : BPF_PROG_TYPE_SYSCALL,
				      .helper = id};

	assert_int_equal(linux_call(&question), 0);
	return question.result;
}

static void clocks_are_those_of_linux(void **state)
{
	static const struct {
		u32 id;
		s64 tolerance;
	} rows[] = {
		{BPF_FUNC_ktime_get_ns, 200000000},
		{BPF_FUNC_ktime_get_boot_ns, 200000000},
		{BPF_FUNC_ktime_get_coarse_ns, 200000000},
		{BPF_FUNC_ktime_get_tai_ns, 200000000},
		{BPF_FUNC_jiffies64, 200},
	};
	struct run_context run = {.env = &env};

	if (!linux_can_call())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		s64 want = ask_linux(rows[i].id);
		s64 got = call(&run, rows[i].id, 0, 0, 0, 0, 0);

		if (got < want - rows[i].tolerance / 10 || got > want + rows[i].tolerance)
			fail_msg("helper %u: %lld, Linux %lld", rows[i].id, got, want);
	}
}

static void the_task_is_the_caller(void **state)
{
	static const u32 ids[] = {BPF_FUNC_get_current_pid_tgid, BPF_FUNC_get_current_uid_gid,
				  BPF_FUNC_get_current_cgroup_id, BPF_FUNC_get_numa_node_id};
	struct run_context run = {.env = &env};

	if (!linux_can_call())
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(ids); i++) {
		s64 want = ask_linux(ids[i]);
		s64 got = call(&run, ids[i], 0, 0, 0, 0, 0);

		if (got != want)
			fail_msg("helper %u: %lld, Linux %lld", ids[i], got, want);
	}
	assert_int_equal(call(&run, BPF_FUNC_get_current_task, 0, 0, 0, 0, 0), 0);
}

static void the_groups_of_the_task_have_levels(void **state)
{
	struct run_context run = {.env = &env};

	if (!linux_can_call())
		skip();
	for (s32 level = -1; level < 5; level++) {
		struct linux_call theirs = {.type = BPF_PROG_TYPE_SYSCALL,
					    .helper = BPF_FUNC_get_current_ancestor_cgroup_id,
					    .args = {NUMBER(level)}};

		assert_int_equal(linux_call(&theirs), 0);
		assert_int_equal(call(&run, theirs.helper, level, 0, 0, 0, 0), theirs.result);
	}
}

/* An engine has no sockets but those behind packets, and no classes of groups. */
static void what_is_not_there_is_none(void **state)
{
	static const u32 ids[] = {
		BPF_FUNC_sk_lookup_tcp,
		BPF_FUNC_sk_lookup_udp,
		BPF_FUNC_skc_lookup_tcp,
		BPF_FUNC_sk_release,
		BPF_FUNC_tcp_sock,
		BPF_FUNC_get_listener_sock,
		BPF_FUNC_skc_to_tcp6_sock,
		BPF_FUNC_skc_to_tcp_sock,
		BPF_FUNC_skc_to_tcp_timewait_sock,
		BPF_FUNC_skc_to_tcp_request_sock,
		BPF_FUNC_skc_to_udp6_sock,
		BPF_FUNC_skc_to_unix_sock,
		BPF_FUNC_skc_to_mptcp_sock,
		BPF_FUNC_get_cgroup_classid,
		BPF_FUNC_skb_cgroup_classid,
		BPF_FUNC_skb_cgroup_id,
		BPF_FUNC_skb_ancestor_cgroup_id,
		BPF_FUNC_sk_cgroup_id,
		BPF_FUNC_sk_ancestor_cgroup_id,
		BPF_FUNC_get_route_realm,
	};
	struct run_context run = {.env = &env, .type = BPF_PROG_TYPE_SCHED_CLS};
	struct skb_ctx skb = {};

	for (u32 i = 0; i < ARRAY_SIZE(ids); i++)
		assert_int_equal(call(&run, ids[i], ptr_to_u64(&skb), 0, 0, 0, 0), 0);
	assert_int_not_equal(call(&run, BPF_FUNC_get_netns_cookie, 0, 0, 0, 0, 0), 0);
}

static void names_are_cut_as_on_linux(void **state)
{
	static const u32 sizes[] = {1, 2, 5, 15, 16, 17, 40};

	if (!linux_can_call())
		skip();
	prctl(PR_SET_NAME, "a name of 15 ch");
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct linux_call theirs = {.type = BPF_PROG_TYPE_SYSCALL,
					    .helper = BPF_FUNC_get_current_comm,
					    .args = {MEMORY(0), NUMBER(sizes[i])}};
		struct linux_call ours;

		memset(theirs.memory, 0x5a, 64);
		ours = theirs;
		assert_int_equal(linux_call(&theirs), 0);
		own_call(&ours);
		assert_int_equal(ours.result, theirs.result);
		assert_memory_equal(ours.memory, theirs.memory, 64);
	}
}

static void random_numbers_differ(void **state)
{
	struct run_context run = {.env = &env};
	u32 ones[32] = {};

	for (u32 i = 0; i < 4096; i++) {
		u64 number = call(&run, BPF_FUNC_get_prandom_u32, 0, 0, 0, 0, 0);

		assert_true(number <= UINT32_MAX);
		for (u32 bit = 0; bit < 32; bit++)
			ones[bit] += number >> bit & 1;
	}
	for (u32 bit = 0; bit < 32; bit++) /* 2048 and ten standard deviations */
		assert_in_range(ones[bit], 2048 - 320, 2048 + 320);
}

/* --- memory --- */
static void memory_is_read_safely(void **state)
{
	const size_t page = os_page_size();
	u8 *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);
	char *end = (char *)pages + page; /* nothing behind */
	const struct {
		u32 id, size;
		u64 from;
		s64 want;
		const char *text;
	} rows[] = {
		{BPF_FUNC_probe_read_kernel, 4, ptr_to_u64("abc"), 0, "abc"},
		{BPF_FUNC_probe_read_user, 4, ptr_to_u64("abc"), 0, "abc"},
		{BPF_FUNC_probe_read, 4, ptr_to_u64("abc"), 0, "abc"},
		{BPF_FUNC_copy_from_user, 4, ptr_to_u64("abc"), 0, "abc"},
		{BPF_FUNC_probe_read_kernel, 4, 0, -ERANGE, ""},
		{BPF_FUNC_probe_read_user, 4, 0, -EFAULT, ""},
		{BPF_FUNC_probe_read, 4, 0, -EFAULT, ""},
		{BPF_FUNC_probe_read_kernel, 8, ptr_to_u64(end - 4), -EFAULT, ""},
		{BPF_FUNC_probe_read_kernel, 8, 1ull << 63, -EFAULT, ""},
		{BPF_FUNC_probe_read_kernel, 0, 0, 0, "?"},
		{BPF_FUNC_probe_read_kernel_str, 8, ptr_to_u64("abc"), 4, "abc"},
		{BPF_FUNC_probe_read_user_str, 8, ptr_to_u64("abc"), 4, "abc"},
		{BPF_FUNC_probe_read_str, 3, ptr_to_u64("abc"), 3, "ab"},
		{BPF_FUNC_probe_read_kernel_str, 8, ptr_to_u64(end - 4), 4, "end"},
		{BPF_FUNC_probe_read_kernel_str, 16, ptr_to_u64(end), -EFAULT, ""},
		{BPF_FUNC_probe_read_kernel_str, 8, 0, -ERANGE, ""},
		{BPF_FUNC_probe_read_user_str, 8, 0, -EFAULT, ""},
	};
	struct run_context run = {.env = &env};

	strcpy(end - 4, "end");
	assert_int_equal(mprotect(end, page, PROT_NONE), 0);
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		char out[16] = "?";
		s64 got = call(&run, rows[i].id, ptr_to_u64(out), rows[i].size, rows[i].from, 0,
			       0);

		if (got != rows[i].want || strcmp(out, rows[i].text))
			fail_msg("row %u: %lld, '%s'", i, got, out);
	}
	munmap(pages, 2 * page);
}

/* --- where packets go --- */
static void redirects_are_noted(void **state)
{
	static const struct {
		u32 type, id;
		u64 r2;
		u64 want, flags;
	} rows[] = {
		{BPF_PROG_TYPE_XDP, BPF_FUNC_redirect, 0, XDP_REDIRECT, 0},
		{BPF_PROG_TYPE_XDP, BPF_FUNC_redirect, 1, XDP_ABORTED, 0},
		{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_redirect, 0, 7, 0},
		{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_redirect, BPF_F_INGRESS, 7, BPF_F_INGRESS},
		{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_redirect, 2, 2, 0},
		{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_redirect_peer, 0, 7, REDIRECT_TO_PEER},
		{BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_redirect_peer, 1, 2, 0},
	};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run_context run = {.env = &env, .type = rows[i].type};
		u64 got = call(&run, rows[i].id, 42, rows[i].r2, 0, 0, 0);
		bool is_noted = run.redirect.kind == REDIRECT_IFINDEX;

		if (got != rows[i].want || is_noted != (got > 2) ||
		    run.redirect.flags != rows[i].flags ||
		    (is_noted && run.redirect.ifindex != 42))
			fail_msg("row %u: %llu", i, got);
	}
}

static void neighbours_are_noted(void **state)
{
	static const struct {
		u64 size, flags, want;
	} rows[] = {{0, 0, 7}, {4, 0, 2}, {sizeof(struct bpf_redir_neigh), 0, 7}, {0, 1, 2}};

	struct bpf_redir_neigh hop = {.nh_family = 2};

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run_context run = {.env = &env, .type = BPF_PROG_TYPE_SCHED_CLS};

		assert_int_equal(call(&run, BPF_FUNC_redirect_neigh, 42, ptr_to_u64(&hop), rows[i].size,
				      rows[i].flags, 0),
				 rows[i].want);
	}
}

static void an_empty_entry_gives_the_flags(void **state)
{
	struct map *map = make_map(BPF_MAP_TYPE_DEVMAP, 4, 4, 2);
	struct run_context run = {.env = &env, .type = BPF_PROG_TYPE_XDP};
	static const struct {
		u64 flags, want;
	} rows[] = {
		{0, XDP_ABORTED},
		{XDP_PASS, XDP_PASS},
		{XDP_TX, XDP_TX},
		{4, XDP_ABORTED},
		{BPF_F_BROADCAST, XDP_REDIRECT},
		{BPF_F_EXCLUDE_INGRESS | XDP_DROP, XDP_DROP},
	};

	rcu_read_lock();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 got;

		run.redirect.kind = REDIRECT_NONE;
		got = call(&run, BPF_FUNC_redirect_map, ptr_to_u64(map), 1, rows[i].flags, 0,
			   0);
		if (got != rows[i].want ||
		    (run.redirect.kind == REDIRECT_MAP) != (got == XDP_REDIRECT))
			fail_msg("row %u: %llu", i, got);
	}
	rcu_read_unlock();
	object_put(&map->object);
}

static void perf_records_need_a_place(void **state)
{
	struct map *map = make_map(BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2);
	u8 packet[32] = {}, data[8] = {};
	struct xdp_ctx xdp = {.data = packet, .data_end = packet + sizeof(packet)};
	static const struct {
		u32 type;
		u64 flags;
		s64 want;
	} rows[] = {
		{BPF_PROG_TYPE_XDP, BPF_F_CURRENT_CPU, -ENOENT},
		{BPF_PROG_TYPE_XDP, 0, -ENOENT},
		{BPF_PROG_TYPE_XDP, 2, -E2BIG},
		{BPF_PROG_TYPE_XDP, 32ull << 32, -ENOENT},
		{BPF_PROG_TYPE_XDP, 33ull << 32, -EFAULT},
		{BPF_PROG_TYPE_XDP, 1ull << 52, -EINVAL},
		{BPF_PROG_TYPE_KPROBE, 1ull << 32, -EINVAL},
		{BPF_PROG_TYPE_KPROBE, 1, -ENOENT},
	};

	rcu_read_lock();
	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		struct run_context run = {.env = &env, .type = rows[i].type};
		s64 got = call(&run, BPF_FUNC_perf_event_output, ptr_to_u64(&xdp),
			       ptr_to_u64(map), rows[i].flags, ptr_to_u64(data), sizeof(data));

		if (got != rows[i].want)
			fail_msg("row %u: %lld", i, got);
	}
	rcu_read_unlock();
	object_put(&map->object);
}

static void records_pass_the_ring(void **state)
{
	struct map *map = make_map(BPF_MAP_TYPE_RINGBUF, 0, 0, 4096);
	struct run_context run = {.env = &env};
	u64 m = ptr_to_u64(map), record, data[2] = {1, 2};

	rcu_read_lock();
	assert_int_equal(call(&run, BPF_FUNC_ringbuf_query, m, BPF_RB_RING_SIZE, 0, 0, 0),
			 4096);
	record = call(&run, BPF_FUNC_ringbuf_reserve, m, 24, 0, 0, 0);
	assert_int_not_equal(record, 0);
	memset(u64_to_ptr(record), 1, 24);
	call(&run, BPF_FUNC_ringbuf_submit, record, 0, 0, 0, 0);
	assert_int_equal(call(&run, BPF_FUNC_ringbuf_reserve, m, 24, 1, 0, 0), 0);
	assert_int_equal(call(&run, BPF_FUNC_ringbuf_output, m, ptr_to_u64(data), 16, 0, 0), 0);
	assert_int_equal(call(&run, BPF_FUNC_ringbuf_output, m, ptr_to_u64(data), 16, 8, 0),
			 -EINVAL);
	record = call(&run, BPF_FUNC_ringbuf_reserve, m, 8, 0, 0, 0);
	call(&run, BPF_FUNC_ringbuf_discard, record, 0, 0, 0, 0);
	assert_int_equal(call(&run, BPF_FUNC_ringbuf_query, m, BPF_RB_AVAIL_DATA, 0, 0, 0),
			 32 + 24 + 16);
	rcu_read_unlock();
	object_put(&map->object);
}

static void sockets_have_cookies(void **state)
{
	struct sock_ctx sk = {.cookie = 77, .uid = 12};
	struct skb_ctx skb = {.sk = &sk};
	struct run_context run = {.env = &env, .type = BPF_PROG_TYPE_SCHED_CLS};

	assert_int_equal(call(&run, BPF_FUNC_get_socket_cookie, ptr_to_u64(&skb), 0, 0, 0, 0),
			 77);
	assert_int_equal(call(&run, BPF_FUNC_get_socket_uid, ptr_to_u64(&skb), 0, 0, 0, 0), 12);
	assert_int_equal(call(&run, BPF_FUNC_sk_fullsock, ptr_to_u64(&sk), 0, 0, 0, 0),
			 ptr_to_u64(&sk));
	skb.sk = NULL;
	assert_int_equal(call(&run, BPF_FUNC_get_socket_cookie, ptr_to_u64(&skb), 0, 0, 0, 0),
			 0);
	assert_int_equal(call(&run, BPF_FUNC_get_socket_uid, ptr_to_u64(&skb), 0, 0, 0, 0),
			 65534);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_body_belongs_to_a_helper),
		cmocka_unit_test(absent_facilities_answer),
		cmocka_unit_test(events_are_told_and_answered),
		cmocka_unit_test(memory_of_the_process_is_written),
		cmocka_unit_test(elements_are_found_changed_and_deleted),
		cmocka_unit_test(per_cpu_values_belong_to_the_slot),
		cmocka_unit_test(loops_call_back),
		cmocka_unit_test(elements_are_walked),
		cmocka_unit_test(a_lock_lets_one_in),
		cmocka_unit_test(clocks_are_those_of_linux),
		cmocka_unit_test(the_task_is_the_caller),
		cmocka_unit_test(the_groups_of_the_task_have_levels),
		cmocka_unit_test(what_is_not_there_is_none),
		cmocka_unit_test(names_are_cut_as_on_linux),
		cmocka_unit_test(random_numbers_differ),
		cmocka_unit_test(memory_is_read_safely),
		cmocka_unit_test(redirects_are_noted),
		cmocka_unit_test(neighbours_are_noted),
		cmocka_unit_test(an_empty_entry_gives_the_flags),
		cmocka_unit_test(perf_records_need_a_place),
		cmocka_unit_test(records_pass_the_ring),
		cmocka_unit_test(sockets_have_cookies),
	};

	return cmocka_run_group_tests_name("helper.run", tests, NULL, NULL);
}
