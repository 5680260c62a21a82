/* SPDX-License-Identifier: BSD-2-Clause */
/* The types that an engine has where the kernel shows none (kernel_types.def), compared with
 * the running kernel's. */
#include "helper/kernel_object.h"
#include "helper/run_context.h"
#include "sys/kernel_btf.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

struct both {
	struct kernel_btf own, running;
	struct btf_view *ours;
	const struct btf_view *theirs; /* NULL: this kernel shows none */
};

static int begin(void **state)
{
	static struct both both;

	kernel_btf_init(&both.own);
	kernel_btf_init(&both.running);
	both.ours = kernel_btf_make(&both.own);
	assert_non_null(both.ours);
	both.theirs =
		kernel_btf_own(&both.running, &(size_t){0}) ? NULL : kernel_btf_view(&both.running);
	*state = &both;
	return 0;
}

static int end(void **state)
{
	struct both *both = *state;

	btf_view_free(both->ours);
	kernel_btf_done(&both->own);
	kernel_btf_done(&both->running);
	return 0;
}

/* Behind typedefs and qualifiers: the same kind, of the same name where it has one. */
static bool is_alike(const struct both *both, u32 our_id, u32 their_id)
{
	const struct btf_type *ours, *theirs;

	our_id = btf_resolve(both->ours, our_id);
	their_id = btf_resolve(both->theirs, their_id);
	if (!our_id || !their_id)
		return our_id == their_id;
	ours = btf_type(both->ours, our_id);
	theirs = btf_type(both->theirs, their_id);
	if (btf_kind(theirs) == BTF_KIND_FUNC_PROTO) /* a callback: any pointer will do */
		return true;
	if (btf_kind(ours) != btf_kind(theirs) && btf_kind(ours) != BTF_KIND_FWD)
		return false;
	switch (btf_kind(ours)) {
	case BTF_KIND_PTR:
		return !btf_resolve(both->ours, ours->type)
			       ? btf_kind(btf_type(both->theirs,
						   btf_resolve(both->theirs, theirs->type))
						  ?: ours) == BTF_KIND_FUNC_PROTO ||
					 !btf_resolve(both->theirs, theirs->type)
			       : is_alike(both, ours->type, theirs->type);
	case BTF_KIND_INT: return ours->size == theirs->size;
	default:
		return !strcmp(btf_string(both->ours, ours->name_off),
			       btf_string(both->theirs, theirs->name_off));
	}
}

static void compare_function(const struct both *both, const struct btf_type *our_function)
{
	const char *name = btf_string(both->ours, our_function->name_off);
	const u32 id = btf_find(both->theirs, name, BTF_KIND_FUNC);
	const struct btf_type *ours = btf_type(both->ours, our_function->type), *theirs;

	if (!id) /* newer or older than this kernel */
		return;
	theirs = btf_type(both->theirs, btf_type(both->theirs, id)->type);
	if (btf_vlen(ours) != btf_vlen(theirs) || !is_alike(both, ours->type, theirs->type))
		fail_msg("%s(): another result or number of parameters", name);
	for (u32 i = 0; i < btf_vlen(ours); i++) {
		const struct btf_param *our = &btf_params(ours)[i],
				       *their = &btf_params(theirs)[i];

		if (strcmp(btf_string(both->ours, our->name_off),
			   btf_string(both->theirs, their->name_off)) ||
		    !is_alike(both, our->type, their->type))
			fail_msg("%s(): parameter %u is another", name, i);
	}
}

static void functions_are_those_of_linux(void **state)
{
	const struct both *both = *state;

	if (!both->theirs)
		skip();
	for (u32 id = 1; id <= btf_type_count(both->ours); id++)
		if (btf_kind(btf_type(both->ours, id)) == BTF_KIND_FUNC)
			compare_function(both, btf_type(both->ours, id));
}

/* Each kernel function that skep has can be called. */
static void functions_are_complete(void **state)
{
	const struct both *both = *state;

	for (u32 i = 0; i < kfunc_count(); i++) {
		const char *name = kfunc_row(i)->name;

		if (kfunc_body(name) && !btf_find(both->ours, name, BTF_KIND_FUNC))
			fail_msg("kernel_types.def has no %s()", name);
	}
}

static const struct btf_view *types(void *engine)
{
	return engine;
}

/* Each member that skep fills in has its place. */
static void members_are_complete(void **state)
{
	static const struct {
		enum kernel_structure structure;
		enum kernel_member member;
		const char *name;
	} rows[] = {
#define STRUCTURE(name, bytes)
#define MEMBER(structure, name, path) \
	{KERNEL_STRUCT_##structure, KERNEL_##structure##_##name, #structure "." path},
#include "helper/kernel_members.def"
	};
	const struct both *both = *state;
	struct run_env env = {.kernel_types = types, .engine = both->ours};
	struct kernel_world *world = kernel_world_new(&env);

	for (u32 i = 0; i < ARRAY_SIZE(rows); i++) {
		void *object = kernel_new(world, rows[i].structure);

		kernel_set(object, rows[i].member, 'Z');
		kernel_set_text(object, rows[i].member, "Z");
		if (kernel_value(object, rows[i].member) != 'Z')
			fail_msg("kernel_types.def has no %s", rows[i].name);
		kernel_put(object);
	}
	kernel_world_free(world);
}

/* Contexts and headers of packets are Linux's to the byte. */
static void contexts_have_their_sizes(void **state)
{
	static const char *const names[] = {
		"__sk_buff",	   "xdp_md",	    "bpf_sock",	     "bpf_sock_addr",
		"bpf_sock_ops",	   "bpf_sockopt",   "bpf_sysctl",    "sk_msg_md",
		"sk_reuseport_md", "bpf_sk_lookup", "bpf_flow_keys", "bpf_fib_lookup",
		"bpf_tunnel_key",  "iphdr",	    "ipv6hdr",	     "tcphdr",
		"udphdr",	   "icmphdr",	    "ethhdr",
	};
	const struct both *both = *state;

	if (!both->theirs)
		skip();
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		const u32 ours = btf_find(both->ours, names[i], BTF_KIND_STRUCT),
			  theirs = btf_find(both->theirs, names[i], BTF_KIND_STRUCT);

		if (theirs && btf_size(both->ours, ours) != btf_size(both->theirs, theirs))
			fail_msg("%s: %lld bytes, Linux has %lld", names[i],
				 (long long)btf_size(both->ours, ours),
				 (long long)btf_size(both->theirs, theirs));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_those_of_linux),
		cmocka_unit_test(functions_are_complete),
		cmocka_unit_test(members_are_complete),
		cmocka_unit_test(contexts_have_their_sizes),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
