// SPDX-License-Identifier: BSD-2-Clause
/* Structures with fields that Linux knows by name, for the tests of src/btf. */
#define TYPE_TAG(name)	     __attribute__((btf_type_tag(name)))
#define CONTAINS(type, node) __attribute__((btf_decl_tag("contains:" #type ":" #node)))

typedef unsigned int u32;
typedef unsigned long long u64;

struct bpf_spin_lock {
	u32 val;
};
struct bpf_timer {
	u64 opaque[2];
};
struct bpf_list_head {
	u64 opaque[2];
};
struct bpf_list_node {
	u64 opaque[3];
};
struct bpf_rb_root {
	u64 opaque[2];
};
struct bpf_rb_node {
	u64 opaque[4];
};
struct bpf_refcount {
	u32 opaque[1];
};
struct bpf_wq {
	u64 opaque[2];
};

/* clang 14 keeps the tag only in front of a typedef's pointer. */
typedef struct own {
	int a, b;
} own;

struct leaf {
	struct bpf_list_node node;
	struct bpf_rb_node tree_node;
	struct bpf_refcount refs;
	int value;
};

struct inner {
	struct bpf_list_node node;
	own TYPE_TAG("kptr") *pointer;
	struct bpf_spin_lock lock;
};

struct holder {
	own TYPE_TAG("kptr") *pointer;
};

struct value {
	struct bpf_spin_lock lock;
	struct bpf_timer timer;
	struct bpf_wq work;
	struct bpf_list_head list CONTAINS(leaf, node);
	struct bpf_rb_root tree CONTAINS(leaf, tree_node);
	own TYPE_TAG("kptr_untrusted") *plain;
	struct holder holders[2];
	u64 counter;
};

struct plain_value {
	u64 counter;
	struct bpf_timer timer;
	own TYPE_TAG("percpu_kptr") *percpu;
};

struct two_levels {
	struct value nested;
	int more;
};

own owned;
struct leaf leaf;
struct value value;
struct inner inner;
struct plain_value plain;
struct two_levels two_levels;

__attribute__((section("xdp"))) int entry(void *ctx)
{
	return owned.a + leaf.value + value.counter + inner.lock.val + plain.counter + two_levels.more;
}
